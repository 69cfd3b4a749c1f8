/** Elementwise ops. Most are one node; the others are written out where ONNX leaves the ends of the range open. */
import type { Graph } from "./graph.js";
import type { ElementType } from "./model-bytes.js";
import type { Lower } from "./use.js";
import type { Tensor } from "./values.js";

type Formula = (graph: Graph, ...operands: Tensor[]) => Tensor;

const same =
  (op: string): Formula =>
  (graph, ...operands) =>
    graph.apply(op, operands, operands[0]!.type);
const test =
  (op: string): Formula =>
  (graph, ...operands) =>
    graph.apply(op, operands, "bool");
const f32 = (graph: Graph, value: number): Tensor => graph.number("f32", value);
const mul: Formula = same("Mul");
const add: Formula = same("Add");

/** -Infinity times 0 is NaN; the least finite number times 0 is 0, which is the limit of silu and gelu. */
const LEAST = -3.4028234663852886e38;
const finiteBelow = (graph: Graph, x: Tensor): Tensor => graph.apply("Max", [x, f32(graph, LEAST)], "f32");

function gelu(graph: Graph, given: Tensor): Tensor {
  const x = finiteBelow(graph, given);
  const erf = same("Erf")(graph, mul(graph, x, f32(graph, Math.SQRT1_2)));
  return mul(graph, mul(graph, x, add(graph, erf, f32(graph, 1))), f32(graph, 0.5));
}

function geluTanh(graph: Graph, given: Tensor): Tensor {
  // Below -100 the tanh is -1 to the last bit, and the cube of a larger number would overflow.
  const x = graph.apply("Max", [given, f32(graph, -100)], "f32");
  const cube = mul(graph, mul(graph, x, x), mul(graph, x, f32(graph, 0.044715)));
  const inner = mul(graph, add(graph, x, cube), f32(graph, Math.sqrt(2 / Math.PI)));
  const half = mul(graph, x, f32(graph, 0.5));
  return mul(graph, half, add(graph, same("Tanh")(graph, inner), f32(graph, 1)));
}

/** a - b * floor(a / b); integers by zero give 0. */
function mod(graph: Graph, a: Tensor, b: Tensor): Tensor {
  if (a.type === "f32") {
    const quotient = same("Floor")(graph, same("Div")(graph, a, b));
    return same("Sub")(graph, a, mul(graph, b, quotient));
  }
  const zero = graph.number("i32", 0);
  const byZero = test("Equal")(graph, b, zero);
  // By -1 the remainder is 0 as it is by 1, and the least integer over -1 has no quotient.
  const risky = test("Or")(graph, byZero, test("Equal")(graph, b, graph.number("i32", -1)));
  const rest = graph.apply("Mod", [a, graph.where(risky, graph.number("i32", 1), b)], "i32", { fmod: { int: 0 } });
  return graph.where(byZero, zero, rest);
}

function div(graph: Graph, a: Tensor, b: Tensor): Tensor {
  if (a.type === "f32") return same("Div")(graph, a, b);
  const minus = test("Equal")(graph, b, graph.number("i32", -1));
  const zero = test("Equal")(graph, b, graph.number("i32", 0));
  const safe = graph.where(test("Or")(graph, minus, zero), graph.number("i32", 1), b);
  const quotient = same("Div")(graph, a, safe);
  return graph.where(zero, graph.number("i32", 0), graph.where(minus, same("Neg")(graph, a), quotient));
}

/** f32 to i32 saturates, with NaN to 0; ONNX leaves both open. */
export function castTo(graph: Graph, x: Tensor, to: ElementType): Tensor {
  if (x.type !== "f32" || to !== "i32") return graph.cast(x, to);
  const number = graph.where(test("IsNaN")(graph, x), f32(graph, 0), x);
  const high = test("GreaterOrEqual")(graph, number, f32(graph, 2 ** 31));
  const low = graph.apply("Max", [number, f32(graph, -(2 ** 31))], "f32");
  // 2^31 - 128 is the largest f32 below 2^31.
  const inside = graph.apply("Min", [low, f32(graph, 2 ** 31 - 128)], "f32");
  return graph.where(high, graph.number("i32", 2 ** 31 - 1), graph.cast(inside, "i32"));
}

const formulas = {
  neg: same("Neg"),
  abs: same("Abs"),
  exp: same("Exp"),
  log: same("Log"),
  sqrt: same("Sqrt"),
  rsqrt: (graph, x) => same("Reciprocal")(graph, same("Sqrt")(graph, x)),
  sin: same("Sin"),
  cos: same("Cos"),
  tanh: same("Tanh"),
  sigmoid: same("Sigmoid"),
  silu: (graph, x) => {
    const low = finiteBelow(graph, x);
    return mul(graph, low, same("Sigmoid")(graph, low));
  },
  gelu: (graph, x) => gelu(graph, x),
  gelu_tanh: (graph, x) => geluTanh(graph, x),
  erf: same("Erf"),
  relu: same("Relu"),
  softplus: same("Softplus"),
  floor: same("Floor"),
  ceil: same("Ceil"),
  round: same("Round"),
  sign: same("Sign"),
  reciprocal: same("Reciprocal"),
  is_nan: test("IsNaN"),
  not: same("Not"),
  add,
  sub: same("Sub"),
  mul,
  div: (graph, a, b) => div(graph, a, b),
  mod: (graph, a, b) => mod(graph, a, b),
  min: same("Min"),
  max: same("Max"),
  eq: test("Equal"),
  ne: (graph, a, b) => same("Not")(graph, test("Equal")(graph, a, b)),
  lt: test("Less"),
  le: test("LessOrEqual"),
  gt: test("Greater"),
  ge: test("GreaterOrEqual"),
  and: same("And"),
  or: same("Or"),
  where: (graph, condition, a, b) => graph.where(condition, a, b),
} satisfies Record<string, Formula>;

type ElementwiseName = keyof typeof formulas;

const pow: Lower = (use) => {
  const [a, b] = [use.tensor(0), use.tensor(1)];
  if (a.type !== "f32") return use.refuse("powers of whole numbers wrap here and are left open there");
  return [use.graph.apply("Pow", [a, b], "f32")];
};

export const elementwiseLowering = {
  ...(Object.fromEntries(
    Object.entries<Formula>(formulas).map(([name, formula]): [string, Lower] => [
      name,
      (use) => [formula(use.graph, ...use.tensors)],
    ]),
  ) as Record<ElementwiseName, Lower>),
  pow,
  cast: ((use) => [castTo(use.graph, use.tensor(0), use.attrs.to as ElementType)]) satisfies Lower,
};
