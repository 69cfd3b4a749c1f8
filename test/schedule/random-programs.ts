/** Random small programs: chains of ops over [T, A, B]. */
import fc from "fast-check";
import { Size } from "../../compiler/axes/size.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import type { TensorType } from "../../compiler/ops/types.js";
import { axis, f32, param, program } from "./programs.js";

/** A step takes some of the values so far and gives one more. All values keep their magnitude below 4. */
type Step = (scope: RegionBuilder, pick: (n: number) => Value, choice: number) => Value;

const axesOf = (value: Value): TensorType["axes"] => (value.type as TensorType).axes;
const bounded = (scope: RegionBuilder, value: Value): Value => scope.one("tanh", [value]);
const sum = (scope: RegionBuilder, a: Value, b: Value): Value => bounded(scope, scope.one("add", [a, b]));

const steps: readonly Step[] = [
  (s, pick) => sum(s, pick(0), pick(1)),
  (s, pick) => s.one("mul", [bounded(s, pick(0)), bounded(s, pick(1))]),
  (s, pick) => s.one("where", [s.one("gt", [pick(0), s.number(0.1)]), bounded(s, pick(1)), s.one("neg", [pick(0)])]),
  (s, pick, choice) => {
    const x = pick(0);
    const axes = axesOf(x);
    if (axes.length === 0) return x;
    const over = [axes[choice % axes.length]!.name];
    const kind = ["sum", "max", "mean", "min"][choice % 4]!;
    // Of no elements the extremes are infinite; tanh brings them back.
    return bounded(s, s.one("reduce", [x], { kind, over }));
  },
  (s, pick, choice) => {
    const x = pick(0);
    const axes = axesOf(x);
    return axes.length === 0 ? x : s.one("softmax", [x], { over: axes[choice % axes.length]!.name });
  },
  (s, pick, choice) => {
    const x = pick(0);
    const names = axesOf(x).map((own) => own.name);
    const turned = [
      ...names.slice(choice % Math.max(1, names.length)),
      ...names.slice(0, choice % Math.max(1, names.length)),
    ];
    return names.length === 0 ? x : s.one("order", [x], { axes: turned });
  },
  (s, pick, choice) => {
    const x = pick(0);
    if (!axesOf(x).some((own) => own.name === "B")) return x;
    const cut = s.one("slice", [x], { axis: "B", from: Size.of(choice % 3), to: Size.of(4 + (choice % 3)) });
    return s.one("concat", [cut, s.one("slice", [x], { axis: "B", from: Size.zero, to: Size.of(2) })], { axis: "B" });
  },
  (s, pick, choice) => {
    const x = pick(0);
    if (!axesOf(x).some((own) => own.name === "B")) return x;
    const into = [axis("P", 2), axis("Q", 3)];
    const parts = s.one("split", [x], { axis: "B", into });
    const back = s.one("merge", [parts], { axes: choice % 2 === 0 ? ["P", "Q"] : ["Q", "P"], into: "B" });
    return back;
  },
  (s, pick, choice) => {
    const x = pick(0);
    const axes = axesOf(x);
    if (axes.length === 0) return x;
    return s.one("shift", [x], { axis: axes[choice % axes.length]!.name, by: (choice % 5) - 2, fill: 0.5 });
  },
  (s, pick) => {
    const [x, y] = [pick(0), pick(1)];
    const over = axesOf(x)
      .filter((own) => own.name !== "T" && axesOf(y).some((other) => other.name === own.name))
      .map((own) => own.name);
    return over.length === 0 ? sum(s, x, y) : bounded(s, s.one("contract", [x, y], { over }));
  },
];

const types = { x: f32(axis("T"), axis("A", 3), axis("B", 6)), g: [axis("B", 6)], w: [axis("A", 3), axis("B", 6)] };

/** What decides a program: for each step its kind, which values it takes, and a choice. */
interface StepChoice {
  readonly kind: number;
  readonly from: readonly [number, number];
  readonly choice: number;
}

export const stepLists: fc.Arbitrary<readonly StepChoice[]> = fc.array(
  fc.record({
    kind: fc.nat(steps.length - 1),
    from: fc.tuple(fc.nat(20), fc.nat(20)),
    choice: fc.nat(11),
  }),
  { minLength: 2, maxLength: 9 },
);

/** The last two values of the chain are the results. */
export function randomProgram(list: readonly StepChoice[]): Program {
  return program({
    inputs: { x: types.x },
    params: [param("g", types.g), param("w", types.w)],
    build: (scope, [x], p) => {
      const values = [bounded(scope, x!), p("g"), p("w")];
      for (const { kind, from, choice } of list) {
        const pick = (n: number): Value => values[values.length - 1 - (from[n]! % Math.min(values.length, 4))]!;
        values.push(steps[kind]!(scope, pick, choice));
      }
      return values.slice(-2);
    },
  });
}

/**
 * A step sums at most 18 values below 4, each rounded (18 * 4 * 2^-24), and only products of sums make errors that came
 * in larger: at most 36-fold each, two in a row. A condition whose sides nearly meet may fall differently, which no bound
 * covers; the seed is fixed and has none.
 */
export const RANDOM_TOLERANCE = 36 * 36 * 72 * 2 ** -24;
