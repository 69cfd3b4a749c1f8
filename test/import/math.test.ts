/** Imported specs compute what their family's math says, for every family, option and format. */
import { describe, expect, it } from "vitest";
import { configs, ggufOf, ggufVariants, hfOf, testValues, variants } from "./configs.js";
import { imported, referenceRows, relativeError, wasmModel, wasmRows, type Imported } from "./imported.js";
import { PlainModel } from "./plain-forward.js";

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128];
/** A prompt and then one token at a time. */
const DECODE = [6, 1, 1, 1, 1];

/**
 * f32 rounds each of a row's K products and sums by 2^-24 at most, errors that add up like a random walk over the
 * roughly 12 roundings in a row of a two-layer model: sqrt(K = 128) * 12 * 2^-24 = 8e-6, and the evaluator keeps f64
 * inside an op, so it is far below.
 */
const F32 = 1e-5;

const plainRows = (config: (typeof configs)[string]): number[] =>
  new PlainModel(config, testValues).forward(IDS).flatMap((row) => [...row]);

describe.each(Object.entries(configs))("%s", (_, config) => {
  const expected = plainRows(config);
  const load = {
    gguf: (): Promise<Imported> => imported(ggufOf(config)),
    safetensors: (): Promise<Imported> => {
      const hf = hfOf(config);
      return imported(hf.checkpoint, hf.config);
    },
  };

  it.each(["gguf", "safetensors"] as const)("from %s on the reference evaluator", async (format) => {
    const model = await load[format]();
    expect(relativeError(referenceRows(model, IDS), expected)).toBeLessThan(F32);
    if (config.family === "bert") return;
    expect(relativeError(referenceRows(model, IDS, DECODE), expected)).toBeLessThan(F32);
  });

  it.each(["gguf", "safetensors"] as const)("from %s on wasm", async (format) => {
    using model = await wasmModel(await load[format]());
    expect(relativeError(await wasmRows(model, IDS), expected)).toBeLessThan(F32);
    if (config.family === "bert") return;
    expect(relativeError(await wasmRows(model, IDS, DECODE), expected)).toBeLessThan(F32);
  });
});

describe.each(Object.entries(variants))("%s", (_, config) => {
  it("from safetensors on the reference evaluator and on wasm", async () => {
    const expected = plainRows(config);
    const hf = hfOf(config);
    const made = await imported(hf.checkpoint, hf.config);
    expect(relativeError(referenceRows(made, IDS), expected)).toBeLessThan(F32);
    using model = await wasmModel(made);
    expect(relativeError(await wasmRows(model, IDS), expected)).toBeLessThan(F32);
  });
});

describe.each(Object.entries(ggufVariants))("%s", (_, config) => {
  it("from GGUF on the reference evaluator and on wasm", async () => {
    const expected = plainRows(config);
    const made = await imported(ggufOf(config));
    expect(relativeError(referenceRows(made, IDS), expected)).toBeLessThan(F32);
    using model = await wasmModel(made);
    expect(relativeError(await wasmRows(model, IDS), expected)).toBeLessThan(F32);
  });
});
