/**
 * Reading JSON that nobody vouches for: small readers that check as they go and name the place of what is wrong.
 * The runtime has no schema library, to stay small in a browser.
 */
import { moecError } from "../../compiler/errors/raise.js";

/** Checks one value found at `at` and gives it with its type. */
export type Reader<T> = (value: unknown, at: string) => T;

/** A whole number is at most this, so that sums of a few stay exact. */
const LARGEST = 2 ** 50;

export function wrong(at: string, reason: string): Error {
  return moecError("MOE5302", { at, reason });
}

export const text: Reader<string> = (value, at) => {
  if (typeof value === "string") return value;
  throw wrong(at, "text is missing");
};

export const flag: Reader<boolean> = (value, at) => {
  if (typeof value === "boolean") return value;
  throw wrong(at, "true or false is missing");
};

export const number: Reader<number> = (value, at) => {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw wrong(at, "a number is missing");
};

/** Not negative, exact. */
export const count: Reader<number> = (value, at) => {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LARGEST) return value;
  throw wrong(at, "a whole number that is not negative is missing");
};

export function oneOf<const T extends string | number>(...allowed: readonly T[]): Reader<T> {
  return (value, at) => {
    const found = allowed.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    throw wrong(at, `it must be ${allowed.join(" or ")}`);
  };
}

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(at, "a list is missing");
    return value.map((entry, index) => item(entry, `${at}[${index}]`));
  };
}

export function table<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, at) => {
    const entries = Object.entries(record(value, at));
    return Object.fromEntries(entries.map(([key, entry]) => [key, item(entry, `${at}.${key}`)]));
  };
}

export function optional<T>(item: Reader<T>): Reader<T | undefined> {
  return (value, at) => (value === undefined ? undefined : item(value, at));
}

/** An object with these keys; optional ones that are absent stay absent, others are ignored. */
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Reader<T[K]> }): Reader<T> {
  return (value, at) => {
    const source = record(value, at);
    const result: Partial<T> = {};
    for (const key of Object.keys(fields) as (keyof T & string)[]) {
      const found = fields[key](source[key], `${at}.${key}`);
      if (found !== undefined) result[key] = found;
    }
    return result as T;
  };
}

export function record(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(at, "an object is missing");
}

/** Parses JSON text. */
export function json(textOfFile: string, at: string): unknown {
  try {
    return JSON.parse(textOfFile);
  } catch (error) {
    throw wrong(at, error instanceof Error ? error.message : "it is not JSON");
  }
}
