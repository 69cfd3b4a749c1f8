/**
 * Products of activations with a packed weight. Such a product is not computed when the graph names it but when the
 * element by element formula around it is stored: then one kernel computes all products with the same activations (gate
 * and up of an expert) and the formula (activation, residual, bias) in one walk.
 */
import type { Size } from "../../axes/size.js";
import type { Expression } from "../kernel-ir.js";
import { isMatrix, type MatrixLayout } from "../layout/layouts.js";
import type { Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowAxis, type Grouping } from "./grouping.js";
import { Gathered } from "./mixture.js";
import type { Stored } from "./tensor.js";
import { Deferred, elements, rowMajor, Tensor, View, type Hoist, type TensorAxis } from "./tensor.js";
import { Weight } from "./weight.js";

/** A weight behind renamings, perhaps the one that belongs to the expert of a row. */
interface TracedWeight {
  readonly weight: Weight;
  readonly layout: MatrixLayout;
  /** Name in the declaration to the present name. */
  readonly names: ReadonlyMap<string, string>;
  readonly experts?: {
    readonly grouping: Grouping;
    readonly bank: number;
    readonly first: Size;
    readonly axis: string;
  };
}

function traced(value: Tensor): TracedWeight | undefined {
  const tensor = value instanceof Deferred ? value.current : value;
  if (tensor !== value) return traced(tensor);
  if (tensor instanceof Weight) {
    const { layout } = tensor;
    if (!isMatrix(layout) || tensor.layerAxes > 0) return undefined;
    // Axes keep their places under every renaming of the declaration.
    const names = new Map(layout.axes.map((axis, index) => [axis.name, tensor.axes[index]!.name]));
    return { weight: tensor, layout, names };
  }
  if (tensor instanceof View && tensor.renames) {
    const below = traced(tensor.source);
    if (!below) return undefined;
    const now = new Map([...tensor.renames].map(([name, source]) => [source, name]));
    return { ...below, names: new Map([...below.names].map(([own, name]) => [own, now.get(name) ?? name])) };
  }
  if (tensor instanceof Gathered && tensor.experts) {
    const below = traced(tensor.source);
    if (!below || below.experts) return undefined;
    const { grouping, bank, experts } = tensor;
    return { ...below, experts: { grouping, bank, first: experts.first, axis: experts.axis } };
  }
  return undefined;
}

/** Activations of a product: rows in memory whose columns lie side by side. */
export interface ProductInput {
  readonly stored: Stored;
  /** Axes of the rows of the product. */
  readonly rows: readonly TensorAxis[];
  /** Element of `stored` where a row begins. */
  readonly at: (emitter: Emitter, row: Coordinates) => Coordinates;
  /** Axes of the rows of `stored`. */
  readonly storedRows: readonly TensorAxis[];
}

export class Product extends Tensor {
  owner: ProductValue | undefined;

  constructor(
    readonly input: ProductInput,
    readonly weight: Weight,
    readonly layout: MatrixLayout,
    /** Axes of the outputs, in the order of the weight's rows. */
    readonly outputs: readonly TensorAxis[],
    readonly experts: TracedWeight["experts"],
  ) {
    super("f32", [...input.rows, ...outputs]);
  }

  /** Text of coordinates, to compare. */
  coordinatesKey(at: Coordinates): string {
    return this.key(this.own(at));
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const hand = emitter.atHand.get(this.id);
    if (hand?.key === this.coordinatesKey(at)) return hand.read();
    return this.owner!.force().read(emitter, at);
  }

  override get products(): readonly Product[] {
    return [this];
  }
  override get hoists(): readonly Hoist[] {
    return [];
  }
  override get cost(): number {
    return 2 * this.layout.depth;
  }
  override lanesAlong(axis: string): boolean {
    return this.outputs.at(-1)?.name === axis;
  }
}

/** A product that can be put into memory like any other value. */
export class ProductValue extends Deferred {
  constructor(product: Product, store: (source: Tensor) => Stored) {
    super(product, store);
    product.owner = this;
  }
}

/** The product of `x` and a packed weight, when that is what a contraction is. */
export function productOf(
  entry: EntryLowering,
  x: Tensor,
  weightSide: Tensor,
  over: readonly string[],
  settle: (value: Tensor) => Tensor,
): Tensor | undefined {
  const weight = traced(weightSide);
  if (!weight) return undefined;
  const { layout, names, experts } = weight;
  const now = (axes: readonly { readonly name: string }[]): readonly string[] =>
    axes.map((axis) => names.get(axis.name)!);
  const columns = now(layout.columns);
  const rows = now(layout.rows);
  if (columns.length !== over.length || !columns.every((name) => over.includes(name))) return undefined;
  if (rows.some((name) => x.has(name)) || rows.includes(rowAxis)) return undefined;
  if (layout.batch.length > 1 || (layout.batch.length === 1) !== (experts !== undefined)) return undefined;
  if (experts && names.get(layout.batch[0]!.name) !== experts.axis) return undefined;
  const rowAxes = x.axes.filter((axis) => !over.includes(axis.name));
  if (experts && (rowAxes.length !== 1 || rowAxes[0]!.name !== rowAxis)) return undefined;
  const input = inputOf(entry, x, columns, settle);
  const outputs = rows.map((name) => weightSide.axis(name));
  const product = new Product(input, weight.weight, layout, outputs, experts);
  return new ProductValue(product, (source) => entry.store(source));
}

/** The columns of a tensor lie side by side in this order. */
function isDense(stored: Stored, columns: readonly string[]): boolean {
  if (stored.format !== "f32") return false;
  const wanted = rowMajor(columns.map((name) => stored.axis(name)));
  return columns.every((name) => stored.strides.get(name)!.equals(wanted.get(name)!));
}

function inputOf(
  entry: EntryLowering,
  x: Tensor,
  columns: readonly string[],
  settle: (value: Tensor) => Tensor,
): ProductInput {
  return entry.remembered(`input ${x.id} ${columns.join(",")}`, () => {
    const rows = x.axes.filter((axis) => !columns.includes(axis.name));
    const current = x instanceof Deferred ? x.current : x;
    const gathered = current instanceof Gathered ? current : undefined;
    const below = gathered?.source.stored;
    if (gathered && below && isDense(below, columns)) {
      const storedRows = below.axes.filter((axis) => !columns.includes(axis.name));
      return { stored: below, rows, storedRows, at: (emitter, row) => gathered.sourceAt(emitter, row) };
    }
    const settled = settle(x).stored;
    const stored =
      settled && isDense(settled, columns) ? settled : entry.store(x, denseMemory(entry, x, rows, columns));
    return { stored, rows, storedRows: rows, at: (_, row) => row };
  });
}

function denseMemory(entry: EntryLowering, x: Tensor, rows: readonly TensorAxis[], columns: readonly string[]): Stored {
  const live = rows.filter((axis) => axis.live);
  const rest = rows.filter((axis) => !axis.live);
  return entry.allocate("rows", "f32", [...live, ...rest, ...columns.map((name) => x.axis(name))]);
}

export function rowCount(input: ProductInput): Size {
  return elements(input.rows);
}
