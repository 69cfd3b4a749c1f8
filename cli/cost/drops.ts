/** How many choices find no place at experts of a bounded capacity. */

/**
 * Share of the choices that is too much when each of `tokens` chooses `slots` of `experts` evenly at random, and an expert
 * takes `capacity`: the mean of what a binomial number (tokens, slots / experts) has above the capacity, over its mean.
 */
export function expectedDrops(tokens: number, slots: number, experts: number, capacity: number): number {
  const chance = Math.min(1, slots / experts);
  const mean = tokens * chance;
  if (mean === 0 || capacity >= tokens) return 0;
  if (chance === 1) return (tokens - capacity) / tokens;
  // E[max(X - c, 0)] = E[X] - c + E[max(c - X, 0)], whose last part is a sum of c terms.
  let logarithm = tokens * Math.log1p(-chance);
  let short = 0;
  for (let taken = 0; taken < capacity; taken++) {
    short += (capacity - taken) * Math.exp(logarithm);
    logarithm += Math.log((tokens - taken) / (taken + 1)) + Math.log(chance) - Math.log1p(-chance);
  }
  return Math.max(0, mean - capacity + short) / mean;
}
