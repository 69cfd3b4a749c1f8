/**
 * f16 and bf16 to f32 and back as kernel IR over bits, for targets without such instructions. To nearest, ties to even;
 * subnormals, infinities and NaN as in `checkpoints/half.ts`.
 */
import {
  abs,
  add,
  and,
  bitcast,
  compare,
  constant,
  mul,
  or,
  select,
  shl,
  shr,
  shru,
  sub,
} from "./kernel-expressions.js";
import { KernelBuilder } from "./kernel-builder.js";
import type { FunctionBody } from "./kernel-functions.js";
import type { Expression } from "./kernel-ir.js";
import { registerType } from "./kernel-types.js";

/** f32 from the low 16 bits of each i32 lane (the high ones are zero). */
function fromF16(k: KernelBuilder, half: Expression): Expression {
  // With the exponent field of an f32 the same digits mean 2^-112 times as much, for subnormals too.
  const digits = k.let("digits", shl(and(half, 0x7fff), 13));
  const scaled = bitcast(mul(bitcast(digits, "f32"), 2 ** 112), "i32");
  const special = select(compare("gt", digits, 0x0f7fffff), constant(0x7f800000, half.type), constant(0, half.type));
  return bitcast(or(or(scaled, special), shl(and(half, 0x8000), 16)), "f32");
}

/** The same without infinities and NaN, from i32 lanes that carry the sign of the f16 in all high bits. */
function fromFiniteF16(_: KernelBuilder, half: Expression): Expression {
  return mul(bitcast(and(shl(half, 13), 0x8fffe000 | 0), "f32"), 2 ** 112);
}

function fromBf16(_: KernelBuilder, half: Expression): Expression {
  return bitcast(shl(half, 16), "f32");
}

/** The f16 bits of f32 lanes, in i32 lanes. */
function toF16(k: KernelBuilder, value: Expression): Expression {
  const bits = k.let("bits", bitcast(value, "i32"));
  const size = k.let("size", and(bits, 0x7fffffff));
  // Half of the last kept digit, less one unless that digit is odd; then the exponents are 112 apart.
  const rounded = shr(add(add(size, and(shr(size, 13), 1)), 0xfff - (112 << 23)), 13);
  // Adding 1/2 shifts the digits of a subnormal to the end of the sum, and rounds them.
  const subnormal = sub(bitcast(add(abs(value), 0.5), "i32"), 0x3f000000);
  const finite = select(compare("lt", size, 0x38800000), subnormal, rounded);
  const infinite = select(compare("gt", size, 0x477fffff), constant(0x7c00, bits.type), finite);
  const all = select(compare("gt", size, 0x7f800000), constant(0x7e00, bits.type), infinite);
  return or(all, and(shru(bits, 16), 0x8000));
}

function toBf16(k: KernelBuilder, value: Expression): Expression {
  const bits = k.let("bits", bitcast(value, "i32"));
  const rounded = shru(add(add(bits, and(shru(bits, 16), 1)), 0x7fff), 16);
  const isNaN = compare("gt", and(bits, 0x7fffffff), 0x7f800000);
  return select(isNaN, or(shru(bits, 16), 0x40), rounded);
}

export type Conversion = "f16-to-f32" | "finite-f16-to-f32" | "bf16-to-f32" | "f32-to-f16" | "f32-to-bf16";

const bodies: Readonly<Record<Conversion, (k: KernelBuilder, value: Expression) => Expression>> = {
  "f16-to-f32": fromF16,
  "finite-f16-to-f32": fromFiniteF16,
  "bf16-to-f32": fromBf16,
  "f32-to-f16": toF16,
  "f32-to-bf16": toBf16,
};

/** The body of a conversion on that many lanes; bits are i32 lanes whose high half is zero (the sign, for finite f16). */
export function conversionBody(conversion: Conversion, lanes: number): FunctionBody {
  const k = new KernelBuilder(conversion, { doc: "" });
  const element = conversion.startsWith("f32") ? "f32" : "i32";
  const result = bodies[conversion](k, { kind: "get", name: "argument", type: registerType(element, lanes) });
  return { parameter: "argument", body: k.finish().body, result };
}
