/** Which GPU kernel a product gets: by rows for few of them, by tiles for many; and how the blocks are shared out. */
import { Size } from "../../axes/size.js";
import { tileRows } from "../micro/layouts.js";
import { listedExperts, type Grouping } from "./grouping.js";
import type { Product } from "./product.js";
import { elements } from "./tensor.js";

/** Threads of a block that computes products. */
export const productThreads = 64;
/** Rows of a tile of outputs. */
export const tileHeight = 32;
/** Columns of a tile of outputs, over all products of the kernel. */
const tileWidth = 64;
/** Elements of the contracted axis that lie in shared memory at a time: one block of the quantized formats. */
export const tileDepth = 32;
/** Rows from which on a plain product is computed by tiles. */
const manyRows = 5;
/** Rows per expert, on average, from which on a product of experts is. */
const manyPerExpert = 2;
/** Products up to which a kernel of tiles has room for the weights of all, and one of rows for sums of bytes. */
export const mostTiled = 4;

/** Tiles of 16 outputs that one block computes by rows: more of them share what is read of the activations. */
export function tilesBeside(products: readonly Product[]): number {
  const { tiles } = products[0]!.layout;
  return products.length === 1 && tiles >= 64 ? 4 : tiles >= 16 ? 2 : 1;
}

/** Tiles of 16 outputs of each product that one block of tiles computes: no more than a product has. */
export function tilesAcross(products: readonly Product[]): number {
  return Math.max(1, Math.min(products[0]!.layout.tiles, Math.floor(tileWidth / tileRows / products.length)));
}

/** 1 when a call has so many rows that tiles pay, 0 when not; a size of the call. */
export function isMany(products: readonly Product[]): Size {
  const [{ experts, input }] = products as readonly [Product, ...Product[]];
  if (products.length > mostTiled) return Size.zero;
  if (!experts) return elements(input.rows).reaches(manyRows);
  const { most, routes } = experts.grouping;
  const count = routes.experts.size.constant;
  if (count === undefined || count > listedExperts) return Size.zero;
  return most.reaches(manyPerExpert * count);
}

/** Parts of at most `tileHeight` rows of one expert each: no more than these. */
export function mostParts(grouping: Pick<Grouping, "most" | "routes">): Size {
  return grouping.most.ceilDividedBy(Size.of(tileHeight)).plus(grouping.routes.experts.size);
}
