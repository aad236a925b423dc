/** Which model, size and processor: the part that both pages have. */

import {create, element, guarded} from './elements';
import type {Engine} from './engine';
import {type Manifest, type Model, type ModelFile, nearestFile} from './manifest';
import type {Choice, Loaded} from './messages';

const PROCESSORS = {webgpu: 'WebGPU', wasm: 'WebAssembly'};

function described({accelerator, detail, reason}: Loaded): string {
  return `Runs on ${PROCESSORS[accelerator]}${detail && ` (${detail})`}${reason && `: ${reason}`}.`;
}

/** Returns what to call a file of a model: its size, and its numbers where several files have that size. */
function fileName({files}: Model, file: ModelFile): string {
  const [height, width] = file.size;
  const size = height === width ? `${height} px` : `${width} × ${height} px`;
  const alike = files.filter((each) => String(each.size) === String(file.size));
  return alike.length > 1 ? `${size}, ${file.quantize === 'none' ? 'float32' : file.quantize}` : size;
}

export class Choices {
  model: Model;
  file: ModelFile;
  /** Whether the model that is wanted is there. */
  ready = false;
  private wanted = 0;
  private readonly models = element<HTMLSelectElement>('model');
  private readonly sizes = element<HTMLSelectElement>('size');
  private readonly processor = element<HTMLSelectElement>('processor');

  /**
   * @param size Longest side to begin with, px.
   * @param onModel Is called when another model was chosen, before it is loaded.
   * @param onReady Is called when a model was loaded.
   */
  constructor(
      private readonly manifest: Manifest, private readonly engine: Engine, size: number,
      private readonly onModel: () => void, private readonly onReady: () => void) {
    this.model = manifest.models[0]!;
    this.file = nearestFile(this.model, size);
    this.models.replaceChildren(...manifest.models.map(({name}) => create('option', {value: name, textContent: name})));
    element('model-field').hidden = manifest.models.length < 2;
    this.models.addEventListener('change', guarded(() => this.changeModel()));
    this.sizes.addEventListener('change', guarded(() => {
      this.file = this.model.files[this.sizes.selectedIndex]!;
      return this.load();
    }));
    this.processor.addEventListener('change', guarded(() => this.load()));
    this.listSizes();
  }

  /** Takes the size that is nearest to one. */
  async useSize(size: number): Promise<void> {
    const file = nearestFile(this.model, size);
    if (file === this.file) return;
    this.file = file;
    this.sizes.selectedIndex = this.model.files.indexOf(file);
    await this.load();
  }

  /** Loads the model that is chosen. */
  async load(): Promise<void> {
    const turn = ++this.wanted;
    this.ready = false;
    const megabytes = (this.file.bytes / 1e6).toFixed(1);
    const status = element('runtime');
    status.textContent = `Loading ${this.model.name}, ${fileName(this.model, this.file)}, ${megabytes} MB, and trying the processor …`;
    document.body.classList.add('loading');
    try {
      const loaded = await this.engine.load(this.file, this.processor.value as Choice);
      if (turn !== this.wanted) return;
      status.textContent = described(loaded);
      this.ready = true;
    } catch (error) {
      if (turn !== this.wanted) return;
      status.textContent = 'No model is loaded.';
      throw error;
    } finally {
      if (turn === this.wanted) document.body.classList.remove('loading');
    }
    this.onReady();
  }

  private async changeModel(): Promise<void> {
    const size = Math.max(...this.file.size);
    this.model = this.manifest.models[this.models.selectedIndex]!;
    this.file = nearestFile(this.model, size);
    this.listSizes();
    this.onModel();
    await this.load();
  }

  private listSizes(): void {
    this.sizes.replaceChildren(...this.model.files.map((file) => create('option', {textContent: fileName(this.model, file)})));
    this.sizes.selectedIndex = this.model.files.indexOf(this.file);
  }
}
