/** Functions that make, split and move along axes. */
import { Size } from "../../axes/size.js";
import { PAST } from "../emitter.js";
import { integer, sizeOf, divide } from "../numbers.js";
import { emit, expanded, ordered } from "../elaborate/tensors.js";
import { needSize } from "../elaborate/evaluate.js";
import { builtin, result, Stop, typeOf, type Builtin, type BuiltinCall } from "./call.js";

function arrow(call: BuiltinCall, name: string) {
  const node = call.expression(name);
  return node.kind === "arrow" ? node : call.fail("MOE2098", { wanted: call.definition.signature }, name);
}

/** The sizes of a split: one of the parts may be left to the others. */
function parts(call: BuiltinCall, total: Size, list: readonly { readonly name: string; readonly size?: Size }[]) {
  const open = list.filter((axis) => !axis.size);
  if (open.length > 1) call.fail("MOE2099", { axes: open.map((axis) => `\`${axis.name}\``).join(" and ") }, "axes");
  const product = list.reduce((size, axis) => (axis.size ? size.times(axis.size) : size), Size.one);
  const [whole, part] = [total.constant, product.constant];
  // As written, not reduced: 4 groups of 6 heads, where 6 / 4 is 3 / 2.
  if (open.length > 0 && whole !== undefined && part !== undefined && part > 0 && whole % part !== 0)
    call.fail("MOE2086", { top: whole, bottom: part }, "axes", "the parts of an axis multiply to its size");
  return list.map((axis) => {
    const size =
      axis.size ??
      needSize(call.walk, { kind: "number", number: divide(integer(total), integer(product)) }, call.spanOf("axes"));
    if (!size) throw new Stop();
    call.introduce(axis.name, size);
    return { name: axis.name, size };
  });
}

