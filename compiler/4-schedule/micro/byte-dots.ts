/** Which instructions multiply block-quantized weights on a target, and what they take activations as. */
import type { Operand } from "../kernel-expressions.js";
import type { KernelBuilder } from "../kernel-builder.js";
import type { Target } from "../../targets/index.js";
import type { BlockDots } from "./block-sums.js";
import { q4PairDots, q8PairDots } from "./pair-dots.js";
import { q4QuadDots, q8Offset, q8QuadDots } from "./quad-dots.js";

export interface ByteDots {
  /** What activations become. */
  readonly quants: "i16" | "i8";
  /**
   * What the sum of a block of activations is multiplied by and added to its products, because weights go in with an
   * offset.
   */
  readonly offset?: Operand;
  /** Called where a kernel begins, once for each of its matrices. */
  readonly open: (k: KernelBuilder) => BlockDots;
}

export function byteDots(storage: BlockDots["storage"], { dotQuads }: Pick<Target, "dotQuads">): ByteDots {
  const quads = dotQuads === "either";
  if (storage === "q4_0") return { quants: "i8", offset: -8, open: () => (quads ? q4QuadDots : q4PairDots) };
  return quads ? { quants: "i8", offset: q8Offset(), open: q8QuadDots } : { quants: "i16", open: () => q8PairDots };
}
