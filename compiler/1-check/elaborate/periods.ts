/** Repeated stretches of a sequence: how the layers of a stack become loops. */

/** `turns` times the `length` items that begin at `start`. */
export interface Period {
  readonly start: number;
  readonly length: number;
  readonly turns: number;
}

/**
 * The sequence as loops that together hold the fewest items: `AAAB` is 3 A and 1 B, `ABABAB` is 3 AB, `AABAABC` is 2 AAB
 * and 1 C. Of two ways with as many items it is the one with fewer loops. A stretch that happens once is taken item by
 * item, so that a loop of one turn has one item.
 */
export function periodsOf(keys: readonly string[]): readonly Period[] {
  const total = keys.length;
  // Best way from each item to the end, found from the end.
  const best: { readonly items: number; readonly loops: number; readonly first?: Period }[] = [];
  best[total] = { items: 0, loops: 0 };
  // For the start at hand: how many items from there on equal those `length` later.
  const equal = new Int32Array(total + 1);
  for (let start = total - 1; start >= 0; start--) {
    for (let length = 1; start + length <= total; length++) {
      const isSame = start + length < total && keys[start] === keys[start + length];
      equal[length] = isSame ? equal[length]! + 1 : 0;
      const turns = 1 + Math.floor(equal[length]! / length);
      if (turns === 1 && length > 1) continue;
      const rest = best[start + length * turns]!;
      const items = length + rest.items;
      const loops = 1 + rest.loops;
      const known = best[start];
      if (known && (known.items < items || (known.items === items && known.loops <= loops))) continue;
      best[start] = { items, loops, first: { start, length, turns } };
    }
  }
  const periods: Period[] = [];
  for (let at = 0; at < total;) {
    const { first } = best[at]!;
    periods.push(first!);
    at += first!.length * first!.turns;
  }
  return periods;
}