export const axisFunctions: readonly Builtin[] = [
  builtin(
    "split",
    "x axes",
    "split(x: [.., D], D -> [H, K]) -> [.., H, K]",
    "One axis as several, outermost first. A part whose size is not known takes what is left.",
    (call) => {
      const x = call.tensor("x");
      const { from, to } = arrow(call, "axes");
      if (from.kind !== "name") return call.fail("MOE2095", {}, "axes");
      const axis = call.axisOf(x, from.name.text, "axes");
      const into = parts(call, axis.size, call.axisList(to));
      return result(call.emit("split", [x], { axis: axis.name, into }, ["x"]));
    },
  ),
  builtin(
    "merge",
    "x axes",
    "merge(x: [.., H, K], [H, K] -> D) -> [.., D]",
    "Several axes as one, the first outermost.",
    (call) => {
      const x = call.tensor("x");
      const { from, to } = arrow(call, "axes");
      const names = call.axisList(from).map((axis) => axis.name);
      if (to.kind !== "name") return call.fail("MOE2095", {}, "axes");
      for (const name of names) call.axisOf(x, name, "axes");
      const merged = call.emit("merge", [x], { axes: names, into: to.name.text }, ["x"]);
      const axis = typeOf(merged).axes.find(({ name }) => name === to.name.text);
      if (axis) call.introduce(axis.name, axis.size);
      return result(merged);
    },
  ),
  builtin(
    "concat",
    "a b over",
    "concat(a: [.., P], b: [.., P], over: P) -> [.., P]",
    "One behind the other along an axis; the other axes agree.",
    (call) => {
      const a = call.tensor("a");
      const b = call.tensor("b");
      const over = call.axis("over");
      call.axisOf(a, over, "over");
      call.axisOf(b, over, "b");
      const strange = typeOf(b).axes.find((axis) => !typeOf(a).axes.some(({ name }) => name === axis.name));
      if (strange) {
        const allowed = typeOf(a)
          .axes.map(({ name }) => name)
          .join(", ");
        return call.fail("MOE2050", { op: "concat", axis: strange.name, allowed }, "b");
      }
      const own = typeOf(b).axes.find((axis) => axis.name === over)!;
      const order = typeOf(a).axes.map((axis) => (axis.name === over ? own : axis));
      return result(
        call.emit("concat", [a, expanded(call.walk, b, order, call.spanOf("b"))], { axis: over }, ["a", "b"]),
      );
    },
  ),
  builtin(
    "shift",
    "x axis by fill?",
    "shift(x: [.., T, ..], T, by: 1, fill: 0) -> x",
    "Moves entries along an axis: y[i] = x[i - by], `fill` where there is none.",
    (call) => {
      const x = call.tensor("x");
      const axis = call.axis("axis");
      call.axisOf(x, axis, "axis");
      const by = sizeOf(call.number("by"))?.constant;
      if (by === undefined && !call.walk.options.generic)
        return call.fail("MOE2087", { found: "an unknown number" }, "by");
      return result(call.emit("shift", [x], { axis, by: by ?? 1, fill: call.double("fill", 0) }, ["x"]));
    },
  ),
  builtin(
    "index",
    "axis",
    "index(T) -> i32[T]",
    "The axis's own coordinate: 0, 1, 2, …; `index([P = 2])` makes its axis.",
    (call) => result(coordinate(call, Size.zero)),
  ),
  builtin(
    "position",
    "axis",
    "position(T) -> i32[T]",
    "Positions of the tokens of this call: behind those of the text that caches and states have seen, where an index starts at 0.",
    (call) => result(coordinate(call, Size.of(PAST))),
  ),
  builtin("expand", "x axes", "expand(x, [K = 4]) -> [K, ..]", "Repeats along new axes.", (call) => {
    let x = call.tensor("x");
    for (const axis of call.newAxes("axes")) {
      call.introduce(axis.name, axis.size);
      x = call.emit("expand", [x], { axis: axis.name, size: axis.size }, ["x"]);
    }
    return result(x);
  }),
  builtin(
    "order",
    "x axes",
    "order(x, [D, T]) -> [D, T]",
    "The same tensor with its axes in this order in memory.",
    (call) => {
      const x = call.tensor("x");
      const axes = call.axes("axes");
      for (const axis of axes) call.axisOf(x, axis, "axes");
      return result(call.emit("order", [x], { axes }, ["x"]));
    },
  ),
  builtin(
    "scatter",
    "values ids axes",
    "scatter(values: [.., N, ..], ids: i32[.., N], N -> V) -> [.., V, ..]",
    "Adds each value to the row that its id names; ids outside are dropped. `N -> [V = 8]` gives V a size.",
    (call) => {
      const values = call.tensor("values");
      const { from, to } = arrow(call, "axes");
      const [source] = call.axisList(from);
      const [into] = call.axisList(to);
      if (!source || !into) return call.fail("MOE2095", {}, "axes");
      if (!into.size) return call.fail("MOE2096", { axis: into.name }, "axes");
      call.introduce(into.name, into.size);
      const ids = call.tensor("ids");
      call.axisOf(ids, source.name, "ids");
      const order = [
        ...typeOf(ids)
          .axes.map(({ name }) => name)
          .filter((name) => name !== source.name),
        source.name,
      ];
      const last = ordered(call.walk, ids, order, call.spanOf("ids"));
      return result(
        call.emit("scatter", [last, values], { axis: into.name, size: into.size, mode: "add" }, ["ids", "values"]),
      );
    },
  ),
  builtin(
    "size",
    "axis",
    "size(T) -> number",
    "How many entries an axis has; the same as its name in arithmetic.",
    (call) => {
      const value = call.value("axis");
      return value.kind === "axis" ? { kind: "number", number: integer(value.size) } : call.fail("MOE2095", {}, "axis");
    },
  ),
  builtin(
    "stop_gradient",
    "x",
    "stop_gradient(x) -> x",
    "The same values; training sends no gradient through.",
    (call) => call.value("x"),
  ),
  builtin("dense", "x", "dense(x) -> x", "A sparse parameter as an ordinary tensor.", (call) => call.value("x")),
];

function coordinate(call: BuiltinCall, offset: Size) {
  if (call.expression("axis").kind === "list") {
    const [axis, ...more] = call.newAxes("axis");
    if (!axis || more.length > 0) return call.fail("MOE2095", {}, "axis");
    call.introduce(axis.name, axis.size);
    return call.emit("index", [], { axis: axis.name, size: axis.size, offset });
  }
  const name = call.axis("axis");
  const known = call.place.scope.lookup(name)?.value();
  if (known?.kind === "unknown" || (!known && call.place.scope.tainted)) throw new Stop();
  if (known?.kind !== "axis") return call.fail("MOE2096", { axis: name }, "axis");
  const made = emit(call.walk, "index", [], { axis: known.name, size: known.size, offset }, call.span);
  if (!made?.[0]) throw new Stop();
  return made[0];
}
