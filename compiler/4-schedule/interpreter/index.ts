/**
 * Runs kernel IR without any target: each kernel is translated to a JavaScript function once and then called like an
 * export of the WebAssembly module, with byte addresses into one memory. It is the second oracle beside the reference
 * evaluator, exact to the bit in everything that kernel IR fixes, and quick enough for a small language model.
 */
import { moecError } from "../../errors/raise.js";
import type { Kernel } from "../kernel-ir.js";
import type { ByteReading } from "./expressions.js";
import { memoryBytes } from "../kernel-types.js";
import { viewsOf, type Views } from "./memory.js";
import { numbers } from "./numbers.js";
import { kernelSource } from "./translate.js";

export interface InterpreterOptions {
  /** Check every access, every i32 division and the barriers; errors are coded (MOE55xx). Several times slower. */
  readonly checked?: boolean;
  /** How `dot_quads.either` reads its second operand; signed when it is not given. */
  readonly byteReading?: ByteReading;
}

export interface Interpreter {
  /**
   * Run blocks `from..to` of a kernel.
   *
   * @param bufferAddresses Byte address in `memory` of each buffer parameter, multiples of its element size.
   * @param bufferBytes Size of each buffer for the checks; up to the end of the memory when left out.
   */
  launch(
    kernel: string,
    memory: ArrayBufferLike,
    bufferAddresses: readonly number[],
    scalars: readonly number[],
    from: number,
    to: number,
    bufferBytes?: readonly number[],
  ): void;
  /** JavaScript source of a kernel, for people. */
  source(kernel: string): string;
}

type Compiled = (
  views: Views,
  address: readonly number[],
  end: readonly number[],
  scalar: readonly number[],
  from: number,
  to: number,
) => void;

function fail(where: readonly [string, string, string], index: number): never {
  const [kernel, buffer, access] = where;
  throw moecError("MOE5501", { kernel, buffer, access, index: String(index) });
}

function divided(kernel: string): never {
  throw moecError("MOE5502", { kernel });
}

function uneven(kernel: string): never {
  throw moecError("MOE5503", { kernel });
}

/** Fresh memory of a block, filled so that reading it before writing shows: NaN as floats, -1 as integers. */
function blockMemory(bytes: number): Views {
  const memory = new ArrayBuffer(bytes);
  new Uint8Array(memory).fill(0xff);
  return viewsOf(memory);
}

function compile(kernel: Kernel, { checked = false, byteReading = "signed" }: InterpreterOptions): Compiled {
  const names = ["fround", "n", "fail", "divided", "block", "uneven"];
  // The source holds numbers, operators and names that the verifier has checked to be plain words.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function(...names, kernelSource(kernel, checked, byteReading)) as (
    ...parts: readonly unknown[]
  ) => Compiled;
  return make(Math.fround, numbers, fail, divided, blockMemory, uneven);
}

/** Translate kernels on first use. Kernels must pass `verifyKernels`. */
export function makeInterpreter(kernels: readonly Kernel[], options: InterpreterOptions = {}): Interpreter {
  const byName = new Map(kernels.map((kernel) => [kernel.name, kernel]));
  const compiled = new Map<string, Compiled>();
  let views: { readonly memory: ArrayBufferLike; readonly of: Views } | undefined;
  const find = (name: string): Kernel => {
    const kernel = byName.get(name);
    if (!kernel) throw moecError("MOE5504", { kernel: name });
    return kernel;
  };
  return {
    launch(name, memory, bufferAddresses, scalars, from, to, bufferBytes) {
      let run = compiled.get(name);
      if (!run) compiled.set(name, (run = compile(find(name), options)));
      if (views?.memory !== memory || views.of.bytes !== memory.byteLength) views = { memory, of: viewsOf(memory) };
      const end = bufferAddresses.map((address, i) => {
        const bytes = bufferBytes?.[i];
        return bytes === undefined ? memory.byteLength : Math.min(memory.byteLength, address + bytes);
      });
      checkArguments(find(name), bufferAddresses, scalars);
      run(views.of, bufferAddresses, end, scalars, from, to);
    },
    source: (name) => kernelSource(find(name), options.checked ?? false, options.byteReading ?? "signed"),
  };
}

function checkArguments(kernel: Kernel, addresses: readonly number[], scalars: readonly number[]): void {
  const { name, buffers } = kernel;
  if (addresses.length !== buffers.length || scalars.length !== kernel.scalars.length) {
    const wanted = `${buffers.length} buffers and ${kernel.scalars.length} scalars`;
    throw moecError("MOE5505", { kernel: name, wanted, given: `${addresses.length} and ${scalars.length}` });
  }
  const bad = buffers.findIndex(({ element }, i) => addresses[i]! % memoryBytes[element] !== 0);
  if (bad >= 0) {
    throw moecError("MOE5506", { kernel: name, buffer: buffers[bad]!.name, address: String(addresses[bad]) });
  }
}
