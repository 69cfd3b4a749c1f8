/** Expressions of kernel IR as scalar source text, one text for each lane. */
import { signedDotQuads } from "../../4-schedule/kernel-expressions.js";
import { isFunctionOp } from "../../4-schedule/kernel-functions.js";
import type { BinaryOp, Expression, RegisterType } from "../../4-schedule/kernel-ir.js";
import { elementBits } from "../../4-schedule/kernel-types.js";
import { scalarOf, type LaneWriter } from "./writer.js";

/** A text without the parentheses around all of it. */
export function bare(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let open = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if (text[i] === "(") open++;
    else if (text[i] === ")") open--;
    if (open === 0) return text;
  }
  return text.slice(1, -1);
}

/** An i32 expression that does not overflow: an index or a bound. */
export const indexText = (writer: LaneWriter, expression: Expression): string =>
  laneTexts(writer, expression, true)[0]!;

const comparisons: ReadonlySet<BinaryOp> = new Set<BinaryOp>(["eq", "ne", "lt", "le", "gt", "ge"]);

/** Results that may leave the range of a narrow lane. */
const growing: ReadonlySet<BinaryOp> = new Set<BinaryOp>(["add", "sub", "mul", "shl", "shru"]);

/** One text for each lane. Operands that several texts need get names before. */
export function laneTexts(writer: LaneWriter, expression: Expression, index = false): readonly string[] {
  const { dialect } = writer;
  const { type } = expression;
  const count = type.lanes;
  const scalar = scalarOf(type.element);
  const each = (make: (lane: number) => string): string[] => Array.from({ length: count }, (_, lane) => make(lane));
  const of = (operand: Expression): readonly string[] => laneTexts(writer, operand, index);
  const shared = (operand: Expression): readonly string[] =>
    of(operand).map((text) => writer.named(scalarOf(operand.type.element), text));
  const narrow = (text: string): string =>
    type.element === "i8" || type.element === "i16" ? dialect.signed(type.element === "i8" ? 8 : 16, text) : text;
  switch (expression.kind) {
    case "constant":
      return each(() => dialect.constant(scalar, expression.value));
    case "get":
      return each((lane) => writer.names.of(expression.name, lane, count));
    case "block":
      return [dialect.block];
    case "thread":
      return [dialect.thread];
    case "load": {
      const buffer = writer.buffer(expression.buffer);
      const memory = expression.as ?? buffer.element;
      const first = writer.named("i32", indexText(writer, expression.index));
      if (expression.aligned && dialect.loadVector) {
        const whole = dialect.loadVector({ buffer, memory, index: first, lane: 0 }, count, (text) => writer.kept(text));
        if (whole) return whole;
      }
      return each((lane) => {
        const value = dialect.load({ buffer, memory, index: first, lane });
        return type.element === "i8" && memory === "u8" ? narrow(value) : value;
      });
    }
    case "unary": {
      const { op } = expression;
      const a = of(expression.operand);
      if (isFunctionOp(op)) return each((lane) => `${writer.library.name(op)}(${bare(a[lane]!)})`);
      return each((lane) => narrow(dialect.unary(op, scalar, a[lane]!)));
    }
    case "binary":
      return binaryTexts(writer, expression, index);
    case "select": {
      const [condition, yes, no] = [of(expression.condition), of(expression.yes), of(expression.no)];
      return each((lane) => dialect.select(scalar, condition[lane]!, yes[lane]!, no[lane]!));
    }
    case "fma": {
      const [a, b, c] = [of(expression.a), of(expression.b), of(expression.c)];
      return each((lane) => dialect.fma(bare(a[lane]!), bare(b[lane]!), bare(c[lane]!)));
    }
    case "convert": {
      const a = of(expression.operand);
      const from = scalarOf(expression.operand.type.element);
      return each((lane) => dialect.convert(from, type.element as "f32" | "i32", bare(a[lane]!)));
    }
    case "bitcast":
      return bitcastTexts(writer, expression.operand, type);
    case "splat": {
      const value = shared(expression.operand)[0]!;
      return each(() => value);
    }
    case "join":
      return expression.operands.map((operand) => of(operand)[0]!);
    case "extract":
      return [of(expression.operand)[expression.lane]!];
    case "shuffle": {
      const both = [...shared(expression.a), ...shared(expression.b)];
      return expression.lanes.map((lane) => both[lane]!);
    }
    case "widen": {
      const a = of(expression.operand);
      const start = expression.half === "low" ? 0 : count;
      const mask = dialect.constant("i32", 2 ** elementBits[expression.operand.type.element] - 1);
      return each((lane) => {
        const value = a[start + lane]!;
        return expression.signed ? value : dialect.binary("and", "i32", value, mask, false);
      });
    }
    case "dot-pairs":
    case "dot-pairs-i8": {
      const [a, b] = [of(expression.a), of(expression.b)];
      const product = (i: number): string => dialect.binary("mul", "i32", a[i]!, b[i]!, false);
      return each((lane) => narrow(dialect.binary("add", "i32", product(2 * lane), product(2 * lane + 1), false)));
    }
    case "dot-quads": {
      if (expression.unsigned) return of(signedDotQuads(expression));
      const words = [expression.a, expression.b].map((operand) => byteWords(writer, operand));
      const start = of(expression.accumulator);
      return each((lane) => dialect.dotBytes(words[0]![lane]!, words[1]![lane]!, start[lane]!));
    }
    case "reduce": {
      let level = of(expression.operand);
      while (level.length > 1) {
        const pairs = Array.from({ length: level.length / 2 }, (_, i) => [level[2 * i]!, level[2 * i + 1]!] as const);
        level = pairs.map(([a, b]) => dialect.binary(expression.op, scalar, a, b, false));
      }
      return level;
    }
    default:
      return expression satisfies never;
  }
}

