/**
 * Dot products of narrow lanes. Where the target has the instruction and one operand lies in 0..127 it is one
 * instruction for each register; otherwise neighbours are widened, multiplied and added.
 */
import { signedDotQuads } from "../../4-schedule/kernel-expressions.js";
import type { Expression, RegisterType } from "../../4-schedule/kernel-ir.js";
import type { LlvmFunction, Value } from "./function.js";
import { llvmType, vectorOf } from "./text.js";
import { shuffle } from "./expressions.js";

type Dot = Expression & { kind: "dot-pairs" | "dot-pairs-i8" | "dot-quads" };

/** Instructions that multiply and add pairs, by the lanes of their operands. */
const pairsOfWords: Readonly<Record<number, string>> = {
  8: "sse2.pmadd.wd",
  16: "avx2.pmadd.wd",
  32: "avx512.pmaddw.d.512",
};
const pairsOfBytes: Readonly<Record<number, string>> = {
  16: "ssse3.pmadd.ub.sw.128",
  32: "avx2.pmadd.ub.sw",
  64: "avx512.pmaddubs.w.512",
};

export function emitDot(f: LlvmFunction, dot: Dot, of: (operand: Expression) => Value): Value {
  if (dot.kind === "dot-quads" && dot.unsigned && !hasQuads(f, dot)) return of(signedDotQuads(dot));
  const [a, b] = [of(dot.a), of(dot.b)];
  const narrow = dot.a.type;
  switch (dot.kind) {
    case "dot-pairs": {
      const name = pairsOfWords[narrow.lanes];
      const isX86 = f.target.codegen?.architecture === "x86-64";
      const fits = isX86 && name !== undefined && narrow.lanes * 16 <= f.target.vectorBits;
      return fits
        ? f.intrinsic(`llvm.x86.${name}`, llvmType(dot.type), [a, b])
        : neighbours(f, a, b, narrow, dot.type, 2);
    }
    case "dot-pairs-i8": {
      const name = pairsOfBytes[narrow.lanes];
      const fits = f.target.dotPairsI8 !== "emulated" && name !== undefined && narrow.lanes * 8 <= f.target.vectorBits;
      if (!fits) return neighbours(f, a, b, narrow, dot.type, 2);
      // The first operand is the unsigned one.
      return f.intrinsic(`llvm.x86.${name}`, llvmType(dot.type), [b, a]);
    }
    case "dot-quads": {
      const start = of(dot.accumulator);
      const isX86 = f.target.codegen?.architecture === "x86-64";
      if (!isX86 && dot.unsigned !== true && hasQuads(f, dot)) {
        return sdot(f, start, a, b, dot.type.lanes);
      }
      if (isX86 && (dot.b7 || dot.unsigned) && hasQuads(f, dot)) return vpdpbusd(f, start, b, a, dot.type.lanes);
      const sum = neighbours(f, a, b, narrow, dot.type, 4, dot.unsigned === true);
      return f.value(start.type, `add ${start.type} ${start.text}, ${sum.text}`);
    }
  }
}

function hasQuads(f: LlvmFunction, dot: Dot): boolean {
  const bits = dot.a.type.lanes * 8;
  return f.target.dotQuads !== "emulated" && bits >= 128 && bits <= f.target.vectorBits;
}

/** sum + four unsigned bytes times four signed ones, in each lane. */
function vpdpbusd(f: LlvmFunction, sum: Value, unsigned: Value, signed: Value, lanes: number): Value {
  const words = [unsigned, signed].map(({ type, text }) => f.value(sum.type, `bitcast ${type} ${text} to ${sum.type}`));
  return f.intrinsic(`llvm.x86.avx512.vpdpbusd.${lanes * 32}`, sum.type, [sum, ...words]);
}

/** sum + four signed bytes times four signed ones, in each lane. */
function sdot(f: LlvmFunction, sum: Value, a: Value, b: Value, lanes: number): Value {
  return f.intrinsic(`llvm.aarch64.neon.sdot.v${lanes}i32.v${lanes * 4}i8`, sum.type, [sum, a, b]);
}

/** Products of groups of neighbours, added. Wraps at the width of the result. */
function neighbours(
  f: LlvmFunction,
  a: Value,
  b: Value,
  narrow: RegisterType,
  wide: RegisterType,
  group: 2 | 4,
  unsignedB = false,
): Value {
  const type = llvmType(wide);
  const part = (vector: Value, first: number, extend: "sext" | "zext"): Value => {
    const lanes = Array.from({ length: wide.lanes }, (_, lane) => group * lane + first);
    const taken =
      wide.lanes === 1
        ? f.value(vectorOf("i8", 1), `extractelement ${vector.type} ${vector.text}, i32 ${first}`)
        : shuffle(f, vector, vector, lanes, { element: narrow.element, lanes: wide.lanes });
    return f.value(type, `${extend} ${taken.type} ${taken.text} to ${type}`);
  };
  let sum: Value | undefined;
  for (let i = 0; i < group; i++) {
    const product = f.value(
      type,
      `mul ${type} ${part(a, i, "sext").text}, ${part(b, i, unsignedB ? "zext" : "sext").text}`,
    );
    sum = sum ? f.value(type, `add ${type} ${sum.text}, ${product.text}`) : product;
  }
  return sum!;
}
