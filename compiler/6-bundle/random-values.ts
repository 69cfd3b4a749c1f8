/** Numbers that depend only on a key: for models without weights. */

import { hashText } from "../ops/text-hash.js";

/** 32 mixed bits of a counter (splitmix32). */
function mix(counter: number): number {
  let z = (counter + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** `count` whole numbers below 2 ** bits, all equally likely. */
export function codeValues(key: string, count: number, bits: number): Float32Array {
  const start = hashText(key);
  return Float32Array.from({ length: count }, (_, i) => mix(start ^ mix(i)) >>> (32 - bits));
}

/** `count` numbers of mean 0 and the given deviation, by Box and Muller's transform. */
export function normalValues(key: string, count: number, deviation: number): Float32Array {
  const start = hashText(key);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    // Never 0, so that the logarithm is finite.
    const u = (mix(start ^ mix(i)) + 1) / (2 ** 32 + 1);
    const v = mix(start ^ mix(i + 1)) / 2 ** 32;
    const radius = deviation * Math.sqrt(-2 * Math.log(u));
    values[i] = radius * Math.cos(2 * Math.PI * v);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(2 * Math.PI * v);
  }
  return values;
}
