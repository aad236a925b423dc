/** The page that paints textures from noise. */

import {Choices} from './choices';
import {context, downloadCanvas, element, guarded} from './elements';
import {Engine} from './engine';
import {isolate} from './isolation';
import {readManifest} from './manifest';
import type {Inputs} from './messages';
import {uniform} from './noise';

const SIZE = 256;

async function begin(): Promise<void> {
  const engine = new Engine();
  const canvas = element<HTMLCanvasElement>('painting');
  const seed = element<HTMLInputElement>('seed');
  const save = element<HTMLButtonElement>('save');
  const choices = new Choices(await readManifest('textures'), engine, SIZE, () => {}, guarded(paint));

  async function paint(): Promise<void> {
    if (!choices.ready) return;
    const [height, width] = choices.file.size;
    const inputs: Inputs = {};
    for (const [index, [name, {shape}]] of Object.entries(choices.file.inputs).entries()) {
      // Every scale has noise of its own.
      inputs[name] = uniform(shape.reduce((product, each) => product * each, 1), 100 * seedValue() + index);
    }
    const {pixels, milliseconds} = await engine.paint(inputs);
    Object.assign(canvas, {width, height});
    context(canvas).putImageData(new ImageData(pixels, width, height), 0, 0);
    save.disabled = false;
    tile();
    element('speed').textContent = `${milliseconds.toFixed()} ms for ${width} × ${height} px`;
  }

  function seedValue(): number {
    if (!seed.reportValidity()) throw new Error('The seed must be a whole number from 0 to 999,999.');
    return seed.valueAsNumber;
  }

  /** Shows the texture beside itself, as a wall has it. */
  function tile(): void {
    const wall = element<HTMLCanvasElement>('wall');
    wall.hidden = !element<HTMLInputElement>('tiled').checked;
    canvas.hidden = !wall.hidden;
    Object.assign(wall, {width: 2 * canvas.width, height: 2 * canvas.height});
    const pen = context(wall);
    for (const x of [0, canvas.width]) for (const y of [0, canvas.height]) pen.drawImage(canvas, x, y);
  }

  seed.addEventListener('change', guarded(paint));
  element('another').addEventListener('click', guarded(() => {
    seed.valueAsNumber = Math.floor(1e6 * Math.random());
    return paint();
  }));
  element('tiled').addEventListener('change', tile);
  save.addEventListener('click', guarded(() => downloadCanvas(canvas, `${choices.model.name}_${seed.value}.png`)));
  await choices.load();
}

void guarded(async () => {
  if (!await isolate()) await begin();
})();
