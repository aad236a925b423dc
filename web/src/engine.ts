/** The worker that runs LiteRT, as functions that return promises. */

import type {ModelFile} from './manifest';
import type {Answer, Choice, Inputs, Loaded, LoadRequest, Painted, RunRequest} from './messages';

type Awaiting = {resolve(answer: Answer): void; reject(error: Error): void};

export class Engine {
  private readonly worker = new Worker(new URL('./worker.ts', import.meta.url));
  private readonly awaiting = new Map<number, Awaiting>();
  private asked = 0;

  constructor() {
    this.worker.addEventListener('message', ({data}: MessageEvent<Answer>) => {
      const asked = this.awaiting.get(data.id);
      this.awaiting.delete(data.id);
      if ('error' in data) asked?.reject(new Error(data.error));
      else asked?.resolve(data);
    });
    this.worker.addEventListener('error', (event) => {
      for (const each of this.awaiting.values()) each.reject(new Error(`LiteRT could not be started: ${event.message}`));
      this.awaiting.clear();
    });
  }

  /** Loads a model in place of the one before, and tells what it runs on. */
  async load(file: ModelFile, choice: Choice): Promise<Loaded> {
    const {inputs, output} = file;
    const url = new URL(file.url, document.baseURI).href;
    const answer = await this.ask({what: 'load', url, inputs, output, choice});
    return (answer as {loaded: Loaded}).loaded;
  }

  /** Paints with the model that was loaded last. The buffers of the inputs are gone afterwards. */
  async paint(inputs: Inputs): Promise<Painted> {
    const answer = await this.ask({what: 'run', inputs}, Object.values(inputs).map((each) => each.buffer));
    return (answer as {painted: Painted}).painted;
  }

  private ask(request: Omit<LoadRequest, 'id'> | RunRequest, transfer: Transferable[] = []): Promise<Answer> {
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.awaiting.set(id, {resolve, reject});
      this.worker.postMessage({...request, id}, transfer);
    });
  }
}
