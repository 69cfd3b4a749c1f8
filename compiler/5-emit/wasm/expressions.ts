/** Kernel IR expressions as WebAssembly instructions. Vectors of bool are masks whose lanes have all bits set or none. */
import { functionBody, isFunctionOp } from "../../4-schedule/kernel-functions.js";
import type { BinaryOp, Expression, RegisterType, UnaryOp } from "../../4-schedule/kernel-ir.js";
import { moecError } from "../../errors/raise.js";
import { emitDot } from "./dots.js";
import { wasmType, type WasmFunction } from "./function.js";
import * as wasm from "./instructions.js";
import type { Ref } from "./instructions.js";
import { emitLoad, emitSplatLoad } from "./memory.js";
import { scalarBinary, shapeOf, unary, vectorBinary } from "./vectors.js";

export function emitExpression(f: WasmFunction, expression: Expression): Ref {
  const { type } = expression;
  const vector = type.lanes > 1;
  const of = (operand: Expression): Ref => emitExpression(f, operand);
  wasmType(type, f.name);
  switch (expression.kind) {
    case "constant":
      return vector
        ? f.vectorConstant(laneBytes(type, () => expression.value))
        : scalarConstant(expression.value, type);
    case "get":
      return wasm.local.get(f.value(expression.name));
    case "block":
      return wasm.local.get(f.register("@block"));
    case "thread":
      return wasm.i32.const(0);
    case "load":
      return emitLoad(f, expression, emitExpression);
    case "unary":
      return emitUnary(f, expression.op, expression.operand);
    case "binary":
      return emitBinary(f, expression.op, expression.left, expression.right);
    case "select": {
      const [yes, no, condition] = [of(expression.yes), of(expression.no), of(expression.condition)];
      if (!vector) return wasm.select(condition, yes, no);
      if (f.features.relaxed && type.lanes === 4) return wasm.relaxed.select32(yes, no, condition);
      return wasm.v128.bitselect(yes, no, condition);
    }
    case "fma": {
      const [a, b, c] = [of(expression.a), of(expression.b), of(expression.c)];
      if (!vector) return wasm.f32.add(wasm.f32.mul(a, b), c);
      return f.features.relaxed ? wasm.relaxed.madd(a, b, c) : wasm.f32x4.add(wasm.f32x4.mul(a, b), c);
    }
    case "convert":
      return emitConvert(f, expression.operand, type);
    case "bitcast":
      return emitBitcast(f, expression.operand, type);
    case "splat": {
      const { operand } = expression;
      const loaded = operand.kind === "load" ? emitSplatLoad(f, operand, emitExpression) : undefined;
      if (loaded !== undefined) return loaded;
      const value = type.element === "bool" ? wasm.i32.sub(wasm.i32.const(0), of(operand)) : of(operand);
      return wasm[shapeOf(type)].splat(value);
    }
    case "join":
      return emitJoin(f, expression.operands, type);
    case "extract":
      return emitExtract(of(expression.operand), expression.operand.type, expression.lane);
    case "shuffle": {
      const width = 16 / expression.a.type.lanes;
      const lanes = expression.lanes.flatMap((lane) => Array.from({ length: width }, (_, byte) => lane * width + byte));
      return wasm.i8x16.shuffle(of(expression.a), of(expression.b), lanes);
    }
    case "widen":
      return emitWiden(f, expression);
    case "dot-pairs":
    case "dot-pairs-i8":
    case "dot-quads":
      return emitDot(f, expression, emitExpression);
    case "reduce":
      return emitReduce(f, expression.op, expression.operand);
    default:
      return expression satisfies never;
  }
}

function scalarConstant(value: number, type: RegisterType): Ref {
  return type.element === "f32" ? wasm.f32.const(value) : wasm.i32.const(value);
}