function binaryTexts(writer: LaneWriter, expression: Expression & { kind: "binary" }, index: boolean): string[] {
  const { dialect } = writer;
  const { op, left, right } = expression;
  const { element, lanes } = left.type;
  const scalar = scalarOf(element);
  const isShift = op === "shl" || op === "shr" || op === "shru";
  // Operands of a comparison are values of their own, which may overflow.
  const within = index && !comparisons.has(op);
  const a = laneTexts(writer, left, within);
  if (!isShift) {
    const b = laneTexts(writer, right, within);
    return a.map((text, lane) => {
      const value = dialect.binary(op, scalar, text, b[lane]!, within);
      return growing.has(op) ? narrowed(writer, element, value) : value;
    });
  }
  const width = elementBits[element];
  const amount =
    right.kind === "constant"
      ? dialect.constant("i32", right.value & (width - 1))
      : dialect.binary("and", "i32", laneTexts(writer, right)[0]!, dialect.constant("i32", width - 1), false);
  const by = lanes === 1 ? amount : writer.named("i32", amount);
  return a.map((text) => {
    const mask = dialect.constant("i32", 2 ** width - 1);
    const from = op === "shru" && width < 32 ? dialect.binary("and", "i32", text, mask, false) : text;
    return narrowed(writer, element, dialect.binary(op, "i32", from, by, false));
  });
}

function narrowed(writer: LaneWriter, element: RegisterType["element"], text: string): string {
  if (element === "i8") return writer.dialect.signed(8, text);
  return element === "i16" ? writer.dialect.signed(16, text) : text;
}

/** Lanes put together from the lowest bits on: `parts` of `width` bits each. */
function packed(writer: LaneWriter, width: number, parts: readonly string[]): string {
  const { dialect } = writer;
  const mask = dialect.constant("i32", 2 ** width - 1);
  return parts
    .map((part, i) => {
      const low = dialect.binary("and", "i32", part, mask, false);
      return i === 0 ? low : dialect.binary("shl", "i32", low, dialect.constant("i32", i * width), false);
    })
    .reduce((a, b) => dialect.binary("or", "i32", a, b, false));
}

/** Four i8 lanes a word. Bytes that were words before are taken as they are, for targets with a dot product of words. */
function byteWords(writer: LaneWriter, bytes: Expression): readonly string[] {
  if (bytes.kind === "bitcast" && bytes.operand.type.element === "i32") return laneTexts(writer, bytes.operand);
  return bitcastTexts(writer, bytes, { element: "i32", lanes: bytes.type.lanes / 4 });
}

function bitcastTexts(writer: LaneWriter, operand: Expression, type: RegisterType): readonly string[] {
  const { dialect } = writer;
  const from = operand.type;
  const lanes = laneTexts(writer, operand);
  if (from.element === type.element) return lanes;
  if (from.lanes === type.lanes)
    return lanes.map((text) => dialect.bits(scalarOf(type.element) as "f32" | "i32", text));
  const [taken, made] = [elementBits[from.element], elementBits[type.element]];
  const whole = (text: string, element: RegisterType["element"]): string =>
    element === "f32" ? dialect.bits("i32", text) : text;
  if (taken < made) {
    const parts = made / taken;
    return Array.from({ length: type.lanes }, (_, lane) => {
      const word = packed(writer, taken, lanes.slice(lane * parts, (lane + 1) * parts));
      return type.element === "f32" ? dialect.bits("f32", word) : narrowed(writer, type.element, word);
    });
  }
  const parts = taken / made;
  const words = lanes.map((text) => writer.named("i32", whole(text, from.element)));
  return Array.from({ length: type.lanes }, (_, lane) => {
    const word = words[Math.floor(lane / parts)]!;
    const shift = dialect.constant("i32", (lane % parts) * made);
    return narrowed(writer, type.element, dialect.binary("shr", "i32", word, shift, false));
  });
}
