/**
 * What a printer of scalar source text has to say: how its language spells types, operators and memory. Kernel IR for
 * such targets has no vectors left: each lane of a vector register is a variable of its own, because a GPU thread works
 * on scalars and its compiler joins neighbouring accesses again.
 */
import type { Conversion } from "../../4-schedule/kernel-conversions.js";
import type { FunctionOp } from "../../4-schedule/kernel-functions.js";
import type { FragmentDeclaration } from "../../4-schedule/kernel-fragments.js";
import type {
  BinaryOp,
  BlockBuffer,
  BufferParam,
  FoldOp,
  FragmentPlace,
  FragmentStatement,
  MemoryType,
  UnaryOp,
} from "../../4-schedule/kernel-ir.js";

/** What a variable holds. Lanes of i16 and i8 are i32 variables that carry the sign in their high bits. */
export type Scalar = "f32" | "i32" | "bool";

/** Function of the kernel math library that printed text calls. */
export type LibraryFunction = FunctionOp | Conversion;

/** A buffer as the printed text names it. */
export interface PrintedBuffer {
  readonly name: string;
  readonly element: MemoryType;
  readonly space: "global" | BlockBuffer["space"];
  readonly access: BufferParam["access"];
}

/** One element of a buffer, as an access names it. */
export interface PrintedPlace {
  readonly buffer: PrintedBuffer;
  /** How the bytes are read or written. */
  readonly memory: MemoryType;
  /** An i32 variable or constant: first element of the access, counted in elements of the buffer. */
  readonly index: string;
  /** The lane of the access: counted in elements of `memory` from there on. */
  readonly lane: number;
}

export interface Dialect {
  /** The statement that gives a name to a value, with its semicolon. */
  declare(mutable: boolean, type: Scalar, name: string, value: string): string;
  /** The same for a value whose type the language finds itself. */
  keep(name: string, value: string): string;
  constant(type: Scalar, value: number): string;
  /**
   * f32, bool or i32 operands; the right operand of a shift is masked already.
   *
   * @param index The value is part of an index and does not overflow.
   */
  binary(op: BinaryOp, type: Scalar, a: string, b: string, index: boolean): string;
  unary(op: Exclude<UnaryOp, FunctionOp>, type: Scalar, a: string): string;
  select(type: Scalar, condition: string, yes: string, no: string): string;
  fma(a: string, b: string, c: string): string;
  /** f32 to i32 truncates and saturates, NaN to 0; bool to 0 and 1. */
  convert(from: Scalar, to: "f32" | "i32", a: string): string;
  /** The same 32 bits. */
  bits(to: "f32" | "i32", a: string): string;
  /** Low bits of an i32, with their sign. */
  signed(width: 8 | 16, a: string): string;
  /** Four signed bytes of `a` times four of `b`, added to `c`; all are i32. */
  dotBytes(a: string, b: string, c: string): string;
  /** The value of one element, as f32 or i32. */
  load(place: PrintedPlace): string;
  /**
   * The values of an aligned vector, when this memory is read so; `keep` gives a name to a text of any type.
   */
  loadVector?(place: PrintedPlace, lanes: number, keep: (text: string) => string): readonly string[] | undefined;
  /** Statements that store a value; f16 and bf16 memory gets what `half` makes of it. */
  store(place: PrintedPlace, value: string, half: (conversion: Conversion, value: string) => string): readonly string[];
  /** An expression that adds to an i32 element and gives its old value. */
  atomicAdd(place: PrintedPlace, value: string): string;
  /** What the threads of a block bring, folded, in all of them; or in those that differ in some bits (`across`) alone. */
  blockFold(op: FoldOp, type: "f32" | "i32", value: string, across?: number): string;
  /**
   * A statement of fragments; absent where a language has none.
   *
   * @param find What a fragment was declared as.
   * @param nameOf The identifier of a fragment.
   * @param place The buffer as it is printed, and the index.
   */
  fragment?(
    statement: FragmentStatement,
    find: (fragment: string) => FragmentDeclaration,
    nameOf: (fragment: string) => string,
    place: (place: FragmentPlace) => Pick<PrintedPlace, "buffer" | "index">,
  ): string;
  /** A statement that evaluates and forgets. */
  ignore(value: string): string;
  /** Head of a loop, with its brace. */
  loop(name: string, from: string, to: string, step: number): string;
  readonly barrier: readonly string[];
  /** The numbers of the block and of the thread, as the printed kernel defines them. */
  readonly block: string;
  readonly thread: string;
  /** Head of a function of one parameter, with its brace. */
  functionHead(name: string, parameter: string, from: Scalar, to: Scalar): string;
}
