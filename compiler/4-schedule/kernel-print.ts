/**
 * The text form of kernel IR, for people, snapshots and tests; `kernel-parse.ts` reads it back to an equal kernel.
 *
 * @example
 * kernel scale threads 1 "y = 2 x" {
 *   buffer x: f32 read
 *   buffer y: f32 write
 *   scalar n: i32
 *   for i = 0 to n step 1 {
 *     y[i] = (x[i]:f32 * 2:f32)
 *   }
 * }
 */
import type {
  BinaryOp,
  Expression,
  FragmentPlace,
  FragmentStatement,
  Kernel,
  MemoryType,
  Statement,
} from "./kernel-ir.js";
import { typeText } from "./kernel-types.js";

/** Operators that are written between their operands; the others are written as calls. */
export const infix: Readonly<Record<BinaryOp, string | undefined>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  shr: ">>",
  shru: ">>>",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  min: undefined,
  max: undefined,
};

/** The shortest decimal that rounds to the same f32. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

function constantText(expression: Expression & { kind: "constant" }): string {
  const { value, type } = expression;
  if (type.element === "i32" && type.lanes === 1) return String(value);
  const number =
    type.element === "bool" ? (value ? "true" : "false") : type.element === "f32" ? floatText(value) : String(value);
  return type.element === "bool" && type.lanes === 1 ? number : `${number}:${typeText(type)}`;
}

const place = (buffer: string, as: MemoryType | undefined, index: Expression): string =>
  `${buffer}${as === undefined ? "" : `.${as}`}[${printExpression(index)}]`;

export function printExpression(expression: Expression): string {
  const call = (name: string, ...operands: readonly Expression[]): string =>
    `${name}(${operands.map(printExpression).join(", ")})`;
  switch (expression.kind) {
    case "constant":
      return constantText(expression);
    case "get":
      return expression.name;
    case "block":
    case "thread":
      return `@${expression.kind}`;
    case "load":
      return `${place(expression.buffer, expression.as, expression.index)}:${typeText(expression.type)}${expression.finite ? ".finite" : ""}${expression.aligned ? ".aligned" : ""}`;
    case "unary":
      return call(expression.op, expression.operand);
    case "binary": {
      const operator = infix[expression.op];
      if (operator === undefined) return call(expression.op, expression.left, expression.right);
      return `(${printExpression(expression.left)} ${operator} ${printExpression(expression.right)})`;
    }
    case "select":
      return call("select", expression.condition, expression.yes, expression.no);
    case "fma":
      return call("fma", expression.a, expression.b, expression.c);
    case "convert":
      return call(`convert.${expression.type.element}`, expression.operand);
    case "bitcast":
      return call(`bitcast.${expression.type.element}`, expression.operand);
    case "splat":
      return call(`splat.${expression.type.lanes}`, expression.operand);
    case "join":
      return call("join", ...expression.operands);
    case "extract":
      return call(`lane.${expression.lane}`, expression.operand);
    case "shuffle":
      return call(`shuffle.${expression.lanes.join(".")}`, expression.a, expression.b);
    case "widen":
      return call(`widen.${expression.half}.${expression.signed ? "signed" : "unsigned"}`, expression.operand);
    case "dot-pairs":
      return call("dot_pairs", expression.a, expression.b);
    case "dot-pairs-i8":
      return call("dot_pairs_i8", expression.a, expression.b);
    case "dot-quads": {
      const form = expression.either ? ".either" : expression.unsigned ? ".u8" : expression.b7 ? ".b7" : "";
      return call(`dot_quads${form}`, expression.a, expression.b, expression.accumulator);
    }
    case "reduce":
      return call(`reduce.${expression.op}`, expression.operand);
    default:
      return expression satisfies never;
  }
}

function printStatements(statements: readonly Statement[], indent: string): string {
  return statements.map((statement) => `${indent}${printStatement(statement, indent)}\n`).join("");
}

function printStatement(statement: Statement, indent: string): string {
  const nested = (body: readonly Statement[]): string => `{\n${printStatements(body, `${indent}  `)}${indent}}`;
  switch (statement.kind) {
    case "let":
    case "var":
      return `${statement.kind} ${statement.name} = ${printExpression(statement.value)}`;
    case "assign":
      return `set ${statement.name} = ${printExpression(statement.value)}`;
    case "store":
      return `${place(statement.buffer, statement.as, statement.index)} = ${printExpression(statement.value)}`;
    case "for": {
      const range = `${printExpression(statement.from)} to ${printExpression(statement.to)} step ${statement.step}`;
      return `for ${statement.name} = ${range} ${nested(statement.body)}`;
    }
    case "if": {
      const otherwise = statement.else.length > 0 ? ` else ${nested(statement.else)}` : "";
      return `if ${printExpression(statement.condition)} then ${nested(statement.then)}${otherwise}`;
    }
    case "barrier":
      return "barrier";
    case "prefetch":
      return `prefetch ${place(statement.buffer, undefined, statement.index)}`;
    case "block-fold":
      return `fold ${statement.op}${statement.across === undefined ? "" : ` across ${statement.across}`} ${statement.name} = ${printExpression(statement.value)}`;
    case "atomic-add": {
      const target = `${place(statement.buffer, undefined, statement.index)}, ${printExpression(statement.value)}`;
      return `atomic${statement.result === undefined ? "" : ` ${statement.result}`} = add ${target}`;
    }
    default:
      return printFragment(statement);
  }
}

function printFragment(statement: FragmentStatement): string {
  const at = ({ buffer, index }: FragmentPlace): string => place(buffer, undefined, index);
  switch (statement.kind) {
    case "fragment": {
      const { name, role, element, rows, columns } = statement;
      return `fragment ${name} = ${role} ${element}[${rows}, ${columns}]`;
    }
    case "fragment-load":
      return `load_fragment ${statement.fragment} = ${at(statement)} by ${statement.stride} ${statement.order}`;
    case "fragment-store":
      return `store_fragment ${at(statement)} by ${statement.stride} ${statement.order} = ${statement.fragment}`;
    case "fragment-multiply":
      return `multiply_fragments ${statement.sum} = ${statement.left}, ${statement.right}`;
    case "fragment-scale":
      return `scale_fragment ${statement.sum} = ${statement.part}, ${at(statement.rows)}, ${at(statement.columns)}`;
    case "fragment-scale-rows":
      return `scale_fragment_rows ${statement.sum} = ${at(statement.rows)}`;
    default:
      return statement satisfies never;
  }
}

/** The kernel as text that ends with a line feed. */
export function printKernel(kernel: Kernel): string {
  const head = [
    ...kernel.buffers.map(({ name, element, access }) => `buffer ${name}: ${element} ${access}`),
    ...kernel.scalars.map(({ name, type }) => `scalar ${name}: ${type}`),
    ...kernel.blockBuffers.map(({ name, element, space, length }) => `${space} ${name}: ${element}[${length}]`),
  ];
  const lines = head.map((line) => `  ${line}\n`).join("");
  return `kernel ${kernel.name} threads ${kernel.threads} ${JSON.stringify(kernel.doc)} {\n${lines}${printStatements(kernel.body, "  ")}}\n`;
}

/** Several kernels, with an empty line between two. */
export function printKernels(kernels: readonly Kernel[]): string {
  return kernels.map(printKernel).join("\n");
}
