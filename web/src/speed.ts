/** How fast frames come. */

/** Frames over which the rate is averaged. */
const SPAN = 20;

export class Speed {
  private times: number[] = [];

  /** Notes a frame, and returns the frames a second; 0 for the first. */
  frame(now = performance.now()): number {
    this.times = [...this.times.slice(1 - SPAN), now];
    const [first] = this.times;
    return this.times.length > 1 ? 1000 * (this.times.length - 1) / (now - first!) : 0;
  }

  /** Begins anew. */
  reset(): void {
    this.times = [];
  }
}
