/**
 * Stored blocks as numbers, in kernel IR: for each storage type how 32 of its values come out of a block. The layouts
 * are those of `checkpoints/k-quants.ts`. Every product of scale and quant has at most 24 bits, so it is exact in f32,
 * and the one subtraction or addition behind it rounds as the plain decoder does.
 */
import {
  add,
  and,
  compare,
  constant,
  convert,
  join,
  mul,
  or,
  select,
  shl,
  shr,
  shru,
  sub,
  widen,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import type { StorageType } from "../../checkpoints/types.js";

/** 32 numbers as eight vectors of four, in order. */
export type Values = readonly Expression[];

/** Where a block lies. */
export interface Source {
  readonly k: KernelBuilder;
  /** Bytes. */
  readonly buffer: BufferHandle;
  /** First byte of the block. */
  readonly at: Expression;
}

/** Calls `each` with the values of every run of 32 of one block, from the first on. */
export type BlockReader = (source: Source, each: (values: Values, run: number) => void) => void;

const byte = ({ k, buffer, at }: Source, offset: number): Expression => k.load(buffer, add(at, offset));
const signedByte = ({ k, buffer, at }: Source, offset: number): Expression =>
  k.load(buffer, add(at, offset), { as: "i8" });
const half = ({ k, buffer, at }: Source, offset: number): Expression =>
  k.let("half", k.load(buffer, add(at, offset), { as: "f16" }));

/** Sixteen bytes as lanes. */
const bytes = ({ k, buffer, at }: Source, offset: number): Expression =>
  k.let("bytes", k.load(buffer, add(at, offset), { lanes: 16, element: "i8" }));

/** Sixteen small whole numbers as four vectors of i32. */
function widened(k: KernelBuilder, lanes: Expression): Values {
  const kept = k.let("lanes", lanes);
  return (["low", "high"] as const).flatMap((half) => {
    const pairs = k.let("pairs", widen(kept, half, false));
    return [widen(pairs, "low", false), widen(pairs, "high", false)];
  });
}

/** Quants that are the low halves of 16 bytes, then the high ones. */
function halves(source: Source, offset: number): Values {
  const pairs = bytes(source, offset);
  return [and(pairs, 15), shru(pairs, 4)].flatMap((lanes) => widened(source.k, lanes));
}

/** Fifth bit of each lane of vector `v`, as 0 or 16. `bits` holds those of all 32 values, the first lowest. */
const fifthOf = (bits: Expression, v: number): Expression => {
  const masks = join([0, 1, 2, 3].map((lane) => constant((1 << (4 * v + lane)) | 0, bits.type)));
  return select(compare("ne", and(bits, masks), 0), constant(16, masks.type), 0);
};

const fifthBits = (source: Source, offset: number): Expression =>
  source.k.let(
    "bits",
    [1, 2, 3].reduce((all, i) => or(all, shl(byte(source, offset + i), 8 * i)), byte(source, offset)),
  );

/** scale * quant + minimum */
const affine = (scale: Expression, quants: Values, minimum: Expression): Values =>
  quants.map((quant) => add(mul(convert(quant, "f32"), scale), minimum));

/** Six-bit scale of run `run` of eight, and its minimum: see `k-quants.ts`. */
function scaleOf(source: Source, offset: number, run: number): Expression {
  if (run < 4) return and(byte(source, offset + run), 63);
  return or(and(byte(source, offset + 4 + run), 15), shl(shr(byte(source, offset + run - 4), 6), 4));
}
function minimumOf(source: Source, offset: number, run: number): Expression {
  if (run < 4) return and(byte(source, offset + 4 + run), 63);
  return or(shr(byte(source, offset + 4 + run), 4), shl(shr(byte(source, offset + run), 6), 4));
}

/** q4_K, and q5_K when its fifth bits lie at `fifth`. */
function superblock(quantsAt: number, fifth?: number): BlockReader {
  return (source, each) => {
    const { k } = source;
    const [d, n] = [half(source, 0), half(source, 2)];
    for (let run = 0; run < 8; run++) {
      const scale = k.let("scale", mul(d, convert(scaleOf(source, 4, run), "f32")));
      const minimum = k.let("minimum", mul(n, convert(minimumOf(source, 4, run), "f32")));
      const quants = [0, 16].flatMap((first) => {
        const pairs = bytes(source, quantsAt + (run >> 1) * 32 + first);
        const low = (run & 1) === 0 ? and(pairs, 15) : shru(pairs, 4);
        if (fifth === undefined) return widened(k, low);
        return widened(k, or(low, shl(and(shru(bytes(source, fifth + first), run), 1), 4)));
      });
      each(
        quants.map((quant) => sub(mul(convert(quant, "f32"), scale), minimum)),
        run,
      );
    }
  };
}

const readQ6K: BlockReader = (source, each) => {
  const { k } = source;
  const d = half(source, 208);
  // Two halves of 128; in each four quarters of 32 share bytes, and each 16 values have a scale.
  for (let run = 0; run < 8; run++) {
    const [part, quarter] = [run >> 2, run & 3];
    const values = [0, 1].flatMap((side) => {
      const scale = k.let("scale", mul(d, convert(signedByte(source, 192 + 2 * run + side), "f32")));
      const low = bytes(source, part * 64 + (quarter & 1) * 32 + 16 * side);
      const high = bytes(source, 128 + part * 32 + 16 * side);
      const quants = or(quarter < 2 ? and(low, 15) : shru(low, 4), shl(and(shru(high, quarter * 2), 3), 4));
      return widened(k, quants).map((quant) => mul(convert(sub(quant, 32), "f32"), scale));
    });
    each(values, run);
  }
};

/** Types whose numbers lie side by side. */
const plain =
  (as: "f32" | "f16" | "bf16", size: number): BlockReader =>
  (source, each) =>
    each(
      Array.from({ length: 8 }, (_, v) => source.k.load(source.buffer, add(source.at, 4 * v * size), { lanes: 4, as })),
      0,
    );

/** How blocks are read; plain types in runs of 32. Types that are not here become blocks in another way. */
export const blockReaders: Readonly<Partial<Record<StorageType, BlockReader>>> = {
  f32: plain("f32", 4),
  f16: plain("f16", 2),
  bf16: plain("bf16", 2),
  q4_1: (source, each) => each(affine(half(source, 0), halves(source, 4), half(source, 2)), 0),
  q5_1: (source, each) => {
    const bits = fifthBits(source, 4);
    const quants = halves(source, 8).map((low, v) => or(low, fifthOf(bits, v)));
    each(affine(half(source, 0), quants, half(source, 2)), 0);
  },
  q4_K: superblock(16),
  q5_K: superblock(48, 16),
  q6_K: readQ6K,
};
