/** Files that mix block formats: imported, compiled, run; against the reference on the numbers that the file holds. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { storageInFile } from "../../cli/storage-choice.js";
import { memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { moec } from "../cli/io.js";
import { hasNative } from "../support/native.js";
import { llamaLogits, peerPackage } from "../support/peers.js";
import { imported, referenceRows, relativeError, wasmModel, wasmRows } from "./imported.js";
import { mixedGguf, q40, q4KM } from "./mixed.js";

const folder = mkdtempSync(join(tmpdir(), "moec-mixed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const hasLlama = peerPackage("node-llama-cpp") !== undefined;

/** What `moec verify --json` says. */
interface Verified {
  readonly device: { readonly device: string };
  readonly kernels: { readonly relativeError: number };
  readonly bound: number;
}

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128];

/**
 * Inputs of products are quantized to 8 bits in blocks of 32: a step of max / 127, an error of max / 440 per value, for
 * uniform-like inputs (rms = max / 2) 2 / 440 = 4.5e-3 per product; what is kept as q8_0 but is not in the file has the
 * same error in its weights once more. Nine products in a row as in `test/peers`: sqrt(9 * 2) * 4.5e-3, and twice that
 * bounds a row.
 */
const BOUND = 2 * Math.sqrt(9 * 2) * (2 / 440);

describe.each([
  ["Q4_K_M", q4KM],
  ["Q4_0", q40],
] as const)("a %s file", (name, mix) => {
  const bytes = mixedGguf(mix);
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, bytes);

  it("keeps q4_0 where all layers have it, and q8_0 elsewhere", async () => {
    const { program, checkpoint } = await imported(openCheckpoint(memorySource(bytes)));
    const storage = storageInFile(program, checkpoint);
    const kept = new Set(
      program.params.filter(({ axes, layerAxes }) => axes.length - layerAxes > 1).map((param) => storage(param.path)),
    );
    expect([...kept].sort()).toEqual(mix === q40 ? ["f32", "q4_0", "q8_0"] : ["f32", "q8_0"]);
    const fine = storageInFile(program, checkpoint, true);
    const finer = new Set(program.params.filter(({ path }) => kept.has(storage(path))).map(({ path }) => fine(path)));
    // Where there are kernels for them, layers keep the formats of the file, side by side where it mixes them.
    expect(finer).toEqual(
      new Set(mix === q40 ? ["f32", "q4_0", "q8_0", "q6_K"] : ["f32", "q4_K", "q5_K", "q6_K", "any_K"]),
    );
  });

  it("gives the reference's logits on wasm", async () => {
    const model = await imported(openCheckpoint(memorySource(bytes)));
    const expected = referenceRows(model, IDS);
    using wasm = await wasmModel(model, storageInFile(model.program, model.checkpoint));
    const error = relativeError(await wasmRows(wasm, IDS), expected);
    expect(error).toBeLessThan(BOUND);
    // Something was quantized: this is not f32 against f32.
    expect(error).toBeGreaterThan(1e-5);
  });

  it.skipIf(!hasLlama)("has llama.cpp's logits on the reference", async () => {
    const model = await imported(openCheckpoint(memorySource(bytes)));
    expect(relativeError(referenceRows(model, IDS), llamaLogits(path, IDS).flat())).toBeLessThan(BOUND);
  });

  it.skipIf(!hasNative)("is run by `moec run --device native`", { timeout: 240_000 }, async () => {
    const before = process.env["MOEC_CACHE"];
    process.env["MOEC_CACHE"] = join(folder, "cache");
    try {
      const run = [
        "run",
        path,
        "a b",
        "--device",
        "native",
        "-t",
        "0",
        "--max-tokens",
        "4",
        "--json",
        "--threads",
        "1",
      ];
      const done = await moec(run, { cwd: folder });
      expect(done.code, done.err).toBe(0);
      expect(JSON.parse(done.out)).toMatchObject({ ok: true, prompt: "a b", text: expect.any(String) as string });
      // The same file as a project: logits of native kernels within the bound of the formats, as `moec verify` derives it.
      expect((await moec(["import", path, "--out", name], { cwd: folder })).code).toBe(0);
      appendFileSync(join(folder, name, "moec.yaml"), "targets: [native]\n");
      const verified = await moec(["verify", name, "--tokens", "6", "--json", "--threads", "1"], { cwd: folder });
      expect(verified.code, verified.err).toBe(0);
      const { device, kernels, bound } = JSON.parse(verified.out) as Verified;
      expect(device.device).toMatch(/^native/);
      expect(kernels.relativeError).toBeLessThanOrEqual(bound);
    } finally {
      if (before === undefined) delete process.env["MOEC_CACHE"];
      else process.env["MOEC_CACHE"] = before;
    }
  });
});
