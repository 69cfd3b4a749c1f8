/** Functions along an axis. */
import type { Emitted } from "../emitter.js";
import { builtin, result, typeOf, type Builtin, type BuiltinCall } from "./call.js";

function reduceOver(call: BuiltinCall, x: Emitted, kind: string): Emitted {
  const over = call.axes("over");
  for (const axis of over) call.axisOf(x, axis, "over");
  return call.emit("reduce", [x], { kind, over }, ["x"]);
}

function reduction(name: string, doc: string, dtype?: "f32"): Builtin {
  return builtin(name, "x over", `${name}(x: [.., D], over: D) -> [..]`, doc, (call) =>
    result(reduceOver(call, call.tensor("x", dtype), name)),
  );
}

function along(name: string, doc: string): Builtin {
  return builtin(name, "x over", `${name}(x: [.., D], over: D) -> [.., D]`, doc, (call) => {
    const x = call.tensor("x", "f32");
    call.axisOf(x, call.axis("over"), "over");
    return result(call.emit(name, [x], { over: call.axis("over") }, ["x"]));
  });
}

/** `top`: values and indices. */
function best(call: BuiltinCall, as: string): readonly [Emitted, Emitted] {
  const x = call.tensor("x", "f32");
  const over = call.axis("over");
  call.axisOf(x, over, "over");
  const k = call.size("k");
  const both = call.emitAll("top", [x], { over, k, as }, ["x"]);
  if (as !== over) call.introduce(as, k);
  return [both[0]!, both[1]!];
}

export const reductions: readonly Builtin[] = [
  reduction("sum", "The sum along axes; of nothing it is 0."),
  reduction("mean", "The mean along axes.", "f32"),
  reduction("prod", "The product along axes; of nothing it is 1."),
  reduction("any", "True when one entry is."),
  reduction("all", "True when every entry is."),
  along("softmax", "exp(x) over its sum along an axis. A row of -inf everywhere gives zeros."),
  along("log_softmax", "The logarithm of softmax, without overflow."),
  builtin(
    "logsumexp",
    "x over",
    "logsumexp(x: [.., D], over: D) -> [..]",
    "log of the sum of exp, without overflow.",
    (call) => {
      const x = call.tensor("x", "f32");
      call.axisOf(x, call.axis("over"), "over");
      return result(call.emit("logsumexp", [x], { over: call.axis("over") }, ["x"]));
    },
  ),
  builtin(
    "cumsum",
    "x over exclusive? reverse?",
    "cumsum(x: [.., D], over: D, exclusive: bool = false, reverse: bool = false) -> [.., D]",
    "Running sums; `exclusive` leaves the entry itself out.",
    (call) => {
      const x = call.tensor("x");
      const over = call.axis("over");
      call.axisOf(x, over, "over");
      const attrs = { over, exclusive: call.flag("exclusive", false), reverse: call.flag("reverse", false) };
      return result(call.emit("cumsum", [x], attrs, ["x"]));
    },
  ),
  ...["argmax", "argmin"].map((name) =>
    builtin(
      name,
      "x over",
      `${name}(x: [.., D], over: D) -> i32[..]`,
      `The index of the ${name === "argmax" ? "greatest" : "least"} entry; the lowest of equal ones.`,
      (call) => {
        const x = call.tensor("x", "f32");
        call.axisOf(x, call.axis("over"), "over");
        return result(call.emit(name, [x], { over: call.axis("over") }, ["x"]));
      },
    ),
  ),
  builtin(
    "top",
    "x k over",
    "top(x: [.., E], k, over: E) -> [.., E = k]",
    "The k greatest entries, best first; equal ones by lowest index.",
    (call) => result(best(call, call.axis("over"))[0]),
  ),
  builtin(
    "argtop",
    "x k over as?",
    "argtop(x: [.., E], k, over: E, as: K) -> i32[.., K = k]",
    "The indices of the k greatest entries, best first; equal ones by lowest index.",
    (call) => result(best(call, call.has("as") ? call.axis("as") : call.axis("over"))[1]),
  ),
  builtin(
    "top_mask",
    "x k over",
    "top_mask(x: [.., E], k, over: E) -> bool[.., E]",
    "True at the k greatest entries; equal ones by lowest index.",
    (call) => {
      const x = call.tensor("x", "f32");
      const over = call.axis("over");
      call.axisOf(x, over, "over");
      return result(call.emit("top_mask", [x], { over, k: call.size("k") }, ["x"]));
    },
  ),
  ...["sort", "argsort"].map((name) =>
    builtin(
      name,
      "x over descending?",
      `${name}(x: [.., D], over: D, descending: bool = false)`,
      name === "sort"
        ? "The entries in order; equal ones keep theirs. Whole numbers stay whole numbers."
        : "The indices that sort; equal entries keep their order.",
      (call) => {
        const x = call.tensor("x");
        call.axisOf(x, call.axis("over"), "over");
        const attrs = { over: call.axis("over"), descending: call.flag("descending", false) };
        const both = call.emitAll("sort", [x], attrs, ["x"]);
        return result(both[name === "sort" ? 0 : 1]!);
      },
    ),
  ),
  builtin(
    "norm",
    "x over epsilon?",
    "norm(x: [.., D], over: D) -> [..]",
    "The Euclidean length: sqrt(sum of squares).",
    (call) => {
      const x = call.tensor("x", "f32");
      const squares = call.emit("mul", [x, x], {}, ["x", "x"]);
      const total = reduceOver(call, squares, "sum");
      const shifted = call.has("epsilon") ? call.emit("add", [total, call.tensor("epsilon", "f32")], {}) : total;
      return result(call.emit("sqrt", [shifted], {}));
    },
  ),
  builtin(
    "contract",
    "a b over",
    "contract(a, b, over: [X, Y]) -> [axes of a, axes of b]",
    "Multiplies and sums over the named axes; other shared axes stay.",
    (call) => {
      const a = call.tensor("a", "f32");
      const b = call.tensor("b", "f32");
      const over = call.axes("over");
      for (const axis of over) {
        call.axisOf(a, axis, "over");
        if (!typeOf(b).axes.some(({ name }) => name === axis)) {
          call.fail(
            "MOE2042",
            {
              op: "contract",
              axis,
              axes: typeOf(b)
                .axes.map(({ name }) => name)
                .join(", "),
            },
            "b",
          );
        }
      }
      return result(call.emit("contract", [a, b], { over }, ["a", "b"]));
    },
  ),
];
