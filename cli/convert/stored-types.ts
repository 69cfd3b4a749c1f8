/** How the numbers of a tensor are stored: which type, and the bytes, of which none may turn out infinite. */
import type { DType } from "../../compiler/ops/types.js";
import {
  fromF32,
  keptAs,
  STORAGE,
  toF32,
  type EncodableType,
  type StorageType,
} from "../../compiler/checkpoints/index.js";
import { firstOutside, fromIntegers, isIntegerType, type IntegerType } from "../../compiler/checkpoints/integers.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";

export type OutputFormat = "safetensors" | "gguf";

export interface Asked {
  readonly format: OutputFormat;
  /** How matrices are stored; as in the source when absent. */
  readonly type?: EncodableType;
}

/** Types that a converted tensor can have. */
export type WrittenType = EncodableType | IntegerType;

/** Whether files of the format hold the type. */
export function holds(format: OutputFormat, type: StorageType): boolean {
  return STORAGE[type][format === "gguf" ? "ggml" : "safetensors"] !== undefined;
}

/**
 * Integers stay integers; vectors are floats; blocks need rows of whole blocks.
 *
 * @param before The type of what the tensor is made of, when there is any.
 * @param shape As stored, the row last.
 */
export function writtenType(
  { format, type }: Asked,
  dtype: DType,
  isMatrix: boolean,
  shape: readonly number[],
  before: StorageType | undefined,
): WrittenType {
  if (dtype !== "f32") return before && isIntegerType(before) && holds(format, before) ? before : "i32";
  const kept = before === undefined || isIntegerType(before) ? "f32" : keptAs(before);
  const wanted = isMatrix && type !== undefined ? type : kept;
  const { blockValues } = STORAGE[wanted];
  if (blockValues === 1) return wanted;
  if (!isMatrix || (shape.at(-1) ?? 1) % blockValues !== 0) return "f32";
  return holds(format, wanted) ? wanted : "f16";
}

/** @throws MoecError MOE5446 when a value is not finite in the type, or no whole number of it. */
export function storedBytes(name: string, type: WrittenType, values: Float32Array): Uint8Array {
  if (isIntegerType(type)) {
    const outside = firstOutside(type, values);
    if (outside >= 0) throw notKept(name, type, values[outside]!);
    return fromIntegers(type, values);
  }
  const index = firstTooLarge(type, values);
  if (index >= 0) throw notKept(name, type, values[index]!);
  try {
    return fromF32(type, values);
  } catch (error) {
    // A scale that overflows, which only the encoder of blocks knows.
    if (!(error instanceof MoecError) || error.code !== "MOE5118") throw error;
    throw notKept(
      name,
      type,
      values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    );
  }
}

function notKept(name: string, type: WrittenType, value: number): MoecError {
  return moecError("MOE5446", { name, type, value });
}

/** The first value that is not finite as a number of the type; -1 without one. */
function firstTooLarge(type: EncodableType, values: Float32Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  const rounded = (value: number): number =>
    STORAGE[type].blockValues > 1 ? value : toF32(type, fromF32(type, Float32Array.of(value)))[0]!;
  // Rounding keeps order, so the largest is finite where all are; NaN is larger than all.
  return Number.isFinite(rounded(largest)) ? -1 : values.findIndex((value) => !Number.isFinite(rounded(value)));
}
