/**
 * Kernel IR expressions as JavaScript expressions, one text for each lane. Operands that several lanes need become
 * constants before the statement; loads check their bounds there too when checking is on, so that both sides of a
 * `select` are checked as a target would read them.
 */
import { isFunctionOp } from "../kernel-functions.js";
import type { BinaryOp, Expression, MemoryType, RegisterType, UnaryOp } from "../kernel-ir.js";
import { memoryBytes } from "../kernel-types.js";
import { decoded, viewOf } from "./memory.js";

/** A buffer as the translated source names it. */
export interface BufferPlace {
  readonly name: string;
  readonly element: MemoryType;
  /** Prefix of the variables with its views. */
  readonly views: string;
  /** Variable with its byte address, or "0". */
  readonly address: string;
  /** Variable with the byte address of its end. */
  readonly end: string;
}

/** How a machine reads bytes that it may read either way. */
export type ByteReading = "signed" | "unsigned";

/** Where the source goes, and what it may refer to. */
export interface Writer {
  line(text: string): void;
  fresh(): string;
  buffer(name: string): BufferPlace;
  readonly checked: boolean;
  /** How `dot_quads.either` reads its second operand. */
  readonly byteReading: ByteReading;
  readonly kernel: string;
}

export const registerName = (name: string, lane: number, lanes: number): string =>
  lanes === 1 ? `$${name}` : `$${name}$${lane}`;

