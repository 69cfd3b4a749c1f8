/**
 * What this WebAssembly engine can do, found by asking it to validate a tiny module for each feature: version numbers
 * and user-agent strings lie.
 */

/** Magic and version, then a type section with one function type: no parameters, one v128. */
const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, /* types */ 1, 5, 1, 0x60, 0, 1, 0x7b, /* functions */ 3, 2, 1, 0];
const I32_ZERO = [0x41, 0];
const I8X16_SPLAT = [0xfd, 0x0f];
const END = 0x0b;

function probe(body: readonly number[]): boolean {
  const code = [0, ...body, END];
  return WebAssembly.validate(new Uint8Array([...HEAD, 10, code.length + 2, 1, code.length, ...code]));
}

export interface WasmFeatures {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  /**
   * The sum of four products of bytes is one instruction and exact for all bytes, signed or unsigned. Where the processor
   * has no such instruction, engines build it from one that saturates pairs.
   */
  readonly quads: boolean;
  /** Memory that threads can share. */
  readonly sharedMemory: boolean;
}

/** Asks the engine. Cheap; the answer may change when the host turns a feature on. */
export function wasmFeatures(): WasmFeatures {
  // i8x16.popcnt, and i8x16.relaxed_swizzle (0x100 in LEB128).
  const simd = probe([...I32_ZERO, ...I8X16_SPLAT, 0xfd, 0x62]);
  const relaxedSimd = probe([...I32_ZERO, ...I8X16_SPLAT, ...I32_ZERO, ...I8X16_SPLAT, 0xfd, 0x80, 0x02]);
  return { simd, relaxedSimd, quads: relaxedSimd && hasExactQuads(), sharedMemory: canShareMemory() };
}

/** Products of bytes whose top bits are set: saturated, or as small as if the bytes had seven bits, they are wrong. */
export const QUAD_PRODUCTS = [
  [1, 128],
  [127, 255],
  [-128, 255],
  [-127, 129],
  [3, 200],
] as const;

/** A module with `f(a, b)`: lane 3 of the sums of four products of sixteen a and sixteen b, on top of 1. */
export function quadModule(): Uint8Array<ArrayBuffer> {
  const body = [
    ...[0x20, 0, ...I8X16_SPLAT, 0x20, 1, ...I8X16_SPLAT],
    // i32x4.splat 1, i32x4.relaxed_dot_i8x16_i7x16_add_s (0x113 in LEB128), i32x4.extract_lane 3
    ...[0x41, 1, 0xfd, 0x11, 0xfd, 0x93, 0x02, 0xfd, 0x1b, 3],
  ];
  const code = [0, ...body, END];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[/* types */ 1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, /* functions */ 3, 2, 1, 0],
    ...[/* exports */ 7, 5, 1, 1, 0x66, 0, 0, /* code */ 10, code.length + 2, 1, code.length, ...code],
  ]);
}

/** Whether what `f` of `quadModule` gives for QUAD_PRODUCTS is exact, with all second bytes read in the same way. */
export function areExactQuads(found: readonly number[]): boolean {
  const isExact = (byte: (b: number) => number): boolean =>
    QUAD_PRODUCTS.every(([a, b], i) => found[i] === 4 * a * byte(b) + 1);
  return isExact((b) => b) || isExact((b) => b - 256);
}

/** Asks the engine's i32x4.relaxed_dot_i8x16_i7x16_add_s; a page that may not compile code has no use for it either. */
function hasExactQuads(): boolean {
  try {
    const { f } = new WebAssembly.Instance(new WebAssembly.Module(quadModule())).exports as {
      f: (a: number, b: number) => number;
    };
    return areExactQuads(QUAD_PRODUCTS.map(([a, b]) => f(a, b)));
  } catch {
    return false;
  }
}

function canShareMemory(): boolean {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}
