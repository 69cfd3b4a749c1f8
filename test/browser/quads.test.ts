/**
 * Products of bytes by the instruction for sixteen of them, in Chromium: Node 20 has none that is exact. The same module on
 * the same memory as the interpreter, which reads bytes as this browser does.
 */
import { afterAll, describe, expect, it } from "vitest";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { blockElements } from "../../compiler/4-schedule/micro/layouts.js";
import { packedProduct, quantizeProduct, unpackedProduct } from "../../compiler/4-schedule/micro/products.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { wasmQuads } from "../../compiler/targets/index.js";
import { random } from "../kernels/memory.js";
import { areExactQuads, QUAD_PRODUCTS, quadModule } from "../../runtime/wasm/features.js";
import { openBrowser } from "./site.js";

const browser = await openBrowser();
afterAll(() => browser?.close());

async function isExact(): Promise<boolean> {
  const page = await browser!.newPage();
  const found = await page.evaluate(
    ({ code, products }) => {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(code)));
      return products.map(([a, b]) => (exports as { f: (a: number, b: number) => number }).f(a, b));
    },
    { code: [...quadModule()], products: QUAD_PRODUCTS },
  );
  await page.close();
  return areExactQuads(found);
}
const hasQuads = browser !== undefined && (await isExact());
if (browser && !hasQuads) console.warn("skipped: products of bytes of this browser are exact for seven bits only");

const [T, K, N] = [5, 96, 48];
const storages = ["q8_0", "q4_0"] as const;
const kernels = storages.flatMap((storage) => [
  quantizeProduct(`quantize_${storage}`, storage, wasmQuads),
  packedProduct(`packed_${storage}`, storage, wasmQuads, 2),
  unpackedProduct(`unpacked_${storage}`, storage, wasmQuads, K),
]);

/** Where everything lies: scratch memory, activations, weights, what becomes of the activations, and the result. */
const scratch = 1024;
const x = scratch + Math.ceil(scratchBytes(kernels) / 64) * 64;
const w = x + T * K * 4;
const quants = w + (N / 16) * (K / blockElements) * 544;
const scales = quants + T * K;
const starts = scales + (T * K) / 8;
const y = starts + (T * K) / 8;
const end = y + T * N * 4;

/** Random activations and bytes of weights, all of them; scales are halves of 2^-7. */
function memoryFor(storage: (typeof storages)[number]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(end / 65536) * 65536);
  const next = random(11);
  new Float32Array(bytes.buffer, x, T * K).forEach((_, i, all) => (all[i] = next() * 4 - 2));
  const record = storage === "q8_0" ? 544 : 288;
  for (let at = w; at < quants; at++) bytes[at] = Math.floor(next() * 256);
  for (let at = w; at + record <= quants; at += record) new Uint16Array(bytes.buffer, at, 16).fill(0x2000);
  return bytes;
}

const callsOf = (
  storage: string,
  way: string,
): readonly (readonly [string, readonly number[], readonly number[]])[] => [
  [`quantize_${storage}`, [x, quants, scales, starts], [K, 0, T]],
  [`${way}_${storage}`, [w, quants, scales, starts, y], [T, K, N, 0, N / 16]],
];

describe.skipIf(!hasQuads)("products of bytes in a browser", () => {
  it.each(storages.flatMap((storage) => ["packed", "unpacked"].map((way) => [storage, way] as const)))(
    "%s, %s",
    async (storage, way) => {
      const page = await browser!.newPage();
      const found = await page.evaluate(
        ({ code, bytes, calls, scratch, result, probe }) => {
          const memory = new WebAssembly.Memory({ initial: bytes.length / 65536 });
          new Uint8Array(memory.buffer).set(bytes);
          const module = new WebAssembly.Module(new Uint8Array(code));
          const exports = new WebAssembly.Instance(module, { env: { memory, scratch } }).exports as Record<
            string,
            (...args: number[]) => void
          >;
          for (const [name, buffers, scalars] of calls) exports[name]!(...buffers, ...scalars);
          const starts = new Int32Array(memory.buffer.slice(probe, probe + 4))[0]!;
          return { starts, numbers: [...new Float32Array(memory.buffer.slice(...result))] };
        },
        {
          code: [...emitWasm(kernels, wasmQuads)],
          bytes: [...memoryFor(storage)],
          calls: callsOf(storage, way) as [string, number[], number[]][],
          scratch,
          result: [y, end] as [number, number],
          probe: starts,
        },
      );
      await page.close();
      // Where bytes are signed, nothing of q8 is to be taken off.
      const byteReading = storage === "q8_0" && found.starts === 0 ? "signed" : "unsigned";
      const interpreter = makeInterpreter(kernels, { checked: true, byteReading });
      const memory = memoryFor(storage);
      for (const [name, buffers, scalars] of callsOf(storage, way)) {
        interpreter.launch(name, memory.buffer, buffers, scalars.slice(0, -2), scalars.at(-2)!, scalars.at(-1)!);
      }
      const expected = new Float32Array(memory.buffer, y, T * N);
      // A block of 32 is exact and at most 32 * 128 * 2^-7 (weights) times 2 (activations); it is scaled and added in three
      // roundings, K / 32 times.
      const bound = (K / blockElements) * 3 * 2 ** -24 * (K * 128 * 2 ** -7 * 2);
      expect(found.numbers.length).toBe(T * N);
      found.numbers.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(bound));
      expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1);
    },
  );
});
