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
  /** Parameters with the published sizes, all and active for a token, in millions. */
  readonly published?: readonly [all: number, active: number];
}

/** Whole numbers below `count`. */
export const below =
  (count: number): InputRule =>
  (x) =>
    Math.floor(((x + 1) / 2) * count);

export const applications: Readonly<Record<string, Application>> = {
  "v-moe": { sizes: { P: 5, N: 9, L: 4, D: 8, H: 2, C: 4, F: 6, E: 4, K: 3 } },
  "mobile-v-moe": { sizes: { P: 5, N: 9, L: 3, R: 2, D: 8, H: 2, C: 4, F: 6, E: 4, K: 3 } },
};
