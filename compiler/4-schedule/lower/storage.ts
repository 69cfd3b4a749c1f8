/**
 * Where a tensor lies: a buffer of the plan, an offset in it, and how far one moves per turn of the loops around it.
 */
import { Size } from "../../axes/size.js";

/** A place in a buffer of the plan. `strides` are bytes per turn of the enclosing plan loops, by loop name. */
export interface BufferPlace {
  readonly buffer: string;
  /** Bytes. */
  readonly offset: Size;
  readonly strides: Readonly<Record<string, number>>;
}

export function atStart(buffer: string): BufferPlace {
  return { buffer, offset: Size.zero, strides: {} };
}

export function placeKey(place: BufferPlace): string {
  const strides = Object.entries(place.strides).map(([name, bytes]) => `${name}=${bytes}`);
  return `${place.buffer}@${place.offset.key};${strides.join(",")}`;
}
