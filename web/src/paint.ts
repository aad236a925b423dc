/** The page that paints photographs and the camera. */

import {Camera} from './camera';
import {Choices} from './choices';
import {context, create, download, downloadCanvas, element, guarded, showError} from './elements';
import {Engine} from './engine';
import {isolate} from './isolation';
import {type Manifest, type ModelFile, readManifest} from './manifest';
import type {Inputs, Painted} from './messages';
import {uniform} from './noise';
import {Palette} from './palette';
import {decode, drawFitted, type Fit} from './pictures';
import {restore} from './pixels';
import {Recorder} from './recorder';
import {Speed} from './speed';
import {Stage} from './stage';
import {identityWeights, styleWeights} from './styles';

/** Longest sides to begin with, px: a photograph that looks like one, and a camera that moves. */
const PHOTOGRAPH_SIZE = 512;
const CAMERA_SIZE = 256;

class Painter {
  private readonly engine = new Engine();
  private readonly stage = new Stage();
  private readonly camera = new Camera(() => {
    this.stopCamera();
    showError('The camera is gone.');
  });
  private readonly recorder = new Recorder();
  private readonly speed = new Speed();
  private readonly source = create('canvas');
  private readonly palette: Palette;
  private readonly choices: Choices;
  private readonly strength = element<HTMLInputElement>('strength');
  private readonly fit = element<HTMLSelectElement>('fit');
  private photograph: ImageBitmap | null = null;
  private name = 'painting';
  /** The photograph as the painter itself paints it, and what that depends on. */
  private own: {picture: ImageBitmap | null; file: ModelFile; fit: string; pixels: Uint8ClampedArray} | null = null;
  /** Whether something changed since the last painting, and whether one is being made. */
  private changed = false;
  private busy = false;

  constructor(private readonly manifest: Manifest) {
    this.palette = new Palette(manifest.paintings, () => this.paint());
    this.choices = new Choices(manifest, this.engine, PHOTOGRAPH_SIZE, () => this.showModel(), () => this.paint());
    this.showModel();
    this.listen();
  }

  /** Loads the model. */
  begin(): Promise<void> {
    return this.choices.load();
  }

  private showModel(): void {
    this.palette.show(this.choices.model.styles);
  }

