/** Numbers of pixels: RGBA in 8 bits, as canvases have them, and RGB in [0, 1], as networks do. */

/** Returns RGB in [0, 1] of RGBA in 8 bits; opacity is dropped. */
export function rgb(pixels: Uint8ClampedArray): Float32Array<ArrayBuffer> {
  const count = pixels.length / 4;
  const numbers = new Float32Array(3 * count);
  for (let pixel = 0; pixel < count; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      numbers[3 * pixel + channel] = pixels[4 * pixel + channel]! / 255;
    }
  }
  return numbers;
}

/** Returns opaque RGBA in 8 bits, rounded, of RGB in [0, 1]. */
export function rgba(numbers: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const count = numbers.length / 3;
  const pixels = new Uint8ClampedArray(4 * count).fill(255);
  for (let pixel = 0; pixel < count; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[4 * pixel + channel] = 255 * numbers[3 * pixel + channel]!;
    }
  }
  return pixels;
}

/** Returns the largest absolute difference; NaN if there is one. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs(a[index]! - b[index]!);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) break;
  }
  return largest;
}

/**
 * Gives a painting a share of the photograph.
 *
 * @param painted What is changed.
 * @param photograph What it was painted from.
 * @param own The photograph as the painter itself paints it: what that lost comes
 *     back, as in stylezoo's `paint`. Without it colours are mixed in sRGB, where `paint` mixes them in L*a*b*.
 * @param strength The share of the painting.
 */
export function restore(
    painted: Uint8ClampedArray, photograph: Uint8ClampedArray, own: Uint8ClampedArray | null, strength: number): void {
  for (let index = 0; index < painted.length; index++) {
    const lost = photograph[index]! - (own ?? painted)[index]!;
    painted[index] = painted[index]! + (1 - strength) * lost;
  }
}