/** The bytes of a vector constant. */
function laneBytes(type: RegisterType, value: (lane: number) => number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let lane = 0; lane < type.lanes; lane++) {
    const number = type.element === "bool" ? -value(lane) : value(lane);
    if (type.element === "f32") view.setFloat32(4 * lane, number, true);
    else if (type.lanes === 4) view.setInt32(4 * lane, number, true);
    else if (type.lanes === 8) view.setInt16(2 * lane, number, true);
    else view.setInt8(lane, number);
  }
  return bytes;
}

function emitUnary(f: WasmFunction, op: UnaryOp, operand: Expression): Ref {
  const { type } = operand;
  const { element, lanes } = type;
  const value = emitExpression(f, operand);
  if (isFunctionOp(op)) return f.call(`${op}.${lanes}`, () => functionBody(op, lanes), value);
  if (op === "not") {
    if (lanes > 1) return wasm.v128.not(value);
    return element === "bool" ? wasm.i32.eqz(value) : wasm.i32.xor(value, wasm.i32.const(-1));
  }
  if (lanes === 1 && element === "i32") {
    const zero = wasm.i32.const(0);
    if (op === "neg") return wasm.i32.sub(zero, value);
    const shared = f.shared(value, wasm.types.i32);
    const isNegative = wasm.i32.lt_s(shared.again(), zero);
    const larger = wasm.select(isNegative, wasm.i32.sub(wasm.i32.const(0), shared.again()), shared.again());
    return wasm.block([wasm.drop(shared.tee), larger]);
  }
  return unary(op, type)!(value);
}

function emitBinary(f: WasmFunction, op: BinaryOp, left: Expression, right: Expression): Ref {
  const { type } = left;
  const a = emitExpression(f, left);
  const b = emitExpression(f, right);
  if (type.element === "bool" && (op === "eq" || op === "ne")) {
    if (type.lanes === 1) return op === "eq" ? wasm.i32.eq(a, b) : wasm.i32.ne(a, b);
    const differ = wasm.v128.xor(a, b);
    return op === "eq" ? wasm.v128.not(differ) : differ;
  }
  if (type.lanes > 1) {
    const instruction = vectorBinary(op, type);
    return instruction ? instruction(a, b) : laneByLane(f, op as "div" | "rem", a, b);
  }
  const instruction = scalarBinary(op, type.element === "f32" ? "f32" : "i32");
  return instruction ? instruction(a, b) : smallerOrLarger(f, op === "min", a, b);
}

function smallerOrLarger(f: WasmFunction, smaller: boolean, a: Ref, b: Ref): Ref {
  const [left, right] = [f.shared(a, wasm.types.i32), f.shared(b, wasm.types.i32)];
  const sides = [wasm.drop(left.tee), wasm.drop(right.tee)];
  const first = smaller ? wasm.i32.lt_s(left.again(), right.again()) : wasm.i32.gt_s(left.again(), right.again());
  return wasm.block([...sides, wasm.select(first, left.again(), right.again())]);
}

/** Division of i32 lanes, which WebAssembly has for scalars only. */
function laneByLane(f: WasmFunction, op: "div" | "rem", a: Ref, b: Ref): Ref {
  const [left, right] = [f.shared(a, wasm.types.v128), f.shared(b, wasm.types.v128)];
  const instruction = scalarBinary(op, "i32")!;
  const lane = (i: number): Ref =>
    instruction(wasm.i32x4.extract_lane(left.again(), i), wasm.i32x4.extract_lane(right.again(), i));
  let vector = wasm.i32x4.splat(lane(0));
  for (let i = 1; i < 4; i++) vector = wasm.i32x4.replace_lane(vector, i, lane(i));
  return wasm.block([wasm.drop(left.tee), wasm.drop(right.tee), vector]);
}

