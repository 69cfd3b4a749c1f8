/**
 * Which products have the same kernel, known before it is written. Layers multiply by matrices of the same form again
 * and again, and writing such a kernel takes long: ways for one, two, three and many rows, unrolled. So a kernel is
 * sketched first: all of it but the tiles, and of the ways that for one row. The rest follows from the sketch, from the
 * forms of the tiles, and from where the rows lie that the tiles read.
 */
import { sameKernel } from "../kernel-identity.js";
import type { Kernel } from "../kernel-ir.js";
import { Coordinate } from "./coordinate.js";
import type { EmittedKernel, Emitter } from "./emitter.js";
import { rowStart, storedRow } from "./product-rows.js";
import { mostRowsTogether, type TileWriter } from "./product-tiles.js";
import type { Product } from "./product.js";
import { placeKey } from "./storage.js";

/** A kernel without its tiles. */
export interface Sketch extends EmittedKernel {
  /** What decides the tiles. */
  readonly tiles: string;
}

/** Form of a product's matrix, and which of the matrices of the kernel it is. */
function formOf({ layout, weight }: Product, products: readonly Product[]): string {
  const { name, storage, tiles, tileBytes, height, depth, batch } = layout;
  const places = products.map((product) => placeKey(product.weight.place));
  const sizes = [tiles, tileBytes, height, depth, ...batch.map(({ size }) => size)];
  return [name, storage, places.indexOf(placeKey(weight.place)), ...sizes].join(" ");
}

/** Takes down what decides the tiles. */
export class Sketching {
  private readonly places: string[] = [];

  constructor(private readonly emitter: Emitter) {}

  /** In the place of the writer of a product: only where rows lie that it would read, by all ways to name them. */
  writer(writer: TileWriter, { input }: Product): TileWriter {
    const { builder } = this.emitter;
    const note = (row: Coordinate): void => {
      for (let i = 0; i < mostRowsTogether; i++) {
        const at = row.plus(Coordinate.number(i));
        // Floats are read where the row begins, integers by the number of the row.
        for (const place of [rowStart(this.emitter, input, at), storedRow(this.emitter, input, at)]) {
          this.places.push(place.key);
          builder.let("place", this.emitter.index(place));
        }
      }
    };
    return {
      ...writer,
      few: ({ rows }) => {
        note(rows[0]!);
        this.emitter.loop("row", 0, 1, 1, undefined, note);
      },
    };
  }

  finish(products: readonly Product[], together: number): Sketch {
    const forms = products.map((product) => formOf(product, products));
    return { ...this.emitter.finish(), tiles: [together, ...forms, ...this.places].join("\n") };
  }
}

/** Kernels that were written, by their sketches. */
export class SketchedKernels {
  private readonly written = new Map<string, { readonly sketch: Kernel; readonly name: string }[]>();

  /** Name of the kernel of an equal sketch. */
  find({ tiles, kernel }: Sketch): string | undefined {
    return this.written.get(tiles)?.find(({ sketch }) => sameKernel(sketch, kernel))?.name;
  }

  /** A kernel is kept where its arguments are those of its sketch, so that a launch can take them from another one. */
  add(sketch: Sketch, { buffers, scalars }: EmittedKernel, name: string): void {
    const argumentsOf = (of: Pick<EmittedKernel, "buffers" | "scalars">): string =>
      JSON.stringify([of.buffers, of.scalars]);
    if (argumentsOf(sketch) !== argumentsOf({ buffers, scalars })) return;
    const alike = this.written.get(sketch.tiles) ?? [];
    this.written.set(sketch.tiles, [...alike, { sketch: sketch.kernel, name }]);
  }
}
