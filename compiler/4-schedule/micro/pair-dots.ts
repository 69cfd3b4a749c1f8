/**
 * Sums of a block by products of pairs, which all engines have: i16 weights times i16 activations for q8, and bytes of
 * 0..15 times bytes for q4, summed in 16 bits.
 */
import { add, bitcast, constant, dotPairs, dotPairsI8, mul, splat } from "../kernel-expressions.js";
import type { Expression, RegisterType } from "../kernel-ir.js";
import type { KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import {
  fourTimes,
  sixteenBytes,
  vectors,
  withoutOffset,
  type BlockDots,
  type Integers,
  type TokenRow,
} from "./block-sums.js";
import { blockElements, scaleBytes } from "./layouts.js";
import { halvesAt, unpackHalves } from "./q4-halves.js";

const i16x8 = registerType("i16", 8);

/** Sums of i16 weights, which come eight by eight for two columns, times i16 activations. Exact for all values. */
function wordSums(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  starts: readonly Expression[],
  weights: (pair: Expression, vector: number) => Expression,
): Integers {
  const products = (pair: Expression, put: (token: number, vector: number, product: Expression) => void): void => {
    const quants = vectors.map((vector) => k.let("w", weights(pair, vector)));
    tokens.forEach(({ from }, token) => {
      const two = k.load(from.quants, add(starts[token]!, mul(pair, 2)), { as: "i32" });
      const x = k.let("x", bitcast(splat(two, 4), "i16"));
      for (const vector of vectors) put(token, vector, dotPairs(quants[vector]!, x));
    });
  };
  // Sums begin with the first products: no zeros, no additions to them.
  const integers = tokens.map((): Variable[] => []);
  products(constant(0), (token, vector, product) => {
    integers[token]![vector] = k.variable("integer", product);
  });
  k.loop("pair", 1, blockElements / 2, 1, (pair) =>
    products(pair, (token, vector, product) => {
      const sum = integers[token]![vector]!;
      sum.set(add(sum.get, product));
    }),
  );
  return (token, vector) => integers[token]![vector]!.get;
}

/** Eight bytes of a record, as i16: four rows of two columns each. */
const wordsOfPair = { lanes: 8, element: "i16" } as const;

/** q8: bytes become i16 as they are read, or once for many tokens. */
export const q8PairDots: BlockDots = {
  storage: "q8_0",
  unpacked: "i16",
  // Three tokens by two vectors, twice, took as long as the sums that do not stay in registers.
  together: () => 4,
  packed: (k, tokens, { bytes, record, starts }) =>
    wordSums(k, tokens, starts, (pair, vector) =>
      k.load(bytes, add(add(record, mul(pair, 32)), scaleBytes + vector * 8), wordsOfPair),
    ),
  unpack: (k, bytes, record, target, to) =>
    k.loop("pair", 0, 16 * blockElements, 4 * 8, (pair) => {
      for (const vector of vectors) {
        const at = add(pair, 8 * vector);
        k.store(target, add(to, at), k.load(bytes, add(add(record, at), scaleBytes), wordsOfPair));
      }
    }),
  sums: (k, tokens, { quants, first, starts }) =>
    wordSums(k, tokens, starts, (pair, vector) =>
      k.load(quants, add(add(first, mul(pair, 32)), vector * 8), wordsOfPair),
    ),
};

/** Two tokens by four vectors are 8 sums, three by two 6: with weights and activations V8 has room for 10. */
const together = (tokens: number): 2 | 4 => (tokens > 2 ? 2 : 4);

/** The vectors that go together with `first`. */
const from = (tokens: number, first: number): readonly number[] => vectors.slice(first, first + together(tokens));

/** Registers for the sums of some vectors. */
function sumsOf(
  k: KernelBuilder,
  name: string,
  tokens: number,
  type: RegisterType,
  of: readonly number[],
): (token: number, vector: number) => Variable {
  const sums = Array.from({ length: tokens }, () => new Map(of.map((vector) => [vector, k.variable(name, 0, type)])));
  return (token, vector) => sums[token]!.get(vector)!;
}

/** Integers of a block from sums of i16 pairs: as i32, less the offset. */
function widened(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  block: Expression,
  pairs: (token: number, vector: number) => Variable,
): Integers {
  const offsets = tokens.map((row) => withoutOffset(k, row, block));
  return (token, vector) => add(dotPairs(pairs(token, vector).get, constant(1, i16x8)), offsets[token]!);
}

/** q4: eight products of at most 15 * 127 in pairs stay below 2^15, so a block is summed in i16. */
export const q4PairDots: BlockDots = {
  storage: "q4_0",
  unpacked: "i8",
  together,
  packed(k, tokens, { bytes, record, block, starts }, first) {
    const of = from(tokens.length, first);
    const pairs = sumsOf(k, "pairs", tokens.length, i16x8, of);
    k.loop("eight", 0, 4, 1, (eight) => {
      const activations = tokens.map((row, token) => {
        const at = add(starts[token]!, mul(eight, 8));
        return [fourTimes(k, row, at), fourTimes(k, row, add(at, 4))] as const;
      });
      for (const vector of of) {
        const [lows, highs] = halvesAt(k, bytes, record, eight, vector);
        activations.forEach(([four, next], token) => {
          const sum = pairs(token, vector);
          sum.set(add(add(sum.get, dotPairsI8(four, lows)), dotPairsI8(next, highs)));
        });
      }
    });
    return widened(k, tokens, block, pairs);
  },
  unpack: unpackHalves,
  sums(k, tokens, { quants, first, block, starts }) {
    const pairs = sumsOf(k, "pairs", tokens.length, i16x8, vectors);
    k.loop("four", 0, blockElements / 4, 1, (four) => {
      const w = vectors.map((vector) =>
        k.let("w", k.load(quants, add(add(first, mul(four, 64)), vector * 16), sixteenBytes)),
      );
      tokens.forEach((row, token) => {
        const x = fourTimes(k, row, add(starts[token]!, mul(four, 4)));
        for (const vector of vectors) {
          const sum = pairs(token, vector);
          sum.set(add(sum.get, dotPairsI8(x, w[vector]!)));
        }
      });
    });
    return widened(k, tokens, block, pairs);
  },
};
