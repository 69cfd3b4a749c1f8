/**
 * Sums of a block by the instruction that multiplies sixteen bytes and adds four products to each lane, where the engine
 * has it for all bytes (`dotQuads: "either"`). Some engines read the bytes of weights as unsigned (x86-64), some as signed
 * (ARM, newer x86-64); a kernel asks by a product of constants. Where they are unsigned, q8 goes in plus 128: the top bits
 * are flipped, and sums begin with -128 times the sum of the activations. Numbers of q4 are stored plus 8, 0..15, which
 * all read alike; their sums begin with -8 times that sum.
 */
import {
  add,
  bitcast,
  compare,
  constant,
  dotQuadsEither,
  extract,
  mul,
  select,
  shuffle,
  xor,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import {
  fourTimes,
  i32x4,
  sixteenBytes,
  vectors,
  withoutOffset,
  type BlockDots,
  type Integers,
  type Sums,
  type TokenRow,
} from "./block-sums.js";
import { blockElements, scaleBytes } from "./layouts.js";
import { halvesAt, unpackHalves } from "./q4-halves.js";

const i8x16 = registerType("i8", 16);

/** Groups of four columns in a block. */
const fours = blockElements / 4;

/** Four lanes above zero where the engine reads bytes of weights as unsigned (4 * 128), below where as signed. */
const probe = dotQuadsEither(constant(1, i8x16), constant(-128, i8x16), constant(0, i32x4));

/** The top bits of sixteen bytes where the engine reads them as unsigned, else no bits. */
const topBits = (k: KernelBuilder): Expression =>
  k.let("top_bits", bitcast(select(compare("gt", probe, 0), constant(-0x7f7f7f80, i32x4), constant(0, i32x4)), "i8"));

/** Sums of a block, which begin with what takes the offset of the weights off. */
function begun(k: KernelBuilder, tokens: readonly TokenRow[], block: Expression): Sums {
  return tokens.map((row) => {
    const start = withoutOffset(k, row, block);
    return vectors.map(() => k.variable("integer", start, i32x4));
  });
}

/** Adds the products of sixteen weights of each vector with four activations of each token. */
function addFour(
  k: KernelBuilder,
  sums: Sums,
  tokens: readonly TokenRow[],
  at: (token: number) => Expression,
  weights: (vector: number) => Expression,
): void {
  const activations = tokens.map((row, token) => fourTimes(k, row, at(token)));
  for (const vector of vectors) {
    const w = weights(vector);
    activations.forEach((x, token) => {
      const sum = sums[token]![vector]!;
      sum.set(dotQuadsEither(x, w, sum.get));
    });
  }
}

const integersOf =
  (sums: Sums): Integers =>
  (token, vector) =>
    sums[token]![vector]!.get;

/** Unpacked bytes of both storages: for each four columns the four vectors. */
const sums: BlockDots["sums"] = (k, tokens, { quants, first, block, starts }) => {
  const integers = begun(k, tokens, block);
  const weights = (four: number, vector: number): Expression =>
    k.let("w", k.load(quants, add(first, 64 * four + 16 * vector), sixteenBytes));
  // In one piece: engines that have the instruction keep the order of loads and products.
  for (let four = 0; four < fours; four++) {
    addFour(
      k,
      integers,
      tokens,
      (token) => add(starts[token]!, 4 * four),
      (vector) => weights(four, vector),
    );
  }
  return integersOf(integers);
};

/** i16 lanes of two vectors of eight in turn, from the first halves or from the second. */
const interleaved = [0, 4].map((from) => [0, 1, 2, 3].flatMap((lane) => [from + lane, 8 + from + lane]));

/**
 * Columns 4 * four .. 4 * four + 3 of the rows of all vectors. Records have two columns of a row side by side, eight rows
 * in sixteen bytes: those of the two columns and of the next two are put together.
 */
function quadsOf(
  k: KernelBuilder,
  bytes: BufferHandle,
  record: Expression,
  four: Expression,
  flipped: Expression,
): readonly Expression[] {
  return [0, 1].flatMap((half) => {
    const at = add(add(record, mul(four, 64)), scaleBytes + 16 * half);
    const pairs = [at, add(at, 32)].map((from) =>
      k.let("pairs", bitcast(xor(k.load(bytes, from, sixteenBytes), flipped), "i16")),
    );
    return interleaved.map((lanes) => k.let("w", bitcast(shuffle(pairs[0]!, pairs[1]!, lanes), "i8")));
  });
}

/** q8, by a register with what is flipped, which lies before all that a kernel does. */
export function q8QuadDots(k: KernelBuilder): BlockDots {
  const flipped = topBits(k);
  return {
    storage: "q8_0",
    unpacked: "i8",
    together: () => 4,
    packed(_, tokens, { bytes, record, block, starts }) {
      const integers = begun(k, tokens, block);
      k.loop("four", 0, fours, 1, (four) => {
        const quads = quadsOf(k, bytes, record, four, flipped);
        addFour(
          k,
          integers,
          tokens,
          (token) => add(starts[token]!, mul(four, 4)),
          (vector) => quads[vector]!,
        );
      });
      return integersOf(integers);
    },
    unpack: (_, bytes, record, target, to) =>
      k.loop("four", 0, fours, 1, (four) =>
        quadsOf(k, bytes, record, four, flipped).forEach((quad, vector) =>
          k.store(target, add(add(to, mul(four, 64)), 16 * vector), quad),
        ),
      ),
    sums,
  };
}

/** What the sum of a block of activations is multiplied by where q8 weights follow. */
export const q8Offset = (): Expression => select(compare("gt", extract(probe, 0), 0), constant(-128), constant(0));

export const q4QuadDots: BlockDots = {
  storage: "q4_0",
  unpacked: "i8",
  together: () => 4,
  packed(k, tokens, { bytes, record, block, starts }) {
    const integers = begun(k, tokens, block);
    k.loop("eight", 0, fours / 2, 1, (eight) => {
      const halves = vectors.map((vector) => halvesAt(k, bytes, record, eight, vector));
      for (const half of [0, 1] as const) {
        const at = (token: number): Expression => add(starts[token]!, add(mul(eight, 8), 4 * half));
        addFour(k, integers, tokens, at, (vector) => halves[vector]![half]);
      }
    });
    return integersOf(integers);
  },
  unpack: unpackHalves,
  sums,
};
