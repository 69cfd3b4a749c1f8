/** Names near to one that was not found, for "nearest names" in messages. */

/** Only so many candidates are compared: a checkpoint may have 100,000 tensors and the message needs three. */
const MAX_CANDIDATES = 5000;

/** Number of single-letter edits between two names, or `limit + 1` when there are more than `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** At most three of `names` that are a few letters away from `wanted`, nearest first. */
export function nearestNames(wanted: string, names: readonly string[]): string[] {
  if (wanted.length > 200) return [];
  const limit = Math.max(2, Math.floor(wanted.length / 5));
  return names
    .slice(0, MAX_CANDIDATES)
    .filter((name) => Math.abs(name.length - wanted.length) <= limit)
    .map((name) => ({ name, distance: editDistance(wanted, name, limit) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}
