/** Typed access to metadata, with coded errors for what is missing or of another type. */
import { badMetadata } from "./errors.js";
import type { Metadata, MetadataValue } from "./types.js";

/** Number of any whole or floating type, or `undefined` when the key is absent. u64 beyond 2^53 is refused. */
export function optionalNumber(metadata: Metadata, key: string): number | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  switch (entry.type) {
    case "u64":
    case "i64": {
      const value = Number(entry.value);
      if (!Number.isSafeInteger(value)) throw badMetadata(key, `${entry.value} is beyond the exact range of 2^53`);
      return value;
    }
    case "bool":
    case "string":
    case "array":
      throw wrongType(key, entry, "a number");
    default:
      return entry.value;
  }
}

/**
 * Number that must be there.
 *
 * @throws MoecError MOE5112 when it is missing or not a number.
 */
export function requiredNumber(metadata: Metadata, key: string): number {
  const value = optionalNumber(metadata, key);
  if (value === undefined) throw badMetadata(key, "it is missing");
  return value;
}

/** String, or `undefined` when the key is absent. */
export function optionalString(metadata: Metadata, key: string): string | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "string") throw wrongType(key, entry, "a string");
  return entry.value;
}

/**
 * String that must be there.
 *
 * @throws MoecError MOE5112 when it is missing or not a string.
 */
export function requiredString(metadata: Metadata, key: string): string {
  const value = optionalString(metadata, key);
  if (value === undefined) throw badMetadata(key, "it is missing");
  return value;
}

/** Truth value, or `undefined` when the key is absent. */
export function optionalBool(metadata: Metadata, key: string): boolean | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "bool") throw wrongType(key, entry, "a bool");
  return entry.value;
}

/** Array of strings, or `undefined` when the key is absent. */
export function optionalStrings(metadata: Metadata, key: string): readonly string[] | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "array" || entry.of !== "string") throw wrongType(key, entry, "an array of strings");
  return entry.values;
}

/** Array of numbers, or `undefined` when the key is absent. */
export function optionalNumbers(metadata: Metadata, key: string): readonly number[] | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "array") throw wrongType(key, entry, "an array of numbers");
  switch (entry.of) {
    case "bool":
    case "string":
    case "array":
    case "u64":
    case "i64":
      throw wrongType(key, entry, "an array of numbers");
    default:
      return Array.from(entry.values);
  }
}

function wrongType(key: string, entry: MetadataValue, expected: string) {
  const found = entry.type === "array" ? `an array of ${entry.of}` : `of type ${entry.type}`;
  return badMetadata(key, `it is ${found}, not ${expected}`);
}
