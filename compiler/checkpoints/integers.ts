/** Whole numbers as the bytes of integer types. */
import type { StorageType } from "./types.js";

/** Least and greatest number of each type; of 32 bits and more, what f32 values say exactly. */
const RANGES = {
  i32: [-(2 ** 24) + 1, 2 ** 24 - 1],
  i64: [-(2 ** 24) + 1, 2 ** 24 - 1],
  u8: [0, 255],
  i8: [-128, 127],
  bool: [0, 1],
} as const satisfies Partial<Record<StorageType, readonly [number, number]>>;

export type IntegerType = keyof typeof RANGES;

export function isIntegerType(type: StorageType): type is IntegerType {
  return type in RANGES;
}

/** Where the first value is that the type does not hold; -1 when it holds all. */
export function firstOutside(type: IntegerType, values: Float32Array): number {
  const [least, greatest] = RANGES[type];
  return values.findIndex((value) => !(Number.isInteger(value) && value >= least && value <= greatest));
}

/** @param values Which the type holds; see `firstOutside`. */
export function fromIntegers(type: IntegerType, values: Float32Array): Uint8Array {
  return new Uint8Array(elements(type, values).buffer);
}

function elements(type: IntegerType, values: Float32Array): { readonly buffer: ArrayBuffer } {
  switch (type) {
    case "i32":
      return Int32Array.from(values);
    case "i64":
      return BigInt64Array.from(Array.from(values, BigInt));
    case "u8":
    case "bool":
      return Uint8Array.from(values);
    case "i8":
      return Int8Array.from(values);
    default:
      return type satisfies never;
  }
}
