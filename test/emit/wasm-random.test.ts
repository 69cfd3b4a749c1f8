/** Random kernels: the interpreter and WebAssembly leave the same bits in every buffer. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { wasmRelaxed, wasmSimd, type Target } from "../../compiler/targets/index.js";
import { addresses, difference, fill, memorySize } from "../kernels/memory.js";
import { randomKernel } from "../kernels/random-kernel.js";
import { instantiate } from "./wasm-host.js";

const tape = fc.array(fc.nat(1 << 20), { minLength: 10, maxLength: 400 });

function agree(target: Target, fma: boolean, checked: boolean, shared: boolean): void {
  fc.assert(
    fc.property(tape, fc.nat(1000), fc.integer({ min: -5, max: 5 }), (numbers, seed, n) => {
      const kernel = randomKernel(numbers, { fma, vectors: true });
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
      const wanted = new ArrayBuffer(memorySize);
      fill(memory.buffer, seed);
      fill(wanted, seed);
      makeInterpreter([kernel], { checked }).launch("random", wanted, addresses, [n, 1.5], 0, 3);
      instantiate([kernel], target, memory)["random"]!(...addresses, n, 1.5, 0, 3);
      expect(difference(memory.buffer, wanted)).toBeUndefined();
    }),
    { numRuns: 400 },
  );
}

describe("random kernels on WebAssembly", () => {
  // fma is left out with relaxed SIMD, where it may round once.
  it("agree with the interpreter, relaxed SIMD", () => agree(wasmRelaxed, false, false, false));
  it("agree with the interpreter, plain SIMD", () => agree(wasmSimd, true, true, false));
  it("agree with the interpreter, shared memory", () => agree(wasmRelaxed, false, true, true));
});
