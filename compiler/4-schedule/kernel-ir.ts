/**
 * Kernel IR: one program, four printers (WebAssembly, LLVM IR, WGSL, CUDA C++) and an interpreter.
 *
 * A kernel is a structured program over buffers: loops, branches, mutable locals, scalar and vector arithmetic. Parallel
 * work is a grid of independent blocks; the plan says how many (on a CPU a block is a chunk of work that any thread may
 * take, on a GPU a workgroup). Inside a block, `threads` run side by side, share `shared` buffers and meet at barriers;
 * CPU schedules use one thread and vectors instead. The vector width is chosen by the schedule from the target record,
 * so a printer never widens or splits a vector.
 *
 * Registers hold f32, i32, bool, and vectors of f32, i32, i16 and i8; narrow memory types (f16, bf16, i8, u8, i16) turn
 * into registers at the load and back at the store.
 */

/**
 * How one element of a buffer lies in memory. f16 and bf16 load as f32 and round to nearest even at the store; i8, u8 and
 * i16 load as i32 when scalar and keep their low bits at the store. The byte address of every access is a multiple of the
 * size of its memory type (one element, not the whole vector).
 */
export type MemoryType = "f32" | "f16" | "bf16" | "i32" | "i16" | "i8" | "u8";

/** What a register holds: `lanes` 1 is a scalar, else a power of two. i16 and i8 occur as vectors only. */
export interface RegisterType {
  readonly element: "f32" | "i32" | "i16" | "i8" | "bool";
  readonly lanes: number;
}

export interface BufferParam {
  readonly name: string;
  readonly element: MemoryType;
  readonly access: "read" | "write" | "readwrite";
}
/** Memory of one block: `shared` between its threads, or `local` to one thread. Its content at the start is undefined. */
export interface BlockBuffer {
  readonly name: string;
  readonly element: MemoryType;
  readonly space: "shared" | "local";
  readonly length: number;
}
export interface ScalarParam {
  readonly name: string;
  readonly type: "i32" | "f32";
}

/** Names of buffers, scalars, block buffers, registers and loop variables are all distinct within one kernel. */
export interface Kernel {
  readonly name: string;
  /** For people: which node of the graph it computes and how. */
  readonly doc: string;
  readonly buffers: readonly BufferParam[];
  readonly scalars: readonly ScalarParam[];
  readonly blockBuffers: readonly BlockBuffer[];
  /** Threads of one block; 1 on a CPU. */
  readonly threads: number;
  readonly body: readonly Statement[];
}

export type Statement =
  /** An immutable register. */
  | { readonly kind: "let"; readonly name: string; readonly value: Expression }
  /** A mutable register. */
  | { readonly kind: "var"; readonly name: string; readonly value: Expression }
  | { readonly kind: "assign"; readonly name: string; readonly value: Expression }
  /** `lanes` consecutive elements from `index` on, counted in elements of the buffer. */
  | {
      readonly kind: "store";
      readonly buffer: string;
      readonly index: Expression;
      readonly value: Expression;
      /** Memory type when it is not the buffer's; `index` still counts the buffer's elements. */
      readonly as?: MemoryType;
    }
  | {
      readonly kind: "for";
      readonly name: string;
      readonly from: Expression;
      /** Exclusive; `from` and `to` are evaluated once, before the first turn. */
      readonly to: Expression;
      /** A positive constant. `to + step` fits into i32. */
      readonly step: number;
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly then: readonly Statement[];
      readonly else: readonly Statement[];
    }
  /** All threads of the block; only outside of divergent control flow. */
  | { readonly kind: "barrier" }
  /** A hint that the line of memory with this element is read soon. It changes nothing, wherever the index lies. */
  | { readonly kind: "prefetch"; readonly buffer: string; readonly index: Expression }
  /**
   * An immutable register with what all threads of the block bring, folded in an order that the target chooses; `first`
   * is the value of thread 0, the same in all threads for sure, so that control flow around barriers may depend on it.
   * Waits like a barrier. The value is one f32 or i32. With `across`, a mask of bits below 32, only threads whose numbers
   * differ in these bits alone fold theirs together (targets whose threads hand each other registers).
   */
  | {
      readonly kind: "block-fold";
      readonly name: string;
      readonly op: FoldOp;
      readonly value: Expression;
      readonly across?: number;
    }
  /** i32 only; the old value goes to `result` when it is named. */
  | {
      readonly kind: "atomic-add";
      readonly buffer: string;
      readonly index: Expression;
      readonly value: Expression;
      readonly result?: string;
    }
  | FragmentStatement;

