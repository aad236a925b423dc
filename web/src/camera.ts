/** A camera. */

import {create, element} from './elements';

const MESSAGES: Record<string, string> = {
  NotAllowedError: 'The camera is not allowed to this page; the browser\'s settings can change that.',
  NotFoundError: 'There is no camera.',
  NotReadableError: 'Another program uses the camera.',
};

export class Camera {
  readonly video = create('video', {muted: true, playsInline: true});
  private stream: MediaStream | null = null;
  private wake = () => {};
  private readonly list = element<HTMLSelectElement>('cameras');

  /** @param onGone Is called when it was unplugged. */
  constructor(private readonly onGone: () => void) {}

  /** Whether it runs. */
  get running(): boolean {
    return this.stream !== null;
  }

  /** Starts the camera that is chosen, or any. */
  async start(): Promise<void> {
    this.stop();
    if (!navigator.mediaDevices) throw new Error('A page must come by HTTPS, or from this computer, to use a camera.');
    const wanted = this.list.value ? {deviceId: {exact: this.list.value}} : {facingMode: 'user'};
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({video: {...wanted, width: 1280, height: 720}});
    } catch (error) {
      const name = error instanceof DOMException ? error.name : '';
      throw new Error(MESSAGES[name] ?? `The camera could not be started: ${error}`);
    }
    this.stream.getVideoTracks()[0]?.addEventListener('ended', () => this.onGone());
    this.video.srcObject = this.stream;
    await this.video.play();
    await this.listCameras();
  }

  /** Stops it. */
  stop(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.wake();
  }

  /** Waits for a frame that was not seen yet, or until the camera is stopped. */
  nextFrame(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      if ('requestVideoFrameCallback' in this.video) this.video.requestVideoFrameCallback(() => resolve());
      else requestAnimationFrame(() => resolve());
    });
  }

  /** Lists the cameras if there are several; their names are known once one was allowed. */
  private async listCameras(): Promise<void> {
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter((each) => each.kind === 'videoinput');
    const chosen = this.stream?.getVideoTracks()[0]?.getSettings().deviceId ?? '';
    const options = devices.map(({deviceId, label}, index) =>
      create('option', {value: deviceId, textContent: label || `Camera ${index + 1}`}));
    this.list.replaceChildren(...options);
    this.list.value = chosen;
    element('cameras-field').hidden = devices.length < 2;
  }
}
