/**
 * Dot products of i8 lanes. With relaxed SIMD one instruction where the second operand lies in 0..127; otherwise products
 * of the even and of the odd bytes in i16 lanes, which are exact: |a * b| <= 2^14.
 */
import { signedDotQuads } from "../../4-schedule/kernel-expressions.js";
import type { Expression } from "../../4-schedule/kernel-ir.js";
import type { EmitExpression, WasmFunction } from "./function.js";
import * as wasm from "./instructions.js";
import type { Ref } from "./instructions.js";

/** 1 in each i16 lane. */
const ones = Uint8Array.from({ length: 16 }, (_, byte) => (byte + 1) & 1);

/** Products of the even and of the odd bytes of two vectors of signed bytes. */
function products(f: WasmFunction, a: Ref, b: Ref): readonly [Ref, Ref] {
  const { i16x8, i32 } = wasm;
  const eight = (): Ref => i32.const(8);
  const left = f.shared(a, wasm.types.v128);
  const right = f.shared(b, wasm.types.v128);
  const even = (vector: Ref): Ref => i16x8.shr_s(i16x8.shl(vector, eight()), eight());
  const evens = i16x8.mul(even(left.tee), even(right.tee));
  return [evens, i16x8.mul(i16x8.shr_s(left.again(), eight()), i16x8.shr_s(right.again(), eight()))];
}

export function emitDot(
  f: WasmFunction,
  dot: Expression & { kind: "dot-pairs" | "dot-pairs-i8" | "dot-quads" },
  emit: EmitExpression,
): Ref {
  if (dot.kind === "dot-quads" && dot.unsigned) return emit(f, signedDotQuads(dot));
  const a = emit(f, dot.a);
  const b = emit(f, dot.b);
  switch (dot.kind) {
    case "dot-pairs":
      return wasm.i32x4.dot_i16x8_s(a, b);
    case "dot-pairs-i8": {
      if (f.features.relaxed) return wasm.relaxed.dotPairs(a, b);
      const [evens, odds] = products(f, a, b);
      return wasm.i16x8.add(evens, odds);
    }
    case "dot-quads": {
      const accumulator = emit(f, dot.accumulator);
      if (f.features.quads && (dot.either || dot.b7)) return wasm.relaxed.dotQuads(a, b, accumulator);
      if (f.features.relaxed && dot.b7) {
        // Pairs fit into i16: 2 * 128 * 127 < 2^15. The one instruction for quads gives wrong sums in V8 11.
        return wasm.i32x4.add(wasm.i32x4.dot_i16x8_s(wasm.relaxed.dotPairs(a, b), f.vectorConstant(ones)), accumulator);
      }
      const [evens, odds] = products(f, a, b);
      // Evens first: they set the locals that the odds read.
      const sum = wasm.i32x4.add(wasm.i32x4.extadd_pairwise_i16x8_s(evens), wasm.i32x4.extadd_pairwise_i16x8_s(odds));
      return wasm.i32x4.add(sum, accumulator);
    }
  }
}
