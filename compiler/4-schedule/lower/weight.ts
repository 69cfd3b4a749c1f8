/** A parameter: a tensor in the weights space under one of the layouts. */
import { Size } from "../../axes/size.js";
import type { DType } from "../../ops/types.js";
import { and, constant, convert, mul, select, shr, sub, compare } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { blockSize, type PlanesLayout, type WeightLayout } from "../layout/layouts.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { BufferPlace } from "./storage.js";
import { rowMajor, Stored, Tensor, variablesOf, type Hoist, type TensorAxis } from "./tensor.js";

export class Weight extends Tensor {
  constructor(
    dtype: DType,
    axes: readonly TensorAxis[],
    readonly place: BufferPlace,
    readonly layout: WeightLayout,
    /** Leading axes that still enumerate layers. */
    readonly layerAxes: number,
    readonly path: string,
  ) {
    super(dtype, axes);
  }

  /** Dense rows are like any other tensor in memory. */
  simplified(): Tensor {
    const { layout } = this;
    if (layout.name !== "rows") return this;
    const strides = new Map(rowMajor(this.axes.slice(this.layerAxes)));
    const bytes = layout.storage === "f16" || layout.storage === "bf16" ? 2 : 4;
    let step = Size.of(layout.layerBytes / bytes);
    for (const axis of this.axes.slice(0, this.layerAxes).reverse()) {
      strides.set(axis.name, step);
      step = step.times(axis.size);
    }
    return new Stored(this.dtype, this.axes, this.place, layout.storage, strides);
  }

  /** The layer that the loop is in. */
  layered(loop: string): Weight {
    const rest = this.axes.slice(1);
    const inner = rest.slice(0, this.layerAxes - 1).reduce((count, axis) => count * (axis.size.constant ?? 1), 1);
    const strides = { ...this.place.strides, [loop]: inner * this.layout.layerBytes };
    return new Weight(this.dtype, rest, { ...this.place, strides }, this.layout, this.layerAxes - 1, this.path);
  }

  /** Only the layers from `from` on. */
  layersFrom(from: Size, count: Size): Weight {
    const [first, ...rest] = this.axes;
    const inner = rest.slice(0, this.layerAxes - 1).reduce((n, axis) => n * (axis.size.constant ?? 1), 1);
    const offset = this.place.offset.plus(from.times(Size.of(inner * this.layout.layerBytes)));
    const axes = [{ ...first!, size: count }, ...rest];
    return new Weight(this.dtype, axes, { ...this.place, offset }, this.layout, this.layerAxes, this.path);
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const own = this.own(at);
    if (this.layout.name === "rows") return this.simplified().read(emitter, own);
    const layout = this.layout;
    return emitter.once(variablesOf(own), this.key(own), () =>
      emitter.lanewise(own, (lane) => this.quantized(emitter, layout, lane)),
    );
  }

  private quantized(emitter: Emitter, layout: PlanesLayout, at: Coordinates): Expression {
    let layer = Coordinate.zero;
    for (const axis of this.axes.slice(0, this.layerAxes)) layer = layer.times(axis.size).plus(at.get(axis.name)!);
    let row = Coordinate.zero;
    for (const axis of this.axes.slice(this.layerAxes)) {
      if (axis.name !== layout.contracted) row = row.times(axis.size).plus(at.get(axis.name)!);
    }
    const column = at.get(layout.contracted)!;
    const block = column.dividedBy(Size.of(blockSize));
    const scales = emitter.buffer(
      { ...this.place, offset: this.place.offset.plus(Size.of(layout.scalesAt)) },
      "f16",
      "read",
    );
    const scaleAt = layer
      .times(Size.of(layout.layerBytes / 2))
      .plus(row.times(Size.of(layout.depth / blockSize)))
      .plus(block);
    const quants = emitter.buffer(this.place, layout.storage === "q8_0" ? "i8" : "u8", "read");
    const base = layer.times(Size.of(layout.layerBytes));
    const quant =
      layout.storage === "q8_0"
        ? emitter.load(quants, base.plus(row.times(Size.of(layout.depth))).plus(column))
        : this.nibble(emitter, quants, base.plus(row.times(Size.of(layout.depth / 2))), column);
    return mul(convert(quant, "f32"), emitter.load(scales, scaleAt));
  }

  private nibble(
    emitter: Emitter,
    quants: ReturnType<Emitter["buffer"]>,
    rowStart: Coordinate,
    column: Coordinate,
  ): Expression {
    const half = Size.of(blockSize / 2);
    const within = column.modulo(Size.of(blockSize));
    const at = rowStart.plus(column.dividedBy(Size.of(blockSize)).times(half)).plus(within.modulo(half));
    const byte = emitter.load(quants, at);
    const high = compare("ge", emitter.index(within), blockSize / 2);
    return sub(select(high, shr(byte, 4), and(byte, constant(15))), constant(8));
  }

  override get hoists(): readonly Hoist[] {
    return [];
  }
  override get cost(): number {
    return this.layout.name === "rows" ? 1 : 4;
  }
  override lanesAlong(axis: string): boolean {
    return this.layout.name === "planes" && axis === this.layout.contracted;
  }
}
