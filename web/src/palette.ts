/** The styles: a thumbnail each, which takes the style alone, and a slider of its share. */

import {create, element} from './elements';
import type {Painting} from './manifest';
import {listed} from './styles';

function titled(name: string, painting: Painting | undefined): string {
  return painting?.title ?? name.replaceAll('_', ' ');
}

export class Palette {
  /** The share of each style, from 0 to 1. */
  readonly shares = new Map<string, number>();
  private readonly sliders = new Map<string, HTMLInputElement>();
  private readonly buttons = new Map<string, HTMLButtonElement>();

  /** Whether there is a style with a share; without one the photograph itself is wanted. */
  get chosen(): boolean {
    return [...this.shares.values()].some((share) => share > 0);
  }

  constructor(private readonly paintings: Record<string, Painting>, private readonly onChange: () => void) {}

  /** Lists the styles of a painter; what was chosen stays if it has that style too. */
  show(rows: string[]): void {
    const names = listed(rows);
    const kept = names.filter((name) => this.shares.get(name));
    const shares = new Map(kept.map((name) => [name, this.shares.get(name)!]));
    if (!kept.length && names[0]) shares.set(names[0], 1);
    this.sliders.clear();
    this.buttons.clear();
    element('styles').replaceChildren(...names.map((name) => this.card(name)));
    element('styles-field').hidden = names.length === 0;
    this.set(shares);
  }

  private card(name: string): HTMLElement {
    const painting = this.paintings[name];
    const title = titled(name, painting);
    const by = painting ? `${painting.artist}, ${painting.year}` : '';
    const button = create('button', {type: 'button', className: 'thumbnail', title: by && `${title}. ${by}`});
    if (painting) button.append(create('img', {src: painting.thumbnail, alt: '', width: 96, height: 96}));
    button.append(create('span', {textContent: title}));
    button.addEventListener('click', () => {
      this.set(new Map([[name, 1]]));
      this.onChange();
    });
    const slider = create('input', {type: 'range', min: '0', max: '100', value: '0'});
    slider.setAttribute('aria-label', `Share of ${title}`);
    slider.addEventListener('input', () => {
      this.shares.set(name, slider.valueAsNumber / 100);
      this.mark();
      this.onChange();
    });
    this.buttons.set(name, button);
    this.sliders.set(name, slider);
    return create('li', {}, button, slider);
  }

  private set(shares: ReadonlyMap<string, number>): void {
    this.shares.clear();
    for (const [name, slider] of this.sliders) {
      const share = shares.get(name) ?? 0;
      this.shares.set(name, share);
      slider.value = String(100 * share);
    }
    this.mark();
  }

  /** Marks the styles that are painted with. */
  private mark(): void {
    for (const [name, button] of this.buttons) button.setAttribute('aria-pressed', String(this.shares.get(name)! > 0));
  }
}
