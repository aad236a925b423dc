/** Blends of styles, as the network takes them. */

/** The row of a painter that paints the photograph itself. */
const IDENTITY = 'identity';

/** Returns the styles that people choose from: all rows but that of the photograph itself. */
export function listed(rows: string[]): string[] {
  return rows.filter((name) => name !== IDENTITY);
}

/** Returns the weights that paint the photograph itself; null for a painter that can't. */
export function identityWeights(rows: string[]): Float32Array<ArrayBuffer> | null {
  return rows.includes(IDENTITY) ? Float32Array.from(rows, (name) => +(name === IDENTITY)) : null;
}

/**
 * Returns the weight of each row, of sum 1.
 *
 * @param rows The painter's rows.
 * @param shares How much of each style, >= 0, some of them more.
 * @param strength From 0, the photograph itself, to 1; it has no effect on a painter that can't paint that.
 */
export function styleWeights(
    rows: string[], shares: ReadonlyMap<string, number>, strength: number): Float32Array<ArrayBuffer> {
  const given = rows.map((name) => shares.get(name) ?? 0);
  const total = given.reduce((sum, each) => sum + each, 0);
  const own = identityWeights(rows);
  const share = own ? strength : 1;
  return Float32Array.from(given, (each, index) => share * each / total + (1 - share) * (own?.[index] ?? 0));
}
