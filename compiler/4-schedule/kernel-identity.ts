/**
 * Whether two kernels do the same: equal but for name and description. Layers of a model give the same kernel again and
 * again, so kernels are told apart by a number first and compared as a whole only when the numbers are equal.
 */
import { hashText } from "../ops/text-hash.js";
import type { Kernel } from "./kernel-ir.js";

/** A part of a kernel: plain data. */
type Part = string | number | boolean | undefined | null | readonly Part[] | { readonly [key: string]: Part };

const parts = (kernel: Kernel): readonly Part[] =>
  [kernel.buffers, kernel.scalars, kernel.blockBuffers, kernel.threads, kernel.body] as unknown as readonly Part[];

const words = new Map<string, number>();

/** A word's hash, found once. */
function wordHash(word: string): number {
  let hash = words.get(word);
  if (hash !== undefined) return hash;
  hash = hashText(word);
  words.set(word, hash);
  return hash;
}

function mixed(hash: number, next: number): number {
  const turned = Math.imul(hash ^ next, 0x9e3779b1);
  return turned ^ (turned >>> 15);
}

/**
 * Parts that the number is made of. Kernels that differ do so early, in their sizes; the rest is left to the comparison,
 * which ends at the first difference.
 */
const HASHED_PARTS = 600;

function hashOf(root: Part): number {
  let left = HASHED_PARTS;
  const visit = (part: Part): number => {
    left--;
    switch (typeof part) {
      case "string":
        return wordHash(part);
      case "number":
        return mixed(Math.trunc(part), wordHash(Number.isInteger(part) ? "i" : String(part)));
      case "object": {
        if (part === null) return 1;
        let hash = 7;
        // Types follow from the rest.
        const known = part as { readonly [key: string]: Part };
        for (const key in known) if (key !== "type" && left > 0) hash = mixed(hash, visit(known[key]));
        return hash;
      }
      default:
        return part === true ? 3 : 5;
    }
  };
  return visit(root);
}

/** Equal for kernels that do the same. */
export function kernelHash(kernel: Kernel): number {
  return hashOf(parts(kernel));
}

function same(a: Part, b: Part): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((part, index) => same(part as Part, b[index] as Part));
  }
  const [x, y] = [a as { readonly [key: string]: Part }, b as { readonly [key: string]: Part }];
  let keys = 0;
  for (const key in x) {
    keys++;
    if (!same(x[key], y[key])) return false;
  }
  for (const _ in y) keys--;
  return keys === 0;
}

/** True when only name and description differ. */
export function sameKernel(a: Kernel, b: Kernel): boolean {
  return same(parts(a), parts(b));
}
