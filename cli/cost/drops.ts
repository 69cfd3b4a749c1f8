/** How many choices find no place at experts of a bounded capacity. */

/** Chances relative to the greatest one below which no more are counted. */
const LEAST = 2 ** -100;

/**
 * Share of the choices that is too much when each of `tokens` chooses `slots` of `experts` evenly at random, and an expert
 * takes `capacity`: the mean of what a binomial number (tokens, slots / experts) has above the capacity, over its mean.
 */
export function expectedDrops(tokens: number, slots: number, experts: number, capacity: number): number {
  const chance = Math.min(1, slots / experts);
  const mean = tokens * chance;
  if (mean === 0 || capacity >= tokens) return 0;
  if (chance === 1) return (tokens - capacity) / tokens;
  const odds = chance / (1 - chance);
  let all = 0;
  let above = 0;
  const count = (taken: number, weight: number): void => {
    all += weight;
    above += weight * Math.max(0, taken - capacity);
  };
  // Up and down from the likeliest number, which has weight 1: a sequence may have billions of tokens.
  const likeliest = Math.floor((tokens + 1) * chance);
  for (let taken = likeliest, weight = 1; taken <= tokens && weight > LEAST; taken++) {
    count(taken, weight);
    weight *= ((tokens - taken) / (taken + 1)) * odds;
  }
  for (let taken = likeliest, weight = 1; taken > 0; taken--) {
    weight *= taken / ((tokens - taken + 1) * odds);
    if (weight <= LEAST) break;
    count(taken - 1, weight);
  }
  return above / all / mean;
}
