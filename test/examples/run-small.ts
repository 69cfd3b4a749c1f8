/** The entries of an example, small: calls of several lengths, for wasm and for other devices. */
import { packageRoot } from "../../cli/package-root.js";
import { diskHost } from "../../cli/source-host.js";
import { check, type CheckedProject } from "../../compiler/1-check/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { compare, numbers, type Call, type CompareOptions } from "../schedule/compare.js";
import { entryInputs, seedOf } from "../schedule/inputs.js";
import type { Application, InputRule } from "./applications.js";

/**
 * Contractions of at most 32 terms below 4, through at most 4 layers of 4 products each, every rounding 2^-24 of what it
 * rounds; doubled for the polynomials of exp and for norms, which divide by what is about 1.
 */
const TOLERANCE = 32 * 4 * 4 * 4 * 2 * 2 ** -24;

/** The spec of an example. */
export const specOf = (name: string): CheckedProject => check(`examples/${name}/${name}.moe`, diskHost(packageRoot));

function inputsOf(program: Program, entry: number, sizes: Call["sizes"], { inputs: rules = {} }: Application) {
  return entryInputs(program, entry, sizes, ({ name, position, count }) => {
    const rule: InputRule = rules[name] ?? ((x) => Math.fround(x * 2));
    return numbers(position * 7 + count, count).map(rule);
  });
}

/** Numbers of a parameter by its path. */
export function paramsOf({ params: rules = {} }: Application) {
  return (path: string, count: number): readonly number[] => {
    const rule = Object.entries(rules).find(([end]) => path.endsWith(end))?.[1];
    return numbers(seedOf(path), count).map(rule ?? ((x) => Math.fround(x * 0.5)));
  };
}

/** Calls of an entry one after the other, of several lengths. */
export function callsOf(
  program: Program,
  index: number,
  application: Application,
): Pick<CompareOptions, "entry" | "calls" | "tolerance"> {
  let past = 0;
  const calls = [7, 1, 0, 4].map((T) => {
    const sizes = { T, past, ...application.lengths };
    if (program.states.length > 0) past += T;
    return { inputs: inputsOf(program, index, sizes, application), sizes };
  });
  const entry = program.entries[index]!.name;
  return { entry, calls, tolerance: TOLERANCE };
}

/** Outputs of the last call by the reference. */
export function compareEntry(
  program: Program,
  index: number,
  application: Application,
  params: (path: string, count: number) => readonly number[],
): Readonly<Record<string, readonly number[]>> {
  return compare(program, { ...callsOf(program, index, application), params, runners: ["wasm"] });
}
