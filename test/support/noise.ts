/** Numbers that are decided by a name, a seed and a position: the weights of the tests' small models. */
import { hashText } from "../../compiler/ops/text-hash.js";

/** Uniform in [-1, 1) from a counter: the finalizer of MurmurHash3, whose bits are as good as independent. */
function uniform(counter: number): number {
  let h = counter >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}

/** `count` numbers, uniform in `middle` ± `spread`. */
export function noise(
  name: string,
  count: number,
  { seed = 1, middle = 0, spread = 1 }: { seed?: number; middle?: number; spread?: number },
): Float32Array {
  const start = Math.imul(hashText(name), 0x9e3779b1) + Math.imul(seed, 0x6c078965);
  return Float32Array.from({ length: count }, (_, i) => middle + spread * uniform(start + i));
}
