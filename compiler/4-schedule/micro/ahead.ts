/**
 * Reading ahead. Weights come from memory several times slower than a tile is computed, and a tile is computed several
 * times as long as it is read: so while one tile is multiplied, words of the next one are read along, a line now and
 * then, and it lies in a cache when its turn comes. WebAssembly has no prefetch; a plain load that nothing waits for
 * does the same.
 */
import { add, mul, xor, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { i32, memoryBytes } from "../kernel-types.js";

/** Bytes of a line that a cache holds. */
export const lineBytes = 64;

/** How far ahead of a stream it is asked for: the processor itself begins anew at each page of 4 KiB. */
const pageAhead = 4096;

/**
 * Asks for the next page of a stream that is read on and on, where there is a prefetch; `elements` of it are read from
 * `at` on before this is called again. One line of many is asked for: it has the next page's address translated and its
 * reading begun, and the processor follows by itself. With `every` line asked for so far ahead, one row of q4_0 took 1.45
 * times as long on Zen 4 as with none at all. Only where each line is multiplied for long that is faster, by 5 to 8%.
 */
export function askAhead(
  k: KernelBuilder,
  buffer: BufferHandle,
  at: Expression,
  elements: number,
  every = false,
): void {
  const size = memoryBytes[buffer.element];
  const bytes = every ? elements * size : lineBytes;
  for (let line = 0; line < bytes; line += lineBytes) k.prefetch(buffer, add(at, (pageAhead + line) / size));
}

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
export function readAhead(k: KernelBuilder, ahead: Ahead, turn: Operand, step: number): void {
  const { buffer, start, sink } = ahead;
  const at = add(start, mul(turn, step));
  sink.set(xor(sink.get, k.load(buffer, at, { as: "i32" })));
}

/** Where the words that were read end: an element of memory that nobody reads. */
export function dropAhead(k: KernelBuilder, sink: Variable, buffer: BufferHandle, at: Operand): void {
  k.store(buffer, at, sink.get, { as: "i32" });
}
