/**
 * binaryen as this printer uses it: its builder, and the few relaxed instructions that its JavaScript builder lacks but
 * its C interface has.
 */
import binaryen from "binaryen";

export type Ref = binaryen.ExpressionRef;
export type WasmModule = binaryen.Module;
export type WasmType = binaryen.Type;

interface RawInterface {
  readonly _BinaryenSIMDTernary: (module: number, op: number, a: Ref, b: Ref, c: Ref) => Ref;
  readonly _BinaryenBinary: (module: number, op: number, a: Ref, b: Ref) => Ref;
  readonly RelaxedMaddVecF32x4: number;
  readonly RelaxedLaneselectI32x4: number;
  readonly RelaxedDotI8x16I7x16SToVecI16x8: number;
  readonly RelaxedDotI8x16I7x16AddSToVecI32x4: number;
}
const raw = binaryen as unknown as RawInterface;

/** Instructions of relaxed SIMD. */
export const relaxed = {
  /** a * b + c */
  madd: (m: WasmModule, a: Ref, b: Ref, c: Ref): Ref =>
    raw._BinaryenSIMDTernary(m.ptr, raw.RelaxedMaddVecF32x4, a, b, c),
  /** Lanes of `yes` where the lane of `mask` has all bits set, of `no` where it has none. */
  select32: (m: WasmModule, yes: Ref, no: Ref, mask: Ref): Ref =>
    raw._BinaryenSIMDTernary(m.ptr, raw.RelaxedLaneselectI32x4, yes, no, mask),
  /** Signed i8 times 0..127, neighbours added. */
  dotPairs: (m: WasmModule, a: Ref, b: Ref): Ref =>
    raw._BinaryenBinary(m.ptr, raw.RelaxedDotI8x16I7x16SToVecI16x8, a, b),
  /** Signed i8 times 0..127 (times more where the engine is exact), four neighbours added to a lane of `sum`. */
  dotQuads: (m: WasmModule, a: Ref, b: Ref, sum: Ref): Ref =>
    raw._BinaryenSIMDTernary(m.ptr, raw.RelaxedDotI8x16I7x16AddSToVecI32x4, a, b, sum),
};

/** Memory without a maximum; shared memory must have one. */
const unlimited = -1;

/** An empty module with one memory, imported as `env.memory`, that takes any size up to 4 GiB. */
export function emptyModule(options: { readonly relaxed: boolean; readonly threads: boolean }): WasmModule {
  const { Features } = binaryen;
  const m = new binaryen.Module();
  let features =
    Features.SIMD128 | Features.BulkMemory | Features.MutableGlobals | Features.SignExt | Features.NontrappingFPToInt;
  if (options.relaxed) features |= Features.RelaxedSIMD;
  if (options.threads) features |= Features.Atomics;
  m.setFeatures(features);
  // The memory must be set before it is imported, or the import is dropped without a word.
  m.setMemory(options.threads ? 1 : 0, options.threads ? 65536 : unlimited, null, [], options.threads, false, "0");
  m.addMemoryImport("0", "env", "memory", options.threads);
  return m;
}

export const wasmTypes = {
  none: binaryen.none,
  i32: binaryen.i32,
  f32: binaryen.f32,
  v128: binaryen.v128,
} as const;

export const tuple = (types: readonly WasmType[]): WasmType => binaryen.createType([...types]);
