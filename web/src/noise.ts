/** Random numbers that a seed decides. */

/** Returns uniform numbers in [0, 1), by Marsaglia's xorshift of 32 bits (2003). */
export function uniform(count: number, seed: number): Float32Array<ArrayBuffer> {
  // Spreads the seeds, of which 0 is none that xorshift could start from.
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  const numbers = new Float32Array(count);
  for (let index = -16; index < count; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    if (index >= 0) numbers[index] = (state >>> 8) / 2 ** 24;
  }
  return numbers;
}