function emitConvert(f: WasmFunction, operand: Expression, type: RegisterType): Ref {
  const value = emitExpression(f, operand);
  const from = operand.type.element;
  if (type.lanes === 1) {
    if (type.element === "f32") return wasm.f32.convert_i32_s(value);
    return from === "bool" ? value : wasm.i32.trunc_sat_f32_s(value);
  }
  if (from === "bool") {
    const one = laneBytes(type, () => 1);
    // The mask keeps the bits of 1 where it is set.
    return wasm.v128.and(value, f.vectorConstant(one));
  }
  return type.element === "f32" ? wasm.f32x4.convert_i32x4_s(value) : wasm.i32x4.trunc_sat_f32x4_s(value);
}

function emitBitcast(f: WasmFunction, operand: Expression, type: RegisterType): Ref {
  const value = emitExpression(f, operand);
  const from = operand.type;
  if (type.lanes > 1 && from.lanes > 1) return value;
  if (type.lanes > 1 || from.lanes > 1)
    throw moecError("MOE4501", { kernel: f.name, type: `a bitcast to ${type.element}x${type.lanes}` });
  if (from.element === type.element) return value;
  return type.element === "f32" ? wasm.f32.reinterpret_i32(value) : wasm.i32.reinterpret_f32(value);
}

function emitJoin(f: WasmFunction, operands: readonly Expression[], type: RegisterType): Ref {
  if (operands.every((operand) => operand.kind === "constant")) {
    return f.vectorConstant(laneBytes(type, (lane) => (operands[lane] as Expression & { kind: "constant" }).value));
  }
  const shape = wasm[shapeOf(type)];
  const lane = (operand: Expression): Ref => {
    const value = emitExpression(f, operand);
    return type.element === "bool" ? wasm.i32.sub(wasm.i32.const(0), value) : value;
  };
  return operands
    .slice(1)
    .reduce((vector, operand, i) => shape.replace_lane(vector, i + 1, lane(operand)), shape.splat(lane(operands[0]!)));
}

function emitExtract(vector: Ref, type: RegisterType, lane: number): Ref {
  const shape = shapeOf(type);
  const value =
    shape === "i16x8" || shape === "i8x16"
      ? wasm[shape].extract_lane_s(vector, lane)
      : wasm[shape].extract_lane(vector, lane);
  return type.element === "bool" ? wasm.i32.and(value, wasm.i32.const(1)) : value;
}

function emitWiden(f: WasmFunction, widen: Expression & { kind: "widen" }): Ref {
  const value = emitExpression(f, widen.operand);
  const low = widen.half === "low";
  if (widen.operand.type.element === "i8") {
    if (widen.signed) return low ? wasm.i16x8.extend_low_i8x16_s(value) : wasm.i16x8.extend_high_i8x16_s(value);
    return low ? wasm.i16x8.extend_low_i8x16_u(value) : wasm.i16x8.extend_high_i8x16_u(value);
  }
  if (widen.signed) return low ? wasm.i32x4.extend_low_i16x8_s(value) : wasm.i32x4.extend_high_i16x8_s(value);
  return low ? wasm.i32x4.extend_low_i16x8_u(value) : wasm.i32x4.extend_high_i16x8_u(value);
}

/** (0 + 1) + (2 + 3): neighbours exchange their places, then the pairs. */
function emitReduce(f: WasmFunction, op: "add" | "min" | "max", operand: Expression): Ref {
  const instruction = vectorBinary(op, operand.type)!;
  const all = f.shared(emitExpression(f, operand), wasm.types.v128);
  const exchanged = wasm.i8x16.shuffle(
    all.again(),
    all.again(),
    [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11],
  );
  const pairs = f.shared(instruction(all.again(), exchanged), wasm.types.v128);
  const halves = wasm.i8x16.shuffle(
    pairs.again(),
    pairs.again(),
    [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7],
  );
  const sum = instruction(pairs.again(), halves);
  const lane = emitExtract(sum, operand.type, 0);
  return wasm.block([wasm.drop(all.tee), wasm.drop(pairs.tee), lane]);
}
