/**
 * What the backward pass of an op costs and what it has to keep of the forward pass, op by op as automatic differentiation
 * does it: no fusion, nothing computed twice. One rule for each op or family; conventions of counting are those of `cost.ts`.
 */
import { Size } from "../axes/size.js";
import { countOf, elementsOf } from "./cost.js";
import { getOp } from "./index.js";
import type { Axis, OpCall, TensorType, ValueType } from "./types.js";

/** One use of an op in a training step. */
export interface Differentiated {
  readonly name: string;
  readonly call: OpCall;
  readonly results: readonly ValueType[];
  /** Operations of the forward pass. */
  readonly flops: Size;
  /** For each operand, whether a gradient of it is wanted. */
  readonly wanted: readonly boolean[];
}

export interface Backward {
  readonly flops: Size;
  /** Operands and results that the backward pass reads, by number. */
  readonly operands: readonly number[];
  readonly results: readonly number[];
  /** Numbers that it reads beside these: normalizers of attention, what each chosen expert gave. */
  readonly beside?: Size;
}

const FREE: Backward = { flops: Size.zero, operands: [], results: [] };

const one = (use: Differentiated): Size => elementsOf(use.results[0]!);
const times = (size: Size, count: number): Size => size.times(Size.of(count));
const keepingResult = (flops: Size): Backward => ({ flops, operands: [], results: [0] });

/** Additions that bring a gradient back to the axes of an operand which was repeated over others. */
function summed(use: Differentiated, index: number): Size {
  const operand = use.call.operands[index]!;
  const result = use.results[0]!;
  return use.wanted[index] === true && !elementsOf(operand).equals(elementsOf(result)) ? elementsOf(result) : Size.zero;
}

/** Passed on, with a sign or a choice of `each` operations an element. */
function passed(use: Differentiated, each: number, operands: readonly number[] = []): Backward {
  let flops = Size.zero;
  for (const [index, wanted] of use.wanted.entries()) {
    if (wanted) flops = flops.plus(times(one(use), each)).plus(summed(use, index));
  }
  return { flops, operands, results: [] };
}

/** Of a product each factor gets what comes back times the other factor, for as many operations as the product itself. */
function product(use: Differentiated, sums: Size): Backward {
  const [a = false, b = false] = use.wanted;
  const all = times(use.flops, Number(a) + Number(b)).plus(sums);
  return { flops: all, operands: [...(b ? [0] : []), ...(a ? [1] : [])], results: [] };
}

/** Any other function of an element: its derivative costs about what it does itself, and one multiplication. */
function pointwise(use: Differentiated): Backward {
  let flops = Size.zero;
  for (const [index, wanted] of use.wanted.entries()) {
    if (wanted) flops = flops.plus(use.flops).plus(one(use)).plus(summed(use, index));
  }
  return { flops, operands: use.call.operands.map((_, index) => index), results: [] };
}

function quotient(use: Differentiated): Backward {
  const [a = false, b = false] = use.wanted;
  // y = a / b: a gets g / b, b gets -(g / b) y.
  const flops = times(one(use), b ? 3 : 1)
    .plus(summed(use, 0))
    .plus(summed(use, 1));
  return { flops, operands: a || b ? [1] : [], results: b ? [0] : [] };
}

function reduced(use: Differentiated): Backward {
  const whole = elementsOf(use.call.operands[0]!);
  switch (use.call.attrs.kind) {
    case "sum":
      return FREE;
    case "mean":
      return { ...FREE, flops: one(use) };
    default:
      // Extremes: which element it was; products: the result over the element.
      return { flops: times(whole, 2), operands: [0], results: [0] };
  }
}

function attended(use: Differentiated): Backward {
  const { operands, attrs } = use.call;
  const q = operands[0] as TensorType;
  const k = operands[1] as TensorType;
  const v = operands[2] as TensorType;
  const axisOf = (type: TensorType, name: unknown): Axis => type.axes.find((axis) => axis.name === name)!;
  const rows = countOf(q.axes.filter((axis) => axis.name !== attrs.contracted));
  const pairs = rows.times(axisOf(k, attrs.keyAxis).size);
  const c = axisOf(q, attrs.contracted).size;
  const value = axisOf(v, attrs.valueAxis).size;
  const [forQ = false, forK = false, forV = false] = use.wanted;
  let each = Size.zero;
  if (forV) each = each.plus(times(value, 2));
  // The gradient of the scores: that of the weights, less its mean under them, times weight and scale.
  if (forQ || forK) each = each.plus(times(value, 2)).plus(Size.of(4));
  if (forQ) each = each.plus(times(c, 2));
  if (forK) each = each.plus(times(c, 2));
  return { flops: pairs.times(each), operands: operands.map((_, index) => index), results: [0], beside: rows };
}