/** What an element of a fragment is: of a factor as it lies in memory, of a sum as it is added up. */
export type FragmentElement = "f16" | "bf16" | "i8" | "f32" | "i32";
/**
 * Which way the lines of a matrix in memory go: elements of a row lie side by side, or those of a column. `words` is for
 * right factors: a line has as many rows as fill four bytes, and in it these elements of a column lie side by side.
 */
export type FragmentOrder = "rows" | "columns" | "words";
/** Elements of a buffer from `index` on. */
export interface FragmentPlace {
  readonly buffer: string;
  readonly index: Expression;
}

/**
 * A fragment is a small matrix in registers that `fragmentThreads` neighbouring threads hold together (the one thread of
 * a block that has one): what tensor cores multiply. Which shapes there are is the target's; flow around these statements
 * and their indices are the same for all threads that hold one.
 */
export type FragmentStatement =
  /** Declares a fragment of zeros, anew each time it is passed. `sum` is `left` times `right` added up: f32 or i32. */
  | {
      readonly kind: "fragment";
      readonly name: string;
      readonly role: "left" | "right" | "sum";
      readonly element: FragmentElement;
      readonly rows: number;
      readonly columns: number;
    }
  /** Lines of the matrix are `stride` elements apart in memory. Which fragments are loaded, and in which orders, is the target's. */
  | (FragmentPlace & {
      readonly kind: "fragment-load";
      readonly fragment: string;
      readonly stride: number;
      readonly order: FragmentOrder;
    })
  /** sum += left * right. Products are exact; in which order they are added, and how f32 sums round, is the target's. */
  | { readonly kind: "fragment-multiply"; readonly sum: string; readonly left: string; readonly right: string }
  /** sum[r][c] += part[r][c] * rows[r] * columns[c] with an i32 sum `part` and f32 memory for rows and columns. */
  | {
      readonly kind: "fragment-scale";
      readonly sum: string;
      readonly part: string;
      readonly rows: FragmentPlace;
      readonly columns: FragmentPlace;
    }
  /** sum[r][c] *= rows[r] with an f32 sum and f32 memory. */
  | { readonly kind: "fragment-scale-rows"; readonly sum: string; readonly rows: FragmentPlace }
  /** Only sums are stored. */
  | (FragmentPlace & {
      readonly kind: "fragment-store";
      readonly fragment: string;
      readonly stride: number;
      readonly order: FragmentOrder;
    });

/** How the values of the threads of a block become one. */
export type FoldOp = "add" | "min" | "max" | "first";

export type UnaryOp =
  | "neg"
  | "abs"
  | "floor"
  | "ceil"
  /** Half to even. */
  | "round"
  | "sqrt"
  | "exp"
  | "log"
  | "sin"
  | "cos"
  | "tanh"
  /** Of bool, or of every bit of an integer. */
  | "not";

/**
 * i32 arithmetic wraps. `div` and `rem` on i32 truncate toward zero; a zero divisor and -2^31 / -1 are errors of the
 * schedule. The right operand of a shift is an i32 scalar, taken modulo the width of a lane; `shr` keeps the sign, `shru`
 * does not. `min` and `max` on f32 give NaN when either operand is, and order -0 before 0. Comparisons give bool lanes;
 * with a NaN only `ne` holds.
 */
