/** How far two runs of the same model are apart: numbers, the tokens that follow from them, and the routes. */

export interface RowsComparison {
  /** Root of the summed squared differences over that of the expected numbers. */
  readonly relativeError: number;
  /** Positions whose largest number is at the same place. */
  readonly sameBest: number;
  readonly positions: number;
  /** The position with the largest error of its own; one that stands out is a sign of a local fault. */
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
    // NaN is worse than any number, and the first one stays.
    if (!Number.isNaN(worst.relativeError) && !(relativeError <= worst.relativeError)) {
      worst = { position, relativeError };
    }
  }
  return { relativeError: ratio(difference, size), sameBest, positions, worst };
}

function ratio(difference: number, size: number): number {
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

/** The experts of a layer's tokens; both lists hold `slots` numbers for each token. */
export interface LayerRoutes {
  readonly layer: number;
  /** The layer as people know it: the path of its experts. */
  readonly name: string;
  readonly slots: number;
  /** How many choices these are, equally long: several where heads choose for themselves, else one. */
  readonly choices?: number;
  /** Whether there is a row of slots for each token of the call. */
  readonly byToken?: boolean;
  /** Names of the axes of the choices in their order, where they are known. */
  readonly axes?: readonly string[];
  readonly index: ArrayLike<number>;
}

export interface RoutesComparison {
  /** Counted over all mixtures. */
  readonly layer: number;
  readonly name: string;
  /** Choices of the expected run that the other made too, whatever their order. */
  readonly same: number;
  readonly all: number;
}

/**
 * Compares layer by layer; the experts of a choice count as a set.
 *
 * @throws RangeError when the two runs have other rows: one of them says wrongly what it kept.
 */
export function compareRoutes(
  found: readonly LayerRoutes[],
  expected: readonly LayerRoutes[],
): readonly RoutesComparison[] {
  return expected.map(({ layer, name, slots, choices = 1, index }, number) => {
    const other = found[number];
    if (other?.slots !== slots || other.index.length !== index.length) {
      const rows = (one: Pick<LayerRoutes, "slots" | "index"> | undefined): string =>
        `${one?.index.length ?? 0} choices in rows of ${one?.slots ?? 0}`;
      throw new RangeError(`${name} has ${rows(other)}, and ${rows({ slots, index })} were expected`);
    }
    const own = slots / choices;
    let same = 0;
    let all = 0;
    for (let choice = 0; choice * own < index.length; choice++) {
      const theirs = new Set(Array.from({ length: own }, (_, slot) => other.index[choice * own + slot]));
      for (let slot = 0; slot < own; slot++) {
        const expert = index[choice * own + slot]!;
        if (expert < 0) continue;
        all++;
        if (theirs.has(expert)) same++;
      }
    }
    return { layer, name, same, all };
  });
}

/**
 * How many tokens from the first on have the same experts in every layer of both runs: Infinity when all routes are the
 * same, and 0 when some differ and rows are not tokens everywhere, for then nobody knows whose they are.
 */
export function tokensBeforeChange(found: readonly LayerRoutes[], expected: readonly LayerRoutes[]): number {
  if (compareRoutes(found, expected).every(({ same, all }) => same === all)) return Infinity;
  if (!found.every(({ byToken }) => byToken)) return 0;
  const counts = expected.map(({ slots, index }, number) => {
    const tokens = index.length / slots;
    for (let token = 0; token < tokens; token++) {
      const part = (routes: LayerRoutes): LayerRoutes => ({
        ...routes,
        index: Array.from({ length: routes.slots }, (_, slot) => routes.index[token * routes.slots + slot]!),
      });
      const [compared] = compareRoutes([part(found[number]!)], [part(expected[number]!)]);
      if (compared!.same < compared!.all) return token;
    }
    return tokens;
  });
  return Math.min(...counts);
}

/**
 * Whether rounding explains what the kernels add. A token on the edge between two experts may go to the other one, and
 * what follows differs then by right: up to there the numbers must agree, and there must be some.
 *
 * @param rows Numbers of both runs; a row for each token, else only the whole counts.
 */
export function isExplained(
  { found, expected, width }: { found: ArrayLike<number>; expected: ArrayLike<number>; width: number },
  tokens: number,
  before: number,
  bound: number,
): boolean {
  if (compareRows(found, expected, width).relativeError <= bound) return true;
  // Without a change, or before any token of which it is known, only the whole counts.
  if (before === 0 || before >= tokens || expected.length !== tokens * width) return false;
  const first = (numbers: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: before * width }, (_, at) => numbers[at]!);
  return compareRows(first(found), first(expected), width).relativeError <= bound;
}
