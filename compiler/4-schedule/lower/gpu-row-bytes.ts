/**
 * The row of a block as bytes in its shared memory, where a dispatch to make them for all blocks costs more than that each
 * makes its own. Long rows come in parts, so that the memory does not grow with them.
 */
import { add, constant, min, mul, sub, thread } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { blockElements } from "../micro/layouts.js";
import { quantizeBlocks } from "../micro/quantize.js";
import type { Emitter } from "./emitter.js";
import type { BlockRange, RowBytes } from "./gpu-bytes.js";
import { productThreads } from "./gpu-shape.js";

/** Blocks of 32 columns of a part: 4.5 KiB, which leave room for the sums of four products. */
const partBlocks = 128;

/** Some blocks of columns of the row. */
export interface RowPart {
  readonly row: RowBytes;
  readonly range: BlockRange;
  /** Makes the bytes from the activations, which begin at an element of `x`. Threads share the blocks. */
  readonly quantize: (x: BufferHandle, start: Expression) => void;
}

/** `visit` writes what happens with a part. */
export function rowParts({ builder }: Emitter, depth: number, visit: (part: RowPart) => void): void {
  const blocks = depth / blockElements;
  const most = Math.min(blocks, partBlocks);
  const quants = builder.blockBuffer("quants", "i8", "shared", most * blockElements);
  const scales = builder.blockBuffer("quant_scales", "f32", "shared", most);
  const row: RowBytes = { quants, quantStart: 0, scales, scaleStart: 0 };
  const part = (first: Expression, count: Expression): void =>
    visit({
      row,
      range: { first, count },
      quantize: (x, start) =>
        builder.loop("own", thread, count, productThreads, (own) => {
          const from = builder.let("from", add(start, mul(add(own, first), blockElements)));
          quantizeBlocks(builder, x, from, { quants, scales, inWords: true }, mul(own, blockElements), 1);
        }),
    });
  if (blocks === most) return part(constant(0), constant(blocks));
  builder.loop("first", 0, blocks, most, (first) => {
    part(first, builder.let("count", min(sub(blocks, first), most)));
    // The next part is written where this one is read.
    builder.barrier();
  });
}
