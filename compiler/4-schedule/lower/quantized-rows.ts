/**
 * Rows that become blocks of q8_0 as they are written: scale = max|x| / 127, quants rounded half to even. A block with
 * NaN or an infinity is read back as NaN. `checkpoints/cache-rounding.ts` says the same for the reference.
 */
import { Size } from "../../axes/size.js";
import { add, div, max, mul } from "../kernel-expressions.js";
import { blockElements } from "../micro/layouts.js";
import { blockBound, magnitude, quantsOf } from "../micro/quantize.js";
import { Coordinate } from "./coordinate.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowKernel } from "./selection.js";
import { blockBytes, scaleBytes } from "./storage.js";
import type { Stored, Tensor } from "./tensor.js";

/** Numbers that a block of the grid should have at least, unless a row has more. */
const blockWork = 16_384;

/** Rows of f32 with neighbours along the last axis side by side. */
function inRows(entry: EntryLowering, value: Tensor): Stored {
  const known = value.settled;
  const isReady = known?.format === "f32" && known.strides.get(value.axes.at(-1)!.name)!.constant === 1;
  return isReady ? known : entry.store(value, entry.allocate("rows", "f32", value.axes));
}

/** Writes `value` as blocks along its last axis, a multiple of 32 long. `target` has the same axes. */
export function quantizeRows(entry: EntryLowering, value: Tensor, target: Stored): void {
  const source = inRows(entry, value);
  const rows = value.axes.slice(0, -1);
  const last = value.axes.at(-1)!;
  const width = last.size.constant!;
  rowKernel(entry, "quantize", rows, Math.max(1, Math.floor(blockWork / width)), (emitter, row) => {
    const { builder, lanes } = emitter;
    const at = new Map([...row, [last.name, Coordinate.zero]]);
    const numbers = emitter.buffer(source.place, "f32", "read");
    const records = emitter.buffer(target.place, "i8", "write");
    const from = emitter.index(source.address(at));
    const to = emitter.index(target.address(at).dividedBy(Size.of(blockElements)).times(Size.of(blockBytes)));
    emitter.loop("block", 0, width / blockElements, 1, undefined, (_, block) => {
      const first = builder.let("numbers", add(from, mul(block, blockElements)));
      const record = builder.let("record", add(to, mul(block, blockBytes)));
      const steps = Array.from({ length: blockElements / lanes }, (__, i) => i * lanes);
      const vectors = steps.map((step) => builder.let("x", builder.load(numbers, add(first, step), { lanes })));
      const largest = vectors.map(magnitude).reduce((all, one) => max(all, one));
      const { bound, inverse } = blockBound(builder, largest);
      builder.store(records, record, div(bound, 127), { as: "f16" });
      for (const [i, step] of steps.entries()) {
        builder.store(records, add(record, scaleBytes + step), quantsOf(builder, vectors[i]!, inverse));
      }
    });
  });
}
