/** A parameter: a tensor in the weights space under one of the layouts. */
import { Size } from "../../axes/size.js";
import type { DType } from "../../ops/types.js";
import { and, compare, constant, convert, mul, select, shr, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import {
  denseBytes,
  isBlocked,
  type BlocksLayout,
  type FixedAxis,
  type MatrixLayout,
  type PlanesLayout,
  type WeightLayout,
} from "../layout/layouts.js";
import { blockElements, recordsOf, scaleBytes, tileRows } from "../micro/layouts.js";
import { isWide } from "../layout/wide.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { BufferPlace } from "./storage.js";
import { blockElement } from "./weight-k.js";
import { wideElement } from "./weight-wide.js";
import { rowMajor, Stored, Tensor, variablesOf, type Hoist, type TensorAxis } from "./tensor.js";

const size = (value: number): Size => Size.of(value);

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
    let step = size(layout.layerBytes / denseBytes[layout.storage]);
    for (const axis of this.axes.slice(0, this.layerAxes).reverse()) {
      strides.set(axis.name, step);
      step = step.times(axis.size);
    }
    return new Stored(this.dtype, this.axes, this.place, layout.storage, strides);
  }

  /** Layers below the outermost of these axes. */
  private innerLayers(axes: readonly TensorAxis[]): number {
    return axes.slice(1, this.layerAxes).reduce((count, axis) => count * (axis.size.constant ?? 1), 1);
  }

  /** The layer that the loop is in. */
  layered(loop: string): Weight {
    const strides = { ...this.place.strides, [loop]: this.innerLayers(this.axes) * this.layout.layerBytes };
    const place = { ...this.place, strides };
    return new Weight(this.dtype, this.axes.slice(1), place, this.layout, this.layerAxes - 1, this.path);
  }

  /** Only the layers from `from` on. */
  layersFrom(from: Size, count: Size): Weight {
    const [first, ...rest] = this.axes;
    const step = size(this.innerLayers(this.axes) * this.layout.layerBytes);
    const place = { ...this.place, offset: this.place.offset.plus(from.times(step)) };
    return new Weight(this.dtype, [{ ...first!, size: count }, ...rest], place, this.layout, this.layerAxes, this.path);
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const own = this.own(at);
    const { layout } = this;
    if (layout.name === "rows") return this.simplified().read(emitter, own);
    return emitter.once(variablesOf(own), this.key(own), () =>
      emitter.lanewise(own, (lane) =>
        layout.name === "planes"
          ? this.fromPlanes(emitter, layout, lane)
          : layout.name === "blocks"
            ? this.fromBlocks(emitter, layout, lane)
            : this.fromMatrix(emitter, layout, lane),
      ),
    );
  }

  private number(
    axes: readonly { readonly name: string; readonly size: Size | number }[],
    at: Coordinates,
  ): Coordinate {
    return axes.reduce(
      (sum, axis) => sum.times(typeof axis.size === "number" ? size(axis.size) : axis.size).plus(at.get(axis.name)!),
      Coordinate.zero,
    );
  }

  private layer(at: Coordinates): Coordinate {
    return this.number(this.axes.slice(0, this.layerAxes), at);
  }

  private fromPlanes(emitter: Emitter, layout: PlanesLayout, at: Coordinates): Expression {
    const layer = this.layer(at);
    const row = this.number(layout.axes.slice(0, -1), at);
    const column = at.get(layout.axes.at(-1)!.name)!;
    const scalesAt = this.place.offset.plus(size(layout.scalesAt));
    const scales = emitter.buffer({ ...this.place, offset: scalesAt }, "f16", "read");
    const scaleAt = layer
      .times(size(layout.layerBytes / 2))
      .plus(row.times(size(layout.depth / blockElements)))
      .plus(column.dividedBy(size(blockElements)));
    const quants = emitter.buffer(this.place, recordsOf[layout.storage].element, "read");
    const base = layer.times(size(layout.layerBytes));
    if (layout.storage === "q8_0") {
      const quant = emitter.load(quants, base.plus(row.times(size(layout.depth))).plus(column));
      return mul(convert(quant, "f32"), emitter.load(scales, scaleAt));
    }
    const half = size(blockElements / 2);
    const within = column.modulo(size(blockElements));
    const byteAt = base
      .plus(row.times(size(layout.depth / 2)))
      .plus(column.dividedBy(size(blockElements)).times(half))
      .plus(within.modulo(half));
    const high = compare("ge", emitter.index(within), blockElements / 2);
    return mul(convert(nibble(emitter.load(quants, byteAt), high), "f32"), emitter.load(scales, scaleAt));
  }

  private fromBlocks(emitter: Emitter, layout: BlocksLayout, at: Coordinates): Expression {
    return blockElement(emitter, this.place, layout, {
      layer: this.layer(at),
      row: this.number(layout.axes.slice(0, -1), at),
      column: at.get(layout.axes.at(-1)!.name)!,
    });
  }

  private fromMatrix(emitter: Emitter, layout: MatrixLayout, at: Coordinates): Expression {
    const row = this.number(layout.rows, at);
    const column = this.number(layout.columns, at);
    if (isWide(layout.name)) {
      return wideElement(emitter, this.place, layout, {
        ...{ row, column },
        layer: this.layer(at),
        batch: this.number(layout.batch, at),
      });
    }
    const tile = this.number(layout.batch, at)
      .times(size(layout.tiles))
      .plus(row.dividedBy(size(tileRows)));
    const lane = row.modulo(size(tileRows));
    const start = this.layer(at)
      .times(size(layout.layerBytes))
      .plus(tile.times(size(layout.tileBytes)));
    if (!isBlocked(layout.storage)) {
      const bytes = denseBytes[layout.storage];
      const panel = this.layer(at)
        .times(size(layout.layerBytes / bytes))
        .plus(tile.times(size(layout.tileBytes / bytes)));
      const buffer = emitter.buffer(this.place, layout.storage, "read");
      return emitter.load(buffer, panel.plus(column.times(size(tileRows))).plus(lane));
    }
    const eight = layout.storage === "q8_0";
    const block = column.dividedBy(size(blockElements));
    const within = column.modulo(size(blockElements));
    const { bytes, element } = recordsOf[eight ? "q8_0" : "q4_0"];
    const record = start.plus(block.times(size(bytes)));
    // Scales are read from the same bytes as f16: all terms of the record's place are even.
    const halves = this.layer(at)
      .times(size(layout.layerBytes / 2))
      .plus(tile.times(size(layout.tileBytes / 2)))
      .plus(block.times(size(bytes / 2)));
    const scale = emitter.load(emitter.buffer(this.place, "f16", "read"), halves.plus(lane));
    const group = size(eight ? 2 : 8);
    const quants = record
      .plus(Coordinate.number(scaleBytes))
      .plus(within.dividedBy(group).times(size(eight ? 32 : 64)))
      .plus(lane.times(size(eight ? 2 : 4)))
      .plus(within.modulo(size(eight ? 2 : 4)));
    const byte = emitter.load(emitter.buffer(this.place, element, "read"), quants);
    if (eight) return mul(convert(byte, "f32"), scale);
    const high = compare("ge", emitter.index(within.modulo(group)), 4);
    return mul(convert(nibble(byte, high), "f32"), scale);
  }

  override get hoists(): readonly Hoist[] {
    return [];
  }
  override get cost(): number {
    return this.layout.name === "rows" ? 1 : 4;
  }
  override lanesAlong(axis: string): boolean {
    const last = (axes: readonly FixedAxis[]): boolean => axes.at(-1)?.name === axis;
    const { layout } = this;
    return layout.name === "planes" || layout.name === "blocks"
      ? last(layout.axes)
      : (layout.name === "panels" || layout.name === "wide-panels") && last(layout.rows);
  }
}

/** A half of a byte, less the offset of 8. */
export function nibble(byte: Expression, high: Expression): Expression {
  return sub(select(high, shr(byte, 4), and(byte, constant(15))), constant(8));
}
