/**
 * Where a tensor lies: a buffer of the plan, an offset in it, and how far one moves per turn of the loops around it.
 */
import { Size } from "../../axes/size.js";
import { memoryBytes } from "../kernel-types.js";
import { blockElements } from "../micro/layouts.js";

/** A place in a buffer of the plan. `strides` are bytes per turn of the enclosing plan loops, by loop name. */
export interface BufferPlace {
  readonly buffer: string;
  /** Bytes. */
  readonly offset: Size;
  readonly strides: Readonly<Record<string, number>>;
}

/** How numbers lie in memory: one by one, or in blocks of 32 (`stored-blocks.ts`). */
export type StoredFormat = "f32" | "f16" | "bf16" | "i32" | "q8_0";

/** A block of q8_0: an f16 scale, then its quants. */
export const scaleBytes = 2;
export const blockBytes = scaleBytes + blockElements;

/** Numbers of the fewest blocks that are whole lines of 64 bytes: 32 blocks, 1088 bytes. */
export const lineNumbers = 32 * blockElements;

/** Bytes of a number; in blocks its share, so whole blocks only have whole bytes. */
export const storedBytes: Readonly<Record<StoredFormat, number>> = {
  ...memoryBytes,
  q8_0: blockBytes / blockElements,
};

export function atStart(buffer: string): BufferPlace {
  return { buffer, offset: Size.zero, strides: {} };
}

export function placeKey(place: BufferPlace): string {
  const strides = Object.entries(place.strides).map(([name, bytes]) => `${name}=${bytes}`);
  return `${place.buffer}@${place.offset.key};${strides.join(",")}`;
}
