/** Inputs of an entry point: from what a caller gives to checked numbers, and the run-time sizes that follow from them. */
import type { PlanEntry, PlanPort } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { compileSize } from "../plan/sizes.js";
import type { InputValue } from "./tensor.js";

export interface CheckedInput {
  readonly port: PlanPort;
  readonly data: Float32Array | Int32Array;
}

export interface CheckedInputs {
  readonly inputs: readonly CheckedInput[];
  /** Run-time sizes that the shapes say, such as `T`. */
  readonly sizes: Readonly<Record<string, number>>;
}

/**
 * Compares the given values with the entry's types.
 *
 * @throws MoecError MOE5321 for a missing or unknown input, a wrong shape, or a number that its dtype can't hold.
 */
export function checkInputs(entry: PlanEntry, given: Readonly<Record<string, InputValue>>): CheckedInputs {
  for (const name of Object.keys(given)) {
    if (!entry.inputs.some((port) => port.name === name)) throw bad(entry, name, "there is no such input");
  }
  const sizes: Record<string, number> = {};
  const inputs = entry.inputs.map((port) => {
    const value = given[port.name];
    if (value === undefined) throw bad(entry, port.name, "it is missing");
    const shaped = "shape" in value ? value : { data: value, shape: shapeOf(entry, port, value.length, sizes) };
    bindAxes(entry, port, shaped.shape, sizes);
    const count = shaped.shape.reduce((product, size) => product * size, 1);
    if (shaped.data.length !== count) {
      throw bad(
        entry,
        port.name,
        `shape [${shaped.shape.join(", ")}] needs ${count} numbers, not ${shaped.data.length}`,
      );
    }
    return { port, data: convert(entry, port, shaped.data) };
  });
  return { inputs, sizes };
}

/** The shape that `count` numbers have when at most one axis is not known yet. */
function shapeOf(entry: PlanEntry, port: PlanPort, count: number, sizes: Readonly<Record<string, number>>): number[] {
  const known = port.axes.map(({ size }) => (isOpen(size, sizes) ? undefined : compileSize(size, sizes).constant));
  const product = known.reduce((sum: number, size) => sum * (size ?? 1), 1);
  const open = known.filter((size) => size === undefined).length;
  if (open > 1) throw bad(entry, port.name, "it has several open axes, so it needs { data, shape }");
  if (open === 1 && (product === 0 || count % product !== 0)) {
    throw bad(entry, port.name, `${count} numbers do not fill axes of ${product}`);
  }
  return known.map((size) => size ?? count / product);
}

/** A size that is one name without a value: the caller's data decide it. */
function isOpen(size: string, sizes: Readonly<Record<string, number>>): boolean {
  return /^[A-Za-z_]\w*$/.test(size) && !Object.hasOwn(sizes, size);
}

function bindAxes(entry: PlanEntry, port: PlanPort, shape: readonly number[], sizes: Record<string, number>): void {
  if (shape.length !== port.axes.length) {
    throw bad(entry, port.name, `it has ${port.axes.length} axes, not ${shape.length}`);
  }
  port.axes.forEach(({ name, size }, index) => {
    const found = shape[index]!;
    if (!Number.isInteger(found) || found < 0) throw bad(entry, port.name, `axis ${name} can't have size ${found}`);
    if (isOpen(size, sizes)) sizes[size] = found;
    const expected = compileSize(size, sizes).evaluate(sizes);
    if (found !== expected) throw bad(entry, port.name, `axis ${name} has size ${found}, it must be ${expected}`);
  });
}

function convert(entry: PlanEntry, port: PlanPort, data: ArrayLike<number>): Float32Array | Int32Array {
  // Constructors copy memory where `from` asks an iterator for each number.
  if (port.dtype === "f32") return new Float32Array(data);
  const numbers = new Int32Array(data);
  const at = numbers.findIndex((value, index) => value !== data[index]);
  if (at >= 0) throw bad(entry, port.name, `${data[at]} at index ${at} is not a 32-bit whole number`);
  return numbers;
}

export function bad(entry: { readonly name: string }, name: string, reason: string): Error {
  return moecError("MOE5321", { name, entry: entry.name, reason });
}