/** What of a mixture lies outside of its experts: the weighted sum, and the sum over the copies of a token. */
function mixed(use: Differentiated): Backward {
  const routes = use.call.operands[1]!;
  const x = use.call.operands[0] as TensorType;
  if (routes.kind !== "routes") return FREE;
  const slots = routes.slots;
  const [forX = false, forRoutes = false] = use.wanted;
  let flops = times(one(use).times(slots), forRoutes ? 3 : 1);
  if (forX) flops = flops.plus(elementsOf(x).times(slots));
  // The gradient of a weight is the product of what comes back and what the expert gave.
  return { flops, operands: [0, 1], results: [], ...(forRoutes ? { beside: one(use).times(slots) } : {}) };
}

const RULES: Readonly<Record<string, (use: Differentiated) => Backward>> = {
  add: (use) => passed(use, 0),
  sub: (use) => ({
    ...passed(use, 0),
    flops: passed(use, 0).flops.plus(use.wanted[1] === true ? one(use) : Size.zero),
  }),
  neg: (use) => passed(use, 1),
  cast: () => FREE,
  mul: (use) => product(use, summed(use, 0).plus(summed(use, 1))),
  div: quotient,
  min: (use) => passed(use, 1, [0, 1]),
  max: (use) => passed(use, 1, [0, 1]),
  where: (use) => passed(use, 1, [0]),
  relu: (use) => keepingResult(times(one(use), 2)),
  exp: (use) => keepingResult(one(use)),
  sqrt: (use) => keepingResult(times(one(use), 2)),
  rsqrt: (use) => keepingResult(times(one(use), 3)),
  sigmoid: (use) => keepingResult(times(one(use), 3)),
  tanh: (use) => keepingResult(times(one(use), 3)),
  reciprocal: (use) => keepingResult(times(one(use), 3)),
  // What is summed over is summed by these products.
  contract: (use) => product(use, Size.zero),
  reduce: reduced,
  softmax: (use) => keepingResult(times(one(use), 4)),
  log_softmax: (use) => keepingResult(times(one(use), 4)),
  logsumexp: (use) => ({ flops: times(elementsOf(use.call.operands[0]!), 3), operands: [0], results: [0] }),
  cumsum: (use) => ({ ...FREE, flops: one(use) }),
  top: (use) => ({ flops: one(use), operands: [], results: [1] }),
  sort: (use) => ({ flops: one(use), operands: [], results: [1] }),
  // Rows that were read are added up, rows that were added are read.
  gather: (use) => ({ flops: one(use), operands: [1], results: [] }),
  scatter: () => ({ ...FREE, operands: [1] }),
  expand: (use) => ({ ...FREE, flops: one(use) }),
  attend: attended,
  route: (use) => keepingResult(times(elementsOf(use.results[0]!), use.call.attrs.renormalize === true ? 4 : 1)),
  routes_scale: (use) => passed(use, 2, [0, 1]),
  routes_limit: (use) => keepingResult(one(use)),
  mixture: mixed,
  dispatch: mixed,
  combine: (use) => ({ flops: times(elementsOf(use.call.operands[0]!), 3), operands: [0, 1], results: [] }),
};

/**
 * Ops whose gradient is the one that came, elsewhere: renamed, cut out, put together; and those whose regions are counted
 * by themselves.
 */
const FREE_OPS: ReadonlySet<string> = new Set([
  ...["rename", "split", "merge", "order", "slice", "concat", "shift"],
  ...["routes_dense", "routes_weight", "routes_make"],
  ...["param", "append", "stack", "fold"],
]);

/** True when it is known what the backward pass of the op costs: `test/ops/backward.test.ts` asks for every op. */
export function hasBackward(name: string): boolean {
  return name in RULES || FREE_OPS.has(name) || getOp(name)?.family === "elementwise";
}

/** Ops that pass gradients on although they change nothing: rows behind a cache are the same rows. */
const PASSING = new Set(["append", "cast"]);

/** True when a gradient goes through the op. */
export function isDifferentiable(name: string): boolean {
  return PASSING.has(name) || getOp(name)?.gradient === "chain";
}

/** Cost of the backward pass of one use, without that of its regions; nothing where no operand wants a gradient. */
export function backwardOf(use: Differentiated): Backward {
  if (!isDifferentiable(use.name) || !use.wanted.includes(true)) return FREE;
  const rule = RULES[use.name];
  if (rule) return rule(use);
  return getOp(use.name)!.family === "elementwise" ? pointwise(use) : FREE;
}
