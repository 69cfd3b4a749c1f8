/**
 * Names of ggml's type numbers. Only the ones with a record in `storage.ts` are read; the others are here so that a
 * refusal can say "q6_K" instead of "14". Numbers that ggml has withdrawn are missing.
 */
import { STORAGE, STORAGE_TYPES } from "./storage.js";
import type { StorageType } from "./types.js";

const NAMES: ReadonlyMap<number, string> = new Map([
  [0, "f32"],
  [1, "f16"],
  [2, "q4_0"],
  [3, "q4_1"],
  [6, "q5_0"],
  [7, "q5_1"],
  [8, "q8_0"],
  [9, "q8_1"],
  [10, "q2_K"],
  [11, "q3_K"],
  [12, "q4_K"],
  [13, "q5_K"],
  [14, "q6_K"],
  [15, "q8_K"],
  [16, "iq2_xxs"],
  [17, "iq2_xs"],
  [18, "iq3_xxs"],
  [19, "iq1_s"],
  [20, "iq4_nl"],
  [21, "iq3_s"],
  [22, "iq2_s"],
  [23, "iq4_xs"],
  [24, "i8"],
  [25, "i16"],
  [26, "i32"],
  [27, "i64"],
  [28, "f64"],
  [29, "iq1_m"],
  [30, "bf16"],
  [34, "tq1_0"],
  [35, "tq2_0"],
  [39, "mxfp4"],
  [40, "nvfp4"],
  [41, "q1_0"],
]);

const BY_NUMBER = new Map(
  STORAGE_TYPES.flatMap((type) => {
    const number = STORAGE[type].ggml;
    return number === undefined ? [] : [[number, type] as const];
  }),
);

/** Storage type of a ggml type number, or `undefined` when moec cannot read it. */
export function storageOfGgml(number: number): StorageType | undefined {
  return BY_NUMBER.get(number);
}

/** ggml's name of a type number, also for types that moec cannot read. */
export function ggmlTypeName(number: number): string {
  return NAMES.get(number) ?? `type ${number}`;
}

/** Names of the types that can be read from a GGUF file. */
export const READABLE_GGML_TYPES: readonly string[] = [...BY_NUMBER.values()];
