/** The painting and the photograph under it, with a divider between them. */

import {context, element} from './elements';
import type {Box} from './pictures';

export class Stage {
  readonly painting = element<HTMLCanvasElement>('painting');
  private readonly photograph = element<HTMLCanvasElement>('photograph');
  private readonly frame = element('frame');
  private readonly divider = element<HTMLInputElement>('divider');

  constructor() {
    this.divider.addEventListener('input', () => this.divide());
    const drag = (event: PointerEvent) => {
      if (event.type === 'pointermove' && !event.buttons) return;
      const {left, width} = this.frame.getBoundingClientRect();
      this.divider.value = String(Math.round(100 * Math.min(1, Math.max(0, (event.clientX - left) / width))));
      this.divide();
    };
    this.frame.addEventListener('pointerdown', (event) => {
      this.frame.setPointerCapture(event.pointerId);
      drag(event);
    });
    this.frame.addEventListener('pointermove', drag);
    this.divide();
  }

  /** Shows the part of a painting and of what it was painted from that is the photograph. */
  show(painted: ImageData, source: HTMLCanvasElement, box: Box): void {
    for (const canvas of [this.painting, this.photograph]) {
      // A new size clears a canvas, and what records it.
      if (canvas.width !== box.width) canvas.width = box.width;
      if (canvas.height !== box.height) canvas.height = box.height;
    }
    context(this.painting).putImageData(painted, -box.left, -box.top);
    context(this.photograph).drawImage(source, -box.left, -box.top);
    this.frame.style.setProperty('--ratio', String(box.width / box.height));
    this.frame.hidden = false;
  }

  private divide(): void {
    this.frame.style.setProperty('--divided', `${this.divider.value}%`);
    this.frame.classList.toggle('divided', this.divider.valueAsNumber > 0);
  }
}