export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "rem"
  | "min"
  | "max"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "shru"
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge";

export type Expression = { readonly type: RegisterType } & (
  | { readonly kind: "constant"; readonly value: number }
  /** A register, a loop variable or a scalar parameter. */
  | { readonly kind: "get"; readonly name: string }
  /** The number of this block in the grid. */
  | { readonly kind: "block" }
  /** The number of this thread in its block. */
  | { readonly kind: "thread" }
  /**
   * `type.lanes` consecutive elements; a load of i8 lanes with `type.element` i32 widens each lane. `as` reads bytes of
   * the buffer as another memory type; `index` still counts the buffer's own elements. Bytes as lanes of i8 or i16: i8
   * lanes take the bits of i8 and u8 memory as they are, i16 lanes those of i16, or i8 and u8 widened.
   */
  | {
      readonly kind: "load";
      readonly buffer: string;
      readonly index: Expression;
      readonly as?: MemoryType;
      /** The caller promises that no f16 element is infinite or NaN (packed weights), which some targets read faster. */
      readonly finite?: true;
      /** The address is a multiple of the size of the whole vector, so that a target may read it at once. */
      readonly aligned?: true;
    }
  | { readonly kind: "unary"; readonly op: UnaryOp; readonly operand: Expression }
  | { readonly kind: "binary"; readonly op: BinaryOp; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "select"; readonly condition: Expression; readonly yes: Expression; readonly no: Expression }
  /** a * b + c on f32; whether it rounds once or twice is the target's choice. */
  | { readonly kind: "fma"; readonly a: Expression; readonly b: Expression; readonly c: Expression }
  /** Number conversion; f32 to i32 truncates and saturates, NaN to 0; bool to 0 and 1. */
  | { readonly kind: "convert"; readonly operand: Expression }
  /** The same bits under another type of the same width, least significant lane first. Not for bool. */
  | { readonly kind: "bitcast"; readonly operand: Expression }
  | { readonly kind: "splat"; readonly operand: Expression }
  /** A vector from as many scalars. */
  | { readonly kind: "join"; readonly operands: readonly Expression[] }
  | { readonly kind: "extract"; readonly operand: Expression; readonly lane: number }
  /** Lane i of the result is lane `lanes[i]` of the concatenation of a and b. */
  | { readonly kind: "shuffle"; readonly a: Expression; readonly b: Expression; readonly lanes: readonly number[] }
  /** Half of the lanes, each twice as wide: i8 to i16, i16 to i32. */
  | {
      readonly kind: "widen";
      readonly operand: Expression;
      readonly half: "low" | "high";
      readonly signed: boolean;
    }
  /** i16 x 2n, i16 x 2n -> i32 x n: products of neighbours added in pairs. */
  | { readonly kind: "dot-pairs"; readonly a: Expression; readonly b: Expression }
  /**
   * Four i8 neighbours multiplied and added to each i32 lane: a signed, b in 0..127 when `b7` is set (the condition under
   * which relaxed SIMD and vpdpbusd agree), in 0..255 when `unsigned` is set, else signed. With `either` b is signed or
   * in 0..255 as the machine likes, the same way in all kernels. `accumulator` has a quarter of the lanes.
   */
  | {
      readonly kind: "dot-quads";
      readonly a: Expression;
      readonly b: Expression;
      readonly accumulator: Expression;
      readonly b7: boolean;
      readonly unsigned?: true;
      readonly either?: true;
    }
  /**
   * i8 x 2n signed, i8 x 2n in 0..127 -> i16 x n: products of neighbours added in pairs; the caller proves that the sum
   * fits into 16 bits.
   */
  | { readonly kind: "dot-pairs-i8"; readonly a: Expression; readonly b: Expression }
  /** All lanes to one scalar, in the order of a binary tree over neighbours: (0 + 1) + (2 + 3). */
  | { readonly kind: "reduce"; readonly op: "add" | "min" | "max"; readonly operand: Expression }
);