  private listen(): void {
    this.strength.addEventListener('input', () => this.paint());
    this.fit.addEventListener('change', () => this.paint());
    const file = element<HTMLInputElement>('file');
    const open = guarded((given: Blob) => this.open(given));
    element('open').addEventListener('click', () => file.click());
    file.addEventListener('change', () => {
      if (file.files?.[0]) void open(file.files[0]);
      file.value = '';
    });
    document.addEventListener('paste', (event) => {
      const pasted = event.clipboardData?.files[0];
      if (pasted) void open(pasted);
    });
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      document.body.classList.add('dragging');
    });
    document.addEventListener('dragleave', (event) => {
      if (!event.relatedTarget) document.body.classList.remove('dragging');
    });
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      document.body.classList.remove('dragging');
      const dropped = event.dataTransfer?.files[0];
      if (dropped) void open(dropped);
      else showError('What was dropped is no file.');
    });
    const {sample} = this.manifest;
    const sampleButton = element<HTMLButtonElement>('sample');
    if (sample) sampleButton.title = `${sample.title}, ${sample.credit}`;
    sampleButton.hidden = !sample;
    sampleButton.addEventListener('click', guarded(async () => {
      const response = await fetch(sample!.url);
      if (!response.ok) throw new Error(`The sample could not be loaded (${response.status}).`);
      await this.open(await response.blob(), 'sample');
    }));
    element('camera').addEventListener('click', guarded(() => this.camera.running ? this.stopCamera() : this.startCamera()));
    element('cameras').addEventListener('change', guarded(() => this.camera.start()));
    element('record').addEventListener('click', guarded(() => this.record()));
    element('save').addEventListener('click', guarded(() => downloadCanvas(this.stage.painting, `${this.name}.png`)));
  }

  private async open(file: Blob, name = file instanceof File ? file.name.replace(/\.\w+$/, '') : 'painting'): Promise<void> {
    const opened = await decode(file);
    this.stopCamera();
    this.photograph?.close();
    this.photograph = opened;
    this.name = `${name}_painted`;
    this.paint();
  }

  private async startCamera(): Promise<void> {
    await this.camera.start();
    this.name = 'camera_painted';
    this.showCamera();
    this.speed.reset();
    await this.choices.useSize(CAMERA_SIZE);
    this.paint();
  }

  private stopCamera(): void {
    this.recorder.stop();
    this.camera.stop();
    this.showCamera();
    this.paint();
  }

  private showCamera(): void {
    const {running} = this.camera;
    element('camera').textContent = running ? 'Stop the camera' : 'Start the camera';
    element('record').hidden = !running;
    if (!running) element('cameras-field').hidden = true;
  }

  private async record(): Promise<void> {
    const button = element('record');
    if (this.recorder.recording) {
      this.recorder.stop();
      return;
    }
    const whole = this.recorder.record(this.stage.painting);
    button.textContent = 'Save the clip';
    try {
      const {clip, extension} = await whole;
      download(clip, `${this.name}.${extension}`);
    } finally {
      button.textContent = 'Record a clip';
    }
  }

  /** Paints anew, once the painting that is being made is done, if there is something to paint. */
  private paint(): void {
    this.changed = true;
    if (!this.busy) void this.paintAll();
  }

  private async paintAll(): Promise<void> {
    this.busy = true;
    try {
      while (this.choices.ready && (this.changed || this.camera.running)) {
        this.changed = false;
        if (this.camera.running) await this.camera.nextFrame();
        await this.paintOnce();
      }
    } catch (error) {
      this.stopCamera();
      showError(error);
    } finally {
      this.busy = false;
    }
  }

  private async paintOnce(): Promise<void> {
    const source = this.camera.running ? this.camera.video : this.photograph;
    if (!source || !this.choices.ready) return;
    const [height, width] = this.choices.file.size;
    Object.assign(this.source, {width, height});
    const box = drawFitted(source, this.source, this.fit.value as Fit);
    const painted = await this.paintPixels();
    if (!painted) return;
    const {pixels, milliseconds} = painted;
    this.stage.show(new ImageData(pixels, width, height), this.source, box);
    element<HTMLButtonElement>('save').disabled = false;
    element('empty').hidden = true;
    const rate = this.camera.running ? `${this.speed.frame().toFixed(1)} frames/s, ` : '';
    element('speed').textContent = `${rate}${milliseconds.toFixed()} ms for ${box.width} × ${box.height} px`;
  }

  /** Paints what the source canvas has; null if another size or model is wanted meanwhile. */
  private async paintPixels(): Promise<Painted | null> {
    const {model: {styles}, file} = this.choices;
    const strength = !styles.length || this.palette.chosen ? this.strength.valueAsNumber / 100 : 0;
    const photograph = this.sourcePixels();
    const own = strength < 1 ? identityWeights(styles) : null;
    const {shares} = this.palette;
    const weights = this.palette.chosen ? styleWeights(styles, shares, strength) : own ?? new Float32Array(styles.length);
    const painted = await this.engine.paint(this.inputs(weights));
    if (strength === 1) return painted;
    if (file !== this.choices.file) return null;
    const begun = performance.now();
    restore(painted.pixels, photograph, own && await this.paintOwn(own), strength);
    return {...painted, milliseconds: painted.milliseconds + performance.now() - begun};
  }

  /** Paints the source as it is; for a photograph once, since no style changes that. */
  private async paintOwn(weights: Float32Array<ArrayBuffer>): Promise<Uint8ClampedArray> {
    const of = this.camera.running ? null : {picture: this.photograph, file: this.choices.file, fit: this.fit.value};
    const {own} = this;
    if (of && own && own.picture === of.picture && own.file === of.file && own.fit === of.fit) return own.pixels;
    const {pixels} = await this.engine.paint(this.inputs(weights));
    this.own = of && {...of, pixels};
    return pixels;
  }

  private sourcePixels(): Uint8ClampedArray<ArrayBuffer> {
    const {width, height} = this.source;
    return context(this.source).getImageData(0, 0, width, height).data as Uint8ClampedArray<ArrayBuffer>;
  }

  private inputs(weights: Float32Array<ArrayBuffer>): Inputs {
    const made: Inputs = {};
    for (const [name, {shape}] of Object.entries(this.choices.file.inputs)) {
      if (name === 'image') made[name] = this.sourcePixels();
      else if (name === 'style_weights') made[name] = weights;
      else made[name] = uniform(shape.reduce((product, each) => product * each, 1), 0);
    }
    return made;
  }
}

void guarded(async () => {
  if (await isolate()) return;
  await new Painter(await readManifest('photographs')).begin();
})();
