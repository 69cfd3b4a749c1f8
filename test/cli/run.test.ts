/** `moec run`: what can be known early is said early. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { folderOf, moec } from "./io.js";

const SPEC = `import { RMSNorm } from "std"

model Tiny[V = 64, D = 32] {
  param tok: [V, D]
  use norm = RMSNorm[D]
  forward(tokens: int[T]) -> f32[T, V] => norm(tok[V: tokens]) @ tok
}
`;

it("takes the tokenizer that the spec names", async () => {
  const spec = SPEC.replace("V = 64", "V = 2048").replace("  forward", '  tokenizer "tokenizer.json"\n  forward');
  const tokenizer = readFileSync("examples/tiny-moe/tokenizer.json", "utf8");
  const folder = folderOf({ "tiny.moe": spec, "tokenizer.json": tokenizer });
  const run = () =>
    moec(["run", join(folder.path, "tiny.moe"), "Once", "--random", "1", "-n", "2", "--threads", "1", "--json"]);
  try {
    const first = await run();
    expect(first).toMatchObject({ code: 0, err: "" });
    expect((JSON.parse(first.out) as { ids: number[] }).ids).toHaveLength(2);
    const traced = await moec(["run", join(folder.path, "tiny.moe"), "Once", "--random", "1", "-n", "1", "--trace"]);
    expect(traced.err).toContain("The model chooses no experts");
    // A tokenizer that changed is read anew.
    writeFileSync(join(folder.path, "tokenizer.json"), "{}");
    expect((await run()).out).toContain("MOE52");
  } finally {
    folder.remove();
  }
});

it("runs a folder in Hugging Face's layout", async () => {
  const folder = folderOf({});
  const cache = folderOf({});
  for (const name of ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]) {
    copyFileSync(join("examples/tiny-moe", name), join(folder.path, name));
  }
  vi.stubEnv("MOEC_CACHE", cache.path);
  try {
    const args = ["run", folder.path, "declare function ", "-n", "3", "--device", "wasm", "--threads", "1", "--json"];
    const { code, out } = await moec(args);
    expect(code).toBe(0);
    expect((JSON.parse(out) as { ids: number[] }).ids).toHaveLength(3);
    expect(existsSync(join(folder.path, ".moec"))).toBe(false);
    // It has experts, but was not asked.
    const { err } = await moec(["run", folder.path, "declare", "-n", "0", "--device", "wasm", "--trace"]);
    expect(err).toContain("No token was read: there are no routes to show.");
  } finally {
    vi.unstubAllEnvs();
    folder.remove();
    cache.remove();
  }
});

it("reads paths that were written on Windows", async () => {
  const project = "model: specs\\tiny.moe\n";
  const folder = folderOf({ "specs/tiny.moe": SPEC, "moec.yaml": project });
  try {
    expect(await moec(["inspect", folder.path, "--memory"])).toMatchObject({ code: 0 });
  } finally {
    folder.remove();
  }
});

it("knows a folder that is no bundle before it compiles", async () => {
  const folder = folderOf({ "tiny.moe": SPEC, "out/mine.txt": "" });
  try {
    const { code, err } = await moec(["build", "tiny.moe", "--random", "1", "--out", "out"], { cwd: folder.path });
    expect([code, err.includes("MOE5311")]).toEqual([3, true]);
  } finally {
    folder.remove();
  }
});

it("misses a tokenizer before it builds anything", async () => {
  const folder = folderOf({ "tiny.moe": SPEC });
  try {
    const { code, err } = await moec(["run", join(folder.path, "tiny.moe"), "Once", "--random", "1"]);
    expect(code).toBe(3);
    expect(err).toContain("MOE5313");
    expect(err.replace(/\s+/g, " ")).toContain("`moec new` has one of bytes");
    expect(existsSync(join(folder.path, ".moec"))).toBe(false);
  } finally {
    folder.remove();
  }
});
