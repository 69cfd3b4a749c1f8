/** koffi, the package that calls C functions: optional, and loaded when native code is first asked for. */
import { createRequire } from "node:module";
import { moecError } from "../../compiler/errors/raise.js";
import { shortReasonOf } from "../../compiler/errors/reason.js";

/**
 * An address as a number: user space ends below 2^47, so it is exact, and address arithmetic is arithmetic.
 * Prototypes that koffi sees say `uintptr_t` or `intptr_t` for it.
 */
export type Address = number;

export interface NativeFunction {
  (...args: readonly unknown[]): unknown;
  /** The call on a thread beside this one; the last argument is called back with an error or with the result. */
  readonly async: (...args: readonly unknown[]) => void;
}

export interface NativeLibrary {
  /** @throws when the library has no such function. */
  func(prototype: string): NativeFunction;
}

interface FunctionType {
  readonly name: string;
}

export interface Koffi {
  load(path: string | null): NativeLibrary;
  proto(prototype: string): FunctionType;
  call(address: bigint, type: FunctionType, ...args: readonly unknown[]): unknown;
  view(address: bigint, length: number): ArrayBuffer;
  errno(): number;
}

let loaded: Koffi | undefined;

/**
 * @throws MoecError MOE4203 when it is not installed or has no build for this system.
 */
export function koffi(): Koffi {
  try {
    return (loaded ??= find());
  } catch (error) {
    const reason = shortReasonOf(error);
    throw moecError("MOE4203", { reason: `the optional package koffi can't be loaded (${reason})` });
  }
}

/** Beside the runtime, or where the package `moec` has it: the runtime of a bundle lies in the bundle's own folder. */
function find(): Koffi {
  const require = createRequire(import.meta.url);
  try {
    return require("koffi") as Koffi;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    const moec = whereIs(require, "moec");
    if (moec === undefined) throw error;
    return createRequire(moec)("koffi") as Koffi;
  }
}

function whereIs(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** The result of a call on a thread beside this one. */
export function callAside<Result>(callee: NativeFunction, ...args: readonly unknown[]): Promise<Result> {
  return new Promise((resolve, reject) =>
    callee.async(...args, (error: Error | null, result: Result) => (error ? reject(error) : resolve(result))),
  );
}

/** Bytes at an address, as a view that is good as long as the memory is. */
export function viewOf(address: Address, length: number): ArrayBuffer {
  return koffi().view(BigInt(address), length);
}
