/** A memory with one buffer of every type, filled from a seed, and comparison of what kernels left there. */
import { memoryBytes } from "../../compiler/4-schedule/kernel-types.js";
import { f16ToF32, bf16ToF32 } from "../../compiler/checkpoints/half.js";
import { bufferLength, bufferTypes } from "./random-kernel.js";

/** Byte address of each buffer of a random kernel; the first 1024 bytes stay empty, as the ABI asks. */
export const addresses = bufferTypes.map((_, i) => 1024 + i * 512);
export const memorySize = 65536;

/** Numbers 0 <= x < 1 from a seed. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Floats of many sizes, subnormals and NaN among them, and arbitrary integers. */
export function fill(memory: ArrayBufferLike, seed: number): void {
  const next = random(seed);
  const view = new DataView(memory);
  bufferTypes.forEach((type, i) => {
    for (let j = 0; j < bufferLength; j++) {
      const at = addresses[i]! + j * memoryBytes[type];
      if (type === "f32") {
        const special = [NaN, Infinity, -Infinity, -0, 1e-42, 3e38];
        const pick = Math.floor(next() * 40);
        view.setFloat32(at, special[pick] ?? (next() - 0.5) * 2 ** Math.floor(next() * 40 - 20), true);
      } else if (memoryBytes[type] === 4) view.setInt32(at, next() * 2 ** 32, true);
      else if (memoryBytes[type] === 2) view.setUint16(at, next() * 65536, true);
      else view.setUint8(at, next() * 256);
    }
  });
}

/** Where two memories differ, if they do; all NaN are equal. */
export function difference(found: ArrayBufferLike, wanted: ArrayBufferLike): string | undefined {
  const [a, b] = [new DataView(found), new DataView(wanted)];
  for (const [i, type] of bufferTypes.entries()) {
    for (let j = 0; j < bufferLength; j++) {
      const size = memoryBytes[type];
      const at = addresses[i]! + j * size;
      const bits = (view: DataView): number =>
        size === 4 ? view.getInt32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at);
      if (bits(a) === bits(b)) continue;
      const value = (view: DataView): number =>
        type === "f32"
          ? view.getFloat32(at, true)
          : type === "f16"
            ? f16ToF32(bits(view))
            : type === "bf16"
              ? bf16ToF32(bits(view))
              : bits(view);
      if (Number.isNaN(value(a)) && Number.isNaN(value(b))) continue;
      return `${type}[${j}]: ${value(a)} (0x${(bits(a) >>> 0).toString(16)}) instead of ${value(b)} (0x${(bits(b) >>> 0).toString(16)})`;
    }
  }
  return undefined;
}
