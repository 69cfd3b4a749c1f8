/** Random programs: any sequence of choices becomes a program that is well formed. */
import fc from "fast-check";
import { Size } from "../../compiler/axes/size.js";
import { GraphBuilder, type RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import { OpTypeError, type Attrs } from "../../compiler/ops/types.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { axis, tensor } from "./tiny-model.js";

/** One step: what to add, and numbers from which operands and attributes are picked. */
export interface Choice {
  readonly step: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export const choices: fc.Arbitrary<readonly Choice[]> = fc.array(
  fc.record({ step: fc.nat(99), a: fc.nat(99), b: fc.nat(99), c: fc.nat(99) }),
  { minLength: 1, maxLength: 24 },
);

const T = axis("T", "T");
const D = axis("D", 6);
const E = axis("E", 3);

const pick = <Item>(items: readonly Item[], index: number): Item => items[index % items.length]!;

const UNARY = [
  "neg",
  "abs",
  "exp",
  "sqrt",
  "rsqrt",
  "sin",
  "tanh",
  "sigmoid",
  "silu",
  "reciprocal",
  "relu",
  "not",
] as const;
const BINARY = ["add", "sub", "mul", "div", "pow", "min", "max", "lt", "le", "eq", "and", "or"] as const;
const CONSTANTS = [0, 1, 2, -1, 0.5, 4, 1e-5, 3];

type Step = (scope: RegionBuilder, values: readonly Value[], choice: Choice, depth: number) => readonly Value[];

function numbersOf(values: readonly Value[]): readonly Value[] {
  return values.filter(({ type }) => type.kind === "tensor" && type.dtype === "f32");
}

/** An axis name of a value, or D. */
function axisOf(value: Value, index: number): string {
  return value.type.kind === "tensor" && value.type.axes.length > 0 ? pick(value.type.axes, index).name : "D";
}

const sizeOf = (value: Value, name: string): Size =>
  (value.type.kind === "tensor" ? value.type.axes.find((each) => each.name === name)?.size : undefined) ?? Size.one;

/** Captures of a body: two values from around, so that something can be invariant. */
function captured(values: readonly Value[], { a, b }: Choice): readonly Value[] {
  const numbers = numbersOf(values);
  return [pick(numbers, a), pick(numbers, b), pick(numbers, a)];
}

/** Steps inside a body that end in a value of the type wanted. */
function bodyResult(
  scope: RegionBuilder,
  start: readonly Value[],
  wanted: Value,
  choice: Choice,
  depth: number,
): Value {
  let values = start;
  for (let turn = 1; turn <= 4; turn++) {
    const next: Choice = {
      step: choice.step * turn + 7 * turn,
      a: choice.b + turn,
      b: choice.c * turn,
      c: choice.a + 3 * turn,
    };
    values = grow(scope, values, next, depth + 1);
  }
  const fits = numbersOf(values).filter(
    ({ type }) => type.kind === "tensor" && typeKey(type.axes) === typeKey(axesOf(wanted)),
  );
  return scope.one("add", [wanted, pick([...fits, wanted], choice.a + choice.b)]);
}

const axesOf = (value: Value): readonly { name: string; size: Size }[] =>
  value.type.kind === "tensor" ? value.type.axes : [];
const typeKey = (axes: readonly { name: string; size: Size }[]): string =>
  axes.map(({ name, size }) => `${name}=${size.key}`).join();

/** Rows of a recurrence over the tokens, put into a list that is carried: into zeros or into x, added or chosen. */
function rowsOfTurns(scope: RegionBuilder, [x, y]: readonly Value[], { a, b }: Choice): readonly Value[] {
  const start = scope.one("reduce", [y!], { kind: "max", over: ["T"] });
  const list = a % 8 === 3 ? x! : scope.one("mul", [x!, scope.number(0)]);
  const body = scope.region([{ type: tensor([], "i32") }, start, list, y!], (inner, [turn, carried, rows, given]) => {
    const next = inner.one("mul", [carried!, inner.number(0.5)]);
    const own = inner.one("add", [inner.one("gather", [given!, turn!], { axis: "T" }), next]);
    const index = inner.one("index", [], { axis: "T", size: T.size, offset: Size.zero });
    const here = inner.one("eq", [index, turn!]);
    const chosen = (row: Value): Value => inner.one("where", [here, row, rows!]);
    const ways = [
      () => chosen(own),
      () => chosen(inner.one("add", [own, rows!])),
      () => inner.one("add", [rows!, inner.one("where", [here, own, inner.number(0)])]),
      () => inner.one("where", [inner.one("ne", [index, turn!]), rows!, own]),
      () => {
        const integers = inner.one("where", [here, turn!, inner.one("constant", [], { value: 0, dtype: "i32" })]);
        return inner.one("add", [rows!, inner.one("cast", [integers], { to: "f32" })]);
      },
    ];
    return [next, pick(ways, b)()];
  });
  const attrs: Attrs = { from: Size.zero, to: T.size, carried: 2 };
  return scope.add("fold", [start, list, y!], attrs, { regions: [body] });
}

const steps: readonly Step[] = [
  (scope, values, { a, b }) => [scope.one(pick(UNARY, b), [pick(values, a)])],
  (scope, values, { a, b, c }) => [scope.one(pick(BINARY, c), [pick(values, a), pick(values, b)])],
  (scope, values, { a, b, c }) => [scope.one(pick(BINARY, c), [pick(values, a), scope.number(pick(CONSTANTS, b))])],
  (scope, values, { a, b, c }) => [scope.one(pick(BINARY, c), [scope.number(pick(CONSTANTS, b)), pick(values, a)])],
  (scope, values, { a, b, c }) => [scope.one("where", [pick(values, a), pick(values, b), pick(values, c)])],
  (scope, values, { a, b, c }) => {
    const value = pick(numbersOf(values), a);
    return [scope.one("reduce", [value], { kind: pick(["sum", "max", "min", "mean"], b), over: [axisOf(value, c)] })];
  },
  (scope, values, { a, b, c }) => {
    const value = pick(numbersOf(values), a);
    return [scope.one(pick(["softmax", "log_softmax", "logsumexp"] as const, b), [value], { over: axisOf(value, c) })];
  },
  (scope, values, { a, b }) => {
    const value = pick(numbersOf(values), a);
    return [scope.one("cumsum", [value], { over: axisOf(value, b), exclusive: false, reverse: false })];
  },
  (scope, values, { a, b, c }) => {
    const value = pick(numbersOf(values), a);
    return [scope.one("contract", [value, pick(numbersOf(values), b)], { over: [axisOf(value, c)] })];
  },
  (scope, values, { a, b, c }) => {
    const value = pick(values, a);
    return [scope.one("rename", [value], { from: axisOf(value, b), to: pick(["D", "P", "Q", "T2"], c) })];
  },
  (scope, values, { a, b }) => {
    const value = pick(values, a);
    const name = axisOf(value, b);
    const end = sizeOf(value, name);
    const from = b % 2 === 0 ? end.minus(Size.one) : Size.zero;
    return [scope.one("slice", [value], { axis: name, from, to: b % 3 === 0 ? end : from.plus(Size.one) })];
  },
  (scope, values, { a }) => {
    const value = pick(values, a);
    const parts = scope.one("split", [value], {
      axis: "D",
      into: [
        { name: "A", size: Size.of(2) },
        { name: "B", size: Size.of(3) },
      ],
    });
    return [parts, scope.one("merge", [parts], { axes: ["A", "B"], into: "D" })];
  },
  (scope, values, { a }) => {
    const value = pick(values, a);
    return [
      scope.one("order", [value], {
        axes: axesOf(value)
          .map(({ name }) => name)
          .reverse(),
      }),
    ];
  },
  (scope, values, { a, b }) => [
    scope.one("expand", [pick(values, a)], { axis: pick(["P", "Q"], b), size: Size.of(2) }),
  ],
  (scope, values, { a, b, c }) => {
    const value = pick(numbersOf(values), a);
    return [scope.one("shift", [value], { axis: axisOf(value, b), by: c % 3, fill: 0 })];
  },
  (scope) => {
    const index = scope.one("index", [], { axis: "T", size: Size.of("T"), offset: Size.of(2) });
    return [scope.one("cast", [index], { to: "f32" })];
  },
  (scope, values, { a, b }) => {
    const value = pick(numbersOf(values), a);
    const [best] = scope.add("top", [value], { over: axisOf(value, b), k: Size.one, as: "K" });
    return [best!];
  },
  (scope, values, { a, b }) => {
    const value = pick(values, a);
    return [scope.one("concat", [value, pick(values, b)], { axis: axisOf(value, b) })];
  },
  // A fold and a stack whose bodies use captures.
  (scope, values, choice, depth) => {
    if (depth > 0) return [];
    if (choice.a % 4 === 3) return rowsOfTurns(scope, values, choice);
    const start = pick(numbersOf(values), choice.c);
    const captures = captured(values, choice);
    const body = scope.region([{ type: tensor([], "i32") }, start, ...captures], (inner, [turn, carried, ...given]) => {
      const number = inner.one("cast", [turn!], { to: "f32" });
      return [bodyResult(inner, [carried!, ...given, number], carried!, choice, depth)];
    });
    const attrs: Attrs = { from: Size.zero, to: choice.b % 2 === 0 ? Size.of(choice.c % 4) : Size.of("T"), carried: 1 };
    return scope.add("fold", [start, ...captures], attrs, { regions: [body] });
  },
  (scope, values, choice, depth) => {
    if (depth > 0) return [];
    const first = pick(numbersOf(values), choice.c);
    const fixed = pick(numbersOf(values), choice.a + 1);
    const stacked = scope.one("expand", [pick(numbersOf(values), choice.b)], { axis: "L", size: Size.of(2) });
    const captures = captured(values, choice);
    const own = tensor(axesOf(stacked).slice(1));
    const body = scope.region(
      [first, fixed, { type: own }, { type: own }, ...captures],
      (inner, [x, same, weight, , ...given]) => [
        bodyResult(inner, [x!, same!, weight!, ...given], x!, choice, depth),
        same!,
      ],
    );
    const attrs = { name: "layers", layers: Size.of(2), carried: 2, stacked: 2 };
    return scope.add("stack", [first, fixed, stacked, stacked, ...captures], attrs, { regions: [body] });
  },
  // Routes over the tokens and a mixture.
  (scope, values, choice, depth) => {
    const { a, b, c } = choice;
    const input = pick(numbersOf(values), a);
    const scores = scope.one("softmax", [scope.one("mul", [pick(numbersOf(values), b), values[2]!])], { over: "E" });
    const attrs = {
      choice: pick(["top", "experts"], c),
      k: Size.one,
      experts: "E",
      hasBy: false,
      hasWhere: false,
      renormalize: b % 2 === 0,
      epsilon: 0,
    };
    const routes = scope.one("route", [scores], attrs);
    const bank = values[3]!;
    const capture = pick(numbersOf(values), c);
    const one = tensor(axesOf(input).filter(({ name }) => name !== "T"));
    const body = scope.region([{ type: one }, { type: tensor([D]) }, capture], (inner, [token, weight, given]) => [
      bodyResult(inner, [token!, weight!, given!], token!, choice, depth),
    ]);
    const mixture = { banks: [{ experts: E.size, params: 1 }], captures: 1, weigh: pick(["output", "input"], c) };
    return [scope.one("mixture", [input, routes, bank, capture], mixture, { regions: [body] })];
  },
];

/** Adds one step; what the type rules refuse is left out. */
function grow(scope: RegionBuilder, values: readonly Value[], choice: Choice, depth: number): readonly Value[] {
  try {
    return [...values, ...pick(steps, choice.step)(scope, values, choice, depth)];
  } catch (error) {
    // Not every op fits every value; anything else is a bug.
    if (error instanceof OpTypeError) return values;
    throw error;
  }
}

/** A program with inputs x [T, D], y [T, D], s [E], w [E, D] and the last few values as outputs. */
export function randomProgram(list: readonly Choice[]): Program {
  const inputs = [tensor([T, D]), tensor([T, D]), tensor([E]), tensor([E, D])];
  let outputs: readonly Value[] = [];
  const body = new GraphBuilder().region(
    inputs.map((type) => ({ type })),
    (scope, params) => {
      const values = list.reduce((found, choice) => grow(scope, found, choice, 0), params);
      outputs = values.slice(-3);
      return outputs;
    },
  );
  const names = ["x", "y", "s", "w"];
  const entry = { name: "forward", inputs: names, outputs: outputs.map((_, i) => `out${i}`), body };
  return {
    name: "Random",
    params: [],
    states: [],
    knobs: [],
    runtimeSizes: ["T", "past"],
    entries: [entry],
    weightNames: {},
    settings: {},
  };
}

/** Inputs for a number of tokens. */
export function inputsFor(tokens: number): Readonly<Record<string, ReferenceTensor>> {
  const fill = (axes: readonly { name: string; size: number }[], seed: number): ReferenceTensor => {
    const count = axes.reduce((product, { size }) => product * size, 1);
    return makeTensor(
      "f32",
      axes,
      Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + 1.7 * i) * 2)),
    );
  };
  const t = { name: "T", size: tokens };
  const d = { name: "D", size: 6 };
  const e = { name: "E", size: 3 };
  return { x: fill([t, d], 0.3), y: fill([t, d], 4.1), s: fill([e], 2.2), w: fill([e, d], 0.9) };
}
