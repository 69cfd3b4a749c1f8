/**
 * Numbers in blocks of 32 as q8_0 has them: records of an f16 scale and 32 signed bytes. An address counts numbers, so
 * views of such memory are views as of any other; the byte of number a is a + 2 (a div 32) + 2.
 */
import { Size } from "../../axes/size.js";
import { add, convert, mul, shr, splat } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { blockElements } from "../micro/layouts.js";
import { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import { blockBytes, type BufferPlace, scaleBytes } from "./storage.js";
import type { Stored } from "./tensor.js";

const ofBlock = Size.of(blockElements);

/** The number at an address, or in vector mode the lanes: of one block where that is plain. */
export function numberInBlocks(emitter: Emitter, place: BufferPlace, at: Coordinate): Expression {
  const block = at.dividedBy(ofBlock);
  const byte = at.plus(block.times(Size.of(scaleBytes))).plus(Coordinate.number(scaleBytes));
  const quants = convert(emitter.load(emitter.buffer(place, "i8", "read"), byte), "f32");
  const scales = emitter.buffer(place, "f16", "read");
  const scaleAt = block.times(Size.of(blockBytes / 2));
  const { vector } = emitter;
  const isShared = !vector || block.slope(vector.name, vector.lanes)?.constant === 0;
  const scale = isShared ? emitter.scalar(() => emitter.load(scales, scaleAt)) : emitter.load(scales, scaleAt);
  const { lanes } = quants.type;
  return mul(quants, scale.type.lanes === lanes ? scale : splat(scale, lanes));
}

/** Neighbours from an address on; in blocks they are all of one block. */
export function loadNumbers(emitter: Emitter, from: Stored, at: Expression, lanes: number): Expression {
  const { builder } = emitter;
  const { place, format } = from;
  if (format !== "q8_0") return builder.load(emitter.buffer(place, format, "read"), at, { lanes });
  const number = builder.let("number", at);
  const block = builder.let("block", shr(number, Math.log2(blockElements)));
  const byte = add(number, add(mul(block, scaleBytes), scaleBytes));
  const quants = builder.load(emitter.buffer(place, "i8", "read"), byte, { lanes, element: "i32" });
  const scale = builder.let("scale", builder.load(emitter.buffer(place, "f16", "read"), mul(block, blockBytes / 2)));
  return mul(convert(quants, "f32"), lanes === 1 ? scale : splat(scale, lanes));
}

/** Whether what lies side by side along `axis` begins where a block does; true where there are no blocks. */
export function blocksAlong({ axes, format, offset, strides }: Stored, axis: string): boolean {
  if (format !== "q8_0") return true;
  const others = axes.filter(({ name }) => name !== axis).map(({ name }) => strides.get(name)!);
  const isWhole = (size: Size): boolean => size.dividedBy(ofBlock) !== undefined;
  return strides.get(axis)!.constant === 1 && [offset, ...others].every(isWhole);
}
