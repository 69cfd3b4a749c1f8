/** How each example of an application is run small: sizes, and what its inputs may hold. */

/** Numbers of an input, by their place, from numbers in -1..1. */
export type InputRule = (x: number, place: number) => number;

export interface Application {
  /** Axes and numbers of the model in place of the published ones. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Inputs that are not any numbers. */
  readonly inputs?: Readonly<Record<string, InputRule>>;
  /** Parameters that are not any numbers, by the end of their path. */
  readonly params?: Readonly<Record<string, InputRule>>;
  /** Sizes of axes that a call decides beside that of tokens. */
  readonly lengths?: Readonly<Record<string, number>>;
  /** Parameters with the published sizes, all and, where its makers say so, active for a token, in millions. */
  readonly published?: readonly [all: number, active?: number];
}

/** Whole numbers below `count`. */
export const below =
  (count: number): InputRule =>
  (x) =>
    Math.floor(((x + 1) / 2) * count);

export const applications: Readonly<Record<string, Application>> = {
  "v-moe": { sizes: { P: 5, N: 9, L: 4, D: 8, H: 2, C: 4, F: 6, E: 4, K: 3 } },
  "mobile-v-moe": { sizes: { P: 5, N: 9, L: 3, R: 2, D: 8, H: 2, C: 4, F: 6, E: 4, K: 3 } },
  "time-moe": { sizes: { L: 2, D: 8, H: 2, C: 4, F: 5, S: 6, E: 4 }, published: [113, 50] },
  "moirai-moe": { sizes: { P: 4, L: 2, D: 8, H: 2, C: 4, F: 5, E: 6 }, published: [117, 11] },
  mmoe: { sizes: { V: 40, N: 3, A: 4, D: 12, F: 6, E: 4, U: 5, J: 3 }, inputs: { features: below(40) } },
  home: { sizes: { V: 40, N: 3, A: 4, D: 12, M: 3, F: 6, R: 2, J: 4, K: 2, S: 2 }, inputs: { features: below(40) } },
  splade: {
    sizes: { V: 20, N: 9, D: 8, H: 2, C: 4, F: 6, L: 2 },
    inputs: { tokens: below(20), real: (_, place) => Number(place < 5) },
  },
  colbert: {
    sizes: { V: 20, N: 9, D: 8, H: 2, C: 4, F: 6, L: 2, P: 5, Q: 3 },
    // The first token is always real: a document of none has no greatest product.
    inputs: { tokens: below(20), real: (x, place) => Number(place === 0 || x > -0.5) },
  },
  "switch-dit": {
    sizes: { P: 4, N: 9, L: 2, D: 8, H: 2, C: 4, F: 6, E: 3, K: 5, S: 8, O: 8 },
    inputs: { timestep: (x) => Math.floor((x + 1) * 50), class: below(5) },
  },
  "reward-model": {
    sizes: { V: 20, L: 2, D: 8, H: 2, G: 1, C: 4, F: 6, E: 3, N: 2, R: 2, U: 4 },
    inputs: { tokens: below(20), real: (_, place) => Number(place < 5), task: below(3) },
  },
  "modality-experts": {
    sizes: { V: 20, P: 5, N: 9, L: 2, D: 8, H: 2, C: 4, F: 6, E: 2 },
    inputs: { tokens: below(20), modality: below(2) },
  },
  "pruned-speech": {
    sizes: { M: 5, D: 8, L: 2, K: 3, width: 5, group: 4, keep: 6 },
    params: { "pointwise.input": below(8) },
  },
  "grok-1": {
    sizes: { V: 20, L: 2, D: 8, H: 4, G: 2, C: 4, F: 6, E: 4 },
    inputs: { tokens: below(20) },
    published: [314_000],
  },
  jamba: {
    sizes: { V: 20, L: 6, D: 8, H: 4, G: 2, C: 4, F: 6, E: 3, A: 10, N: 3, R: 2, J: 3 },
    inputs: { tokens: below(20) },
    published: [52_000, 12_000],
  },
  "nllb-moe": {
    sizes: { V: 20, L: 4, D: 8, H: 2, C: 4, F: 6, E: 4 },
    lengths: { M: 5 },
    inputs: { tokens: below(20), source: below(20) },
    published: [54_500],
  },
  "switch-transformer": {
    sizes: { V: 20, L: 4, D: 8, H: 2, C: 4, F: 6, E: 4 },
    inputs: { tokens: below(20) },
  },
};
