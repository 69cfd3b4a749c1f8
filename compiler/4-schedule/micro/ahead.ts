/**
 * Reading ahead. Weights come from memory several times slower than a tile is computed, and a tile is computed several
 * times as long as it is read: so while one tile is multiplied, words of the next one are read along, a line now and
 * then, and it lies in a cache when its turn comes. WebAssembly has no prefetch; a plain load that nothing waits for
 * does the same.
 */
import { add, mul, xor, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { i32 } from "../kernel-types.js";

/** Bytes of a line that a cache holds. */
export const lineBytes = 64;

/**
 * How far ahead of a stream its lines are asked for, where there is a prefetch: the processor itself begins anew at each
 * page of 4 KiB.
 */
export const pageAhead = 4096;

/** A stretch of memory that will be needed soon. */
export interface Ahead {
  readonly buffer: BufferHandle;
  /** First element. */
  readonly start: Expression;
  /** Collects what was read, so that the loads are not left out. */
  readonly sink: Variable;
}

/** A register for `Ahead.sink`. */
export const sinkOf = (k: KernelBuilder): Variable => k.variable("ahead", 0, i32);

/** Read the word at element `start + turn * step` of the stretch. */
export function readAhead(k: KernelBuilder, ahead: Ahead, turn: Operand, step: number, more = 0): void {
  const { buffer, start, sink } = ahead;
  const at = add(add(start, mul(turn, step)), more);
  sink.set(xor(sink.get, k.load(buffer, at, { as: "i32" })));
}

/** Where the words that were read end: an element of memory that nobody reads. */
export function dropAhead(k: KernelBuilder, sink: Variable, buffer: BufferHandle, at: Operand): void {
  k.store(buffer, at, sink.get, { as: "i32" });
}
