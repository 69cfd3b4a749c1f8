/** What `moec run` made once is made again when any file that went into it has changed. */
import { copyFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { fromF32, writeSafetensors } from "../../compiler/checkpoints/index.js";
import { cachedBundle } from "../../cli/cached-bundle.js";
import { openProject, sourcesOf } from "../../cli/project.js";
import { Shell } from "../../cli/shell.js";
import { folderOf, moec, silentIo } from "./io.js";

const SPEC = `model Plain[V = 2048, D = 32] {
  param tok: [V, D]
  param gain: [D]
  forward(tokens: int[T]) -> f32[T, V] => (tok[V: tokens] * gain) @ tok
}
`;

const tensor = (name: string, shape: readonly number[], value: number): Uint8Array => {
  const count = shape.reduce((product, size) => product * size, 1);
  return writeSafetensors({
    tensors: [{ name, shape, type: "f32", data: () => fromF32("f32", new Float32Array(count).fill(value)) }],
  });
};

const SHARDED = ["hf/b.safetensors", "hf/model.safetensors.index.json"];

it("packs the weights again when a shard, the index or the tokenizer's settings changed", async () => {
  const map = { tok: "a.safetensors", gain: "b.safetensors" };
  const folder = folderOf({
    "plain.moe": SPEC,
    "moec.yaml": "model: plain.moe\nweights: hf\ntokenizer: tokenizer.json\ncontext: 16\n",
    "hf/model.safetensors.index.json": JSON.stringify({ weight_map: map }),
  });
  const file = (name: string): string => join(folder.path, name);
  copyFileSync("examples/tiny-moe/tokenizer.json", file("tokenizer.json"));
  writeFileSync(file("hf/a.safetensors"), tensor("tok", [2048, 32], 0.5));
  writeFileSync(file("hf/b.safetensors"), tensor("gain", [32], 1));
  const shell = new Shell(silentIo({ cwd: folder.path }), "run", { json: true });
  const project = sourcesOf(openProject(folder.path, folder.path), folder.path);
  // Whether it would be built again is asked; only the first build is made.
  const isStale = async (): Promise<boolean> => {
    const stale = new Error("stale");
    try {
      await cachedBundle(shell, project, () => Promise.reject(stale));
      return false;
    } catch (error) {
      if (error !== stale) throw error;
      return true;
    }
  };
  try {
    for (const name of SHARDED) utimesSync(file(name), 2, 2);
    expect(await isStale()).toBe(true);
    await cachedBundle(shell, project);
    expect(await isStale()).toBe(false);
    for (const name of SHARDED) {
      utimesSync(file(name), 1, 1);
      expect([name, await isStale()]).toEqual([name, true]);
      utimesSync(file(name), 2, 2);
      expect([name, await isStale()]).toEqual([name, false]);
    }
    copyFileSync("examples/tiny-moe/tokenizer_config.json", file("tokenizer_config.json"));
    expect(await isStale()).toBe(true);
  } finally {
    folder.remove();
  }
});

it("imports a folder in Hugging Face's layout again when any of its files changed", async () => {
  const folder = folderOf({});
  const cache = folderOf({});
  const file = (name: string): string => join(folder.path, name);
  for (const name of ["config.json", "model.safetensors"]) copyFileSync(join("examples/tiny-moe", name), file(name));
  vi.stubEnv("MOEC_CACHE", cache.path);
  // There is no tokenizer, or none that can be read: nothing is compiled.
  const imports = async (): Promise<number> => {
    expect((await moec(["run", folder.path, "Once", "--device", "wasm"])).code).toBe(3);
    return readdirSync(join(cache.path, "models")).length;
  };
  try {
    expect([await imports(), await imports()]).toEqual([1, 1]);
    writeFileSync(file("generation_config.json"), '{ "temperature": 0.5 }');
    expect(await imports()).toBe(2);
    writeFileSync(file("generation_config.json"), '{ "temperature": 0.25 }');
    expect(await imports()).toBe(3);
    utimesSync(file("model.safetensors"), 1, 1);
    expect(await imports()).toBe(4);
    // The project that names no tokenizer is not taken for this folder any more.
    writeFileSync(file("tokenizer.json"), "{}");
    expect((await moec(["run", folder.path, "Once", "--device", "wasm"])).err).not.toContain("MOE5313");
  } finally {
    vi.unstubAllEnvs();
    folder.remove();
    cache.remove();
  }
});
