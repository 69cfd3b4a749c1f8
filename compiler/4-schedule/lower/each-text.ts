/** `each_text`: the launches of one text for each text of the call. Everything around them runs once for all texts. */
import type { Node } from "../../2-graph/ir.js";
import { Size } from "../../axes/size.js";
import type { TensorType } from "../../ops/types.js";
import type { LoopFrame } from "./entry-lowering.js";
import type { RegionLowering } from "./region.js";
import { turnOf } from "./repetition.js";
import type { LoweredValue } from "./routes.js";
import type { Stored, Tensor } from "./tensor.js";

/** The row of the text that the loop is at, the axis kept with size 1. */
function rowOf(all: Stored, axis: string, loop: LoopFrame): Stored {
  const axes = all.axes.map((each) => (each.name === axis ? { name: axis, size: Size.one } : each));
  return turnOf(all, axis, loop, axes, `a row along ${axis}`);
}

export function lowerEachText(
  lowering: RegionLowering,
  node: Node,
  operands: readonly LoweredValue[],
): readonly LoweredValue[] {
  const { entry } = lowering;
  const texts = node.attrs.texts as Size;
  const rows = node.attrs.rows as readonly string[];
  const results = node.attrs.results as readonly string[];
  const name = lowering.loopName("text");
  const loop: LoopFrame = { name, stack: "", count: entry.program.bound(texts), turns: texts, texts: true };
  // Everything that a turn reads or writes of the whole lies in memory before the loop.
  const whole = operands.slice(0, rows.length).map((value) => lowering.deferred(value as Tensor).force());
  const captures = lowering.settledAll(operands.slice(rows.length));
  const made = node.results.map(({ type }, index) => {
    const { dtype, axes } = type as TensorType;
    const row = axes.filter((axis) => axis.name === results[index]);
    return entry.allocate("each_text", dtype, [...row, ...axes.filter((axis) => !row.includes(axis))]);
  });
  entry.loop(loop, () => {
    const own = whole.map((value, index) => rowOf(value, rows[index]!, loop));
    const values = lowering.run(node.regions[0]!, [...own, ...captures]);
    values.forEach((value, index) => void entry.store(value as Tensor, rowOf(made[index]!, results[index]!, loop)));
  });
  return made;
}
