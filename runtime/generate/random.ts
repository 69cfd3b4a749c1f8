/**
 * Random numbers that are the same on every host: xoshiro128** (Blackman and Vigna 2018), seeded through splitmix32.
 */

/** Gives numbers in [0, 1) with 32 random bits each. */
export type RandomSource = () => number;

/** A generator for `seed`; any finite number is a seed, equal seeds give equal sequences. */
export function randomSource(seed: number): RandomSource {
  let mixed = Math.trunc(seed) | 0;
  // The high half of large seeds counts too, so that 1 and 1 + 2^32 differ.
  mixed ^= Math.imul(Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9);
  const next = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, d] = [next(), next(), next(), next()];
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return (result >>> 0) / 2 ** 32;
  };
}
