/**
 * The one rule of choice, used by every op that selects: larger first, ties to the lowest index, NaN never.
 */

/** Indices of the `k` best of `count` scores, best first; fewer when not enough may be chosen. */
export function bestOf(count: number, k: number, score: (index: number) => number): number[] {
  const best: number[] = [];
  for (let index = 0; index < count && k > 0; index++) {
    const value = score(index);
    if (Number.isNaN(value)) continue;
    if (best.length === k && !(value > score(best[k - 1]!))) continue;
    // Insert behind everything that is at least as good: equal scores keep the order of their indices.
    let at = best.length;
    while (at > 0 && value > score(best[at - 1]!)) at--;
    best.splice(at, 0, index);
    if (best.length > k) best.pop();
  }
  return best;
}
