/** A clip of what a canvas shows. */

const TYPES = ['video/webm;codecs=vp9', 'video/webm', 'video/mp4'];

/** Longest clip, s: it is kept in memory until it is saved. */
const LONGEST = 600;

export class Recorder {
  private recorder: MediaRecorder | null = null;

  /** Whether it records. */
  get recording(): boolean {
    return this.recorder !== null;
  }

  /**
   * Records until `stop`.
   *
   * @return The clip and the extension of its file, once it is whole.
   */
  record(canvas: HTMLCanvasElement): Promise<{clip: Blob; extension: string}> {
    const type = globalThis.MediaRecorder && TYPES.find((each) => MediaRecorder.isTypeSupported(each));
    if (!type) throw new Error('This browser can record no clips.');
    const recorder = new MediaRecorder(canvas.captureStream(), {mimeType: type, videoBitsPerSecond: 8_000_000});
    const parts: Blob[] = [];
    const timer = setTimeout(() => this.stop(), 1000 * LONGEST);
    this.recorder = recorder;
    recorder.addEventListener('dataavailable', ({data}) => parts.push(data));
    recorder.start(1000);
    return new Promise((resolve, reject) => {
      recorder.addEventListener('stop', () => {
        clearTimeout(timer);
        for (const track of recorder.stream.getTracks()) track.stop();
        resolve({clip: new Blob(parts, {type}), extension: type.slice(6).split(';')[0]!});
      });
      recorder.addEventListener('error', () => reject(new Error('The clip could not be recorded.')));
    });
  }

  /** Ends the clip. */
  stop(): void {
    this.recorder?.stop();
    this.recorder = null;
  }
}
