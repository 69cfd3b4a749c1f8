/** Values that depend on the training step, and what tests say. */
import { numberValue } from "../values.js";
import { add, multiply, real, subtract, valueOf } from "../numbers.js";
import { evaluate, needNumber } from "../elaborate/evaluate.js";
import { at } from "../context.js";
import type { Emitted } from "../emitter.js";
import { cast } from "../elaborate/tensors.js";
import { alike } from "../elaborate/operators.js";
import { builtin, result, Stop, type Builtin, type BuiltinCall } from "./call.js";

const shapes = ["linear", "cosine", "cubic", "exponential"] as const;

/** How much of the way is behind at a fraction of the time. */
function progress(shape: (typeof shapes)[number], t: number): number {
  switch (shape) {
    case "linear":
    case "exponential":
      return t;
    case "cosine":
      return (1 - Math.cos(Math.PI * t)) / 2;
    case "cubic":
      // Zhu and Gupta 2017 (arXiv:1710.01878): fast at first.
      return 1 - (1 - t) ** 3;
  }
}

function anneal(call: BuiltinCall) {
  const node = call.expression("range");
  if (node.kind !== "arrow") return call.fail("MOE2098", { wanted: call.definition.signature }, "range");
  const from = needNumber(call.walk, evaluate(call.walk, node.from, call.place), at(call.place, node.from));
  const to = needNumber(call.walk, evaluate(call.walk, node.to, call.place), at(call.place, node.to));
  if (!from || !to) throw new Stop();
  const shape = call.word("shape", shapes, "linear");
  const length = valueOf(call.number("over"));
  const { step } = call.walk.options;
  if (length === undefined) return numberValue(real(undefined));
  const t = step === undefined ? 1 : length <= 0 ? 1 : Math.min(1, Math.max(0, step / length));
  if (t === 1) return numberValue(to);
  const first = valueOf(from);
  const last = valueOf(to);
  if (shape === "exponential" && first !== undefined && last !== undefined) {
    return numberValue(real(first * (last / first) ** t));
  }
  return numberValue(add(from, multiply(subtract(to, from), real(progress(shape, t)))));
}

export const timeFunctions: readonly Builtin[] = [
  builtin(
    "anneal",
    "range over shape?",
    "anneal(2.0 -> 0.3, over: 10_000 steps, shape: linear | cosine | cubic | exponential) -> number",
    "Goes from one number to another while training goes on, and stays there. Outside of training it is the last value.",
    anneal,
  ),
  builtin(
    "step",
    "",
    "step() -> number",
    "The training step; in inference it is infinite, behind the end of every schedule.",
    ({ walk }) => numberValue(real(walk.options.generic ? undefined : (walk.options.step ?? Infinity))),
  ),
  builtin(
    "close",
    "a b tolerance?",
    "close(a, b, tolerance: float = 1e-5) -> bool",
    "True when every entry of a and b differs by at most tolerance * (1 + |b|).",
    (call) => {
      const pair = alike(call.walk, call.value("a"), call.value("b"), [call.spanOf("a"), call.spanOf("b")]);
      if (!pair) return call.fail("MOE2080", { found: "something else" }, "a");
      const [a, b] = pair.map((value) => cast(call.walk, value, "f32", call.span)) as [Emitted, Emitted];
      const difference = call.emit("abs", [call.emit("sub", [a, b], {}, ["a", "b"])], {});
      const scale = call.emit("add", [call.emit("abs", [b], {}), call.constant(1)], {});
      const tolerance = call.double("tolerance", 1e-5);
      const bound = call.emit("mul", [scale, call.constant(tolerance)], {});
      const near = call.emit("le", [difference, bound], {});
      call.walk.onCompare?.({ span: call.span, left: a, right: b, tolerance });
      const axes = near.type.kind === "tensor" ? near.type.axes.map(({ name }) => name) : [];
      return result(axes.length === 0 ? near : call.emit("reduce", [near], { kind: "all", over: axes }));
    },
  ),
];