const arrows: Readonly<Partial<Record<BinaryOp, string>>> = {
  eq: "===",
  ne: "!==",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

/** Cut an integer to the width of its lane, with sign. */
function wrapped(element: RegisterType["element"], text: string): string {
  if (element === "i32") return `(${text} | 0)`;
  const unused = element === "i16" ? 16 : 24;
  return `(${text} << ${unused} >> ${unused})`;
}

function binaryText(op: BinaryOp, element: RegisterType["element"], a: string, b: string): string {
  const arrow = arrows[op];
  if (arrow) return `(${a} ${arrow} ${b})`;
  if (element === "bool") {
    if (op === "xor") return `(${a} !== ${b})`;
    return op === "and" ? `(${a} && ${b})` : `(${a} || ${b})`;
  }
  if (op === "min" || op === "max") return `Math.${op}(${a}, ${b})`;
  const sign = { add: "+", sub: "-", mul: "*", div: "/", rem: "%", and: "&", or: "|", xor: "^" }[op as "add"];
  if (element === "f32") return `fround(${a} ${sign} ${b})`;
  const mask = element === "i32" ? 31 : element === "i16" ? 15 : 7;
  switch (op) {
    case "and":
    case "or":
    case "xor":
      return `(${a} ${sign} ${b})`;
    case "mul":
      return wrapped(element, `Math.imul(${a}, ${b})`);
    case "shl":
      return wrapped(element, `(${a} << (${b} & ${mask}))`);
    case "shr":
      return `(${a} >> (${b} & ${mask}))`;
    case "shru": {
      const unsigned = element === "i32" ? a : `(${a} & ${element === "i16" ? 0xffff : 0xff})`;
      return wrapped(element, `(${unsigned} >>> (${b} & ${mask}))`);
    }
    default:
      return wrapped(element, `(${a} ${sign} ${b})`);
  }
}

function unaryText(op: UnaryOp, element: RegisterType["element"], a: string): string {
  if (isFunctionOp(op)) return `${op}(${a})`;
  switch (op) {
    case "neg":
      return element === "f32" ? `(-${a})` : wrapped(element, `(-${a})`);
    case "abs":
      return element === "f32" ? `Math.abs(${a})` : wrapped(element, `Math.abs(${a})`);
    case "floor":
    case "ceil":
      return `Math.${op}(${a})`;
    case "round":
      return `n.round(${a})`;
    case "sqrt":
      return `fround(Math.sqrt(${a}))`;
    case "not":
      return element === "bool" ? `(!${a})` : `(~${a})`;
  }
}

const isAtom = (text: string): boolean => /^(\$?[\w$]+|-?[\d.e+-]+)$/.test(text);

/** Give a text a name unless it is as cheap as one. */
export function named(writer: Writer, text: string): string {
  if (isAtom(text)) return text;
  const name = writer.fresh();
  writer.line(`const ${name} = ${text};`);
  return name;
}

/** Index into a view of the first lane of an access, after the checks that are on. */
export function viewIndex(
  writer: Writer,
  buffer: BufferPlace,
  as: MemoryType | undefined,
  index: Expression,
  lanes: number,
  access: string,
): string {
  const memory = as ?? buffer.element;
  const size = memoryBytes[memory];
  const unit = memoryBytes[buffer.element];
  let text = laneTexts(writer, index)[0]!;
  if (writer.checked) {
    text = named(writer, text);
    const first = `${buffer.address} + ${text} * ${unit}`;
    const aligned = size > 1 ? ` || (${first}) % ${size} !== 0` : "";
    const where = JSON.stringify([writer.kernel, buffer.name, access]);
    writer.line(`if (${text} < 0 || ${first} + ${size * lanes} > ${buffer.end}${aligned}) fail(${where}, ${text});`);
  }
  const shift = Math.log2(size);
  const base = unit === size ? text : `(${text} * ${unit} >> ${shift})`;
  return buffer.address === "0" ? base : `(${buffer.address} >> ${shift}) + ${base}`;
}

/** One JavaScript expression for each lane. */
export function laneTexts(writer: Writer, expression: Expression): string[] {
  const { type } = expression;
  const count = type.lanes;
  const each = (make: (lane: number) => string): string[] => Array.from({ length: count }, (_, lane) => make(lane));
  const of = (operand: Expression): string[] => laneTexts(writer, operand);
  const scalar = (operand: Expression): string => of(operand)[0]!;
  const shared = (operand: Expression): string[] => of(operand).map((text) => named(writer, text));
  switch (expression.kind) {
    case "constant":
      return each(() => constantText(expression.value, type));
    case "get":
      return each((lane) => registerName(expression.name, lane, count));
    case "block":
    case "thread":
      return [`$$${expression.kind}`];
    case "load": {
      const buffer = writer.buffer(expression.buffer);
      const memory = expression.as ?? buffer.element;
      const start = viewIndex(writer, buffer, expression.as, expression.index, count, "read");
      const view = `${buffer.views}${viewOf[memory]}`;
      const base = count === 1 ? start : named(writer, start);
      return each((lane) => {
        const value = decoded(memory, `${view}[${lane === 0 ? base : `${base} + ${lane}`}]`);
        return type.element === "i8" && memory === "u8" ? `(${value} << 24 >> 24)` : value;
      });
    }
    case "unary": {
      const a = of(expression.operand);
      return each((lane) => unaryText(expression.op, type.element, a[lane]!));
    }
    case "binary":
      return binaryTexts(writer, expression);
    case "select": {
      const condition = of(expression.condition);
      const yes = of(expression.yes);
      const no = of(expression.no);
      return each((lane) => `(${condition[lane]!} ? ${yes[lane]!} : ${no[lane]!})`);
    }
    case "fma": {
      const [a, b, c] = [of(expression.a), of(expression.b), of(expression.c)];
      return each((lane) => `fround(fround(${a[lane]!} * ${b[lane]!}) + ${c[lane]!})`);
    }
    case "convert": {
      const a = of(expression.operand);
      const from = expression.operand.type.element;
      if (from === "bool") return each((lane) => `(${a[lane]!} ? 1 : 0)`);
      return each((lane) => (type.element === "f32" ? `fround(${a[lane]!})` : `n.toI32(${a[lane]!})`));
    }
    case "bitcast":
      return bitcastTexts(writer, expression.operand, type);
    case "splat": {
      const value = shared(expression.operand)[0]!;
      return each(() => value);
    }
    case "join":
      return expression.operands.map(scalar);
    case "extract":
      return [of(expression.operand)[expression.lane]!];
    case "shuffle": {
      const both = [...shared(expression.a), ...shared(expression.b)];
      return expression.lanes.map((lane) => both[lane]!);
    }
    case "widen": {
      const a = of(expression.operand);
      const start = expression.half === "low" ? 0 : count;
      const mask = expression.operand.type.element === "i8" ? 0xff : 0xffff;
      return each((lane) => (expression.signed ? a[start + lane]! : `(${a[start + lane]!} & ${mask})`));
    }
    case "dot-pairs":
    case "dot-pairs-i8": {
      const [a, b] = [of(expression.a), of(expression.b)];
      const product = (i: number): string => `${a[i]!} * ${b[i]!}`;
      return each((lane) => wrapped(type.element, `(${product(2 * lane)} + ${product(2 * lane + 1)})`));
    }
    case "dot-quads": {
      const [a, b, c] = [of(expression.a), of(expression.b), of(expression.accumulator)];
      const isUnsigned = expression.either ? writer.byteReading === "unsigned" : expression.unsigned;
      const byte = (text: string): string => (isUnsigned ? `(${text} & 255)` : text);
      const products = (lane: number): string =>
        [0, 1, 2, 3].map((i) => `${a[4 * lane + i]!} * ${byte(b[4 * lane + i]!)}`).join(" + ");
      return each((lane) => `(${c[lane]!} + ${products(lane)} | 0)`);
    }
    case "reduce": {
      let level = of(expression.operand);
      while (level.length > 1) {
        const pairs = Array.from({ length: level.length / 2 }, (_, i) => [level[2 * i]!, level[2 * i + 1]!] as const);
        level = pairs.map(([a, b]) => binaryText(expression.op, type.element, a, b));
      }
      return level;
    }
    default:
      return expression satisfies never;
  }
}

function binaryTexts(writer: Writer, expression: Expression & { kind: "binary" }): string[] {
  const { op, left, right } = expression;
  const a = laneTexts(writer, left);
  const shift = op === "shl" || op === "shr" || op === "shru";
  const b = laneTexts(writer, right).map((text) => (shift && a.length > 1 ? named(writer, text) : text));
  if (writer.checked && left.type.element === "i32" && (op === "div" || op === "rem")) {
    for (let lane = 0; lane < a.length; lane++) {
      a[lane] = named(writer, a[lane]!);
      b[lane] = named(writer, b[lane]!);
      writer.line(
        `if (${b[lane]!} === 0 || (${b[lane]!} === -1 && ${a[lane]!} === -2147483648)) divided(${JSON.stringify(writer.kernel)});`,
      );
    }
  }
  return a.map((text, lane) => binaryText(op, left.type.element, text, b[shift ? 0 : lane]!));
}

function constantText(value: number, type: RegisterType): string {
  if (type.element === "bool") return value ? "true" : "false";
  if (Object.is(value, -0)) return "(-0)";
  return value < 0 ? `(${value})` : String(value);
}

function bitcastTexts(writer: Writer, operand: Expression, type: RegisterType): string[] {
  const from = operand.type;
  const lanes = laneTexts(writer, operand);
  if (from.element === type.element) return lanes;
  if (from.lanes === type.lanes) {
    return lanes.map((text) => `n.${type.element === "f32" ? "bitsFloat" : "floatBits"}(${text})`);
  }
  // Groups of lanes that share their bits: one 32-bit (or 16-bit) lane and its narrower neighbours.
  const shared = lanes.map((text) => named(writer, text));
  const groups = Math.min(from.lanes, type.lanes);
  const [taken, made] = [from.lanes / groups, type.lanes / groups];
  return Array.from({ length: type.lanes }, (_, lane) => {
    const group = Math.floor(lane / made);
    const inputs = shared.slice(group * taken, (group + 1) * taken).join(", ");
    return `n.lane("${from.element}", "${type.element}", ${lane % made}, ${inputs})`;
  });
}
