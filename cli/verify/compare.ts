/** How far two runs of the same model are apart: numbers, the tokens that follow from them, and the routes. */

export interface RowsComparison {
  /** Root of the summed squared differences over that of the expected numbers. */
  readonly relativeError: number;
  /** Positions whose largest number is at the same place. */
  readonly sameBest: number;
  readonly positions: number;
  /** The first position whose own relative error is more than ten times the whole one; a sign of a local fault. */
  readonly worst: { readonly position: number; readonly relativeError: number };
}

/** @param width Numbers of a position (the vocabulary, or the width of an embedding). */
export function compareRows(found: ArrayLike<number>, expected: ArrayLike<number>, width: number): RowsComparison {
  const positions = expected.length / width;
  let difference = 0;
  let size = 0;
  let sameBest = 0;
  let worst = { position: 0, relativeError: 0 };
  for (let position = 0; position < positions; position++) {
    let own = 0;
    let ownSize = 0;
    let bestFound = 0;
    let bestExpected = 0;
    for (let i = 0; i < width; i++) {
      const at = position * width + i;
      own += (found[at]! - expected[at]!) ** 2;
      ownSize += expected[at]! ** 2;
      if (found[at]! > found[position * width + bestFound]!) bestFound = i;
      if (expected[at]! > expected[position * width + bestExpected]!) bestExpected = i;
    }
    difference += own;
    size += ownSize;
    if (bestFound === bestExpected) sameBest++;
    const relativeError = ratio(own, ownSize);
    // Written so that NaN counts as the worst.
    if (!(relativeError <= worst.relativeError)) worst = { position, relativeError };
  }
  return { relativeError: ratio(difference, size), sameBest, positions, worst };
}

function ratio(difference: number, size: number): number {
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

/** The experts of a layer's tokens; both lists hold `slots` numbers for each token. */
export interface LayerRoutes {
  readonly layer: number;
  readonly slots: number;
  readonly index: ArrayLike<number>;
}

export interface RoutesComparison {
  readonly layer: number;
  /** Choices of the expected run that the other made too, whatever their order. */
  readonly same: number;
  readonly all: number;
}

/** Compares layer by layer; a token's experts count as a set. */
export function compareRoutes(
  found: readonly LayerRoutes[],
  expected: readonly LayerRoutes[],
): readonly RoutesComparison[] {
  return expected.map(({ layer, slots, index }, number) => {
    const other = found[number]!;
    let same = 0;
    let all = 0;
    for (let token = 0; token * slots < index.length; token++) {
      const theirs = new Set(Array.from({ length: other.slots }, (_, slot) => other.index[token * other.slots + slot]));
      for (let slot = 0; slot < slots; slot++) {
        const expert = index[token * slots + slot]!;
        if (expert < 0) continue;
        all++;
        if (theirs.has(expert)) same++;
      }
    }
    return { layer, same, all };
  });
}
