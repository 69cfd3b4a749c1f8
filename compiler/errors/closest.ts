/**
 * Did you mean: the names that a misspelled name was perhaps meant to be, nearest first.
 */

/**
 * Edits (insert, drop, replace, swap of neighbours) that turn `a` into `b`; upper and lower case count half an edit.
 * Gives `limit + 1` as soon as the distance must be above `limit`.
 */
export function editDistance(a: string, b: string, limit = Infinity): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const replace = same ? 0 : a[i - 1]!.toLowerCase() === b[j - 1]!.toLowerCase() ? 0.5 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1);
      }
      row.push(best);
    }
    if (Math.min(...row) > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The candidates within a third of the length of `word` (at least one edit, at most three, never all of the word),
 * nearest first, ties in alphabetical order. One that differs in case only is nearest, however many letters that is.
 *
 * @example closest("sofmax", ["softmax", "max", "sum"]) // ["softmax"]
 */
export function closest(word: string, candidates: Iterable<string>, count = 1): readonly string[] {
  const limit = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  const lower = word.toLowerCase();
  const distanceTo = (candidate: string): number =>
    candidate.toLowerCase() === lower ? 0 : editDistance(word, candidate, limit);
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: distanceTo(candidate) }))
    .filter(({ distance }) => distance <= limit && distance < word.length)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}
