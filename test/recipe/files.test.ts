/** Where a converted checkpoint goes: whole or not at all, and never beside another one. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fromF32, type TensorSource } from "../../compiler/checkpoints/index.js";
import { openCheckpointFiles } from "../../cli/checkpoint-files.js";
import { formatOf, writeCheckpoint } from "../../cli/convert/write.js";
import { moec } from "../cli/io.js";
import { SPEC } from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "moec-files-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tensor = (name: string, then: () => void = () => undefined): TensorSource => ({
  name,
  shape: [4],
  type: "f32",
  data: () => {
    then();
    return fromF32("f32", new Float32Array(4));
  },
});
const write = (out: string, tensors: readonly TensorSource[], signal = new AbortController().signal) =>
  writeCheckpoint(at(out), tensors, new Map(), { signal, note: () => undefined });

test("a folder of another checkpoint is refused, one of the same files is replaced", async () => {
  mkdirSync(at("old"));
  writeFileSync(at("old/model.safetensors.index.json"), "{}");
  await expect(write("old", [tensor("a")])).rejects.toMatchObject({ code: "MOE5448" });
  expect(readdirSync(at("old"))).toEqual(["model.safetensors.index.json"]);
  await write("new", [tensor("a")]);
  await write("new", [tensor("b")]);
  expect(readdirSync(at("new"))).toEqual(["model.safetensors"]);
});

test("a folder holds shards of at most so many bytes, and an index that reads them as one", async () => {
  const tensors = ["a", "b", "c"].map((name, index): TensorSource => ({
    ...tensor(name),
    data: () => fromF32("f32", new Float32Array(4).fill(index + 1)),
  }));
  const { signal } = new AbortController();
  await writeCheckpoint(at("shards"), tensors, new Map(), { signal, note: () => undefined, shardBytes: 32 });
  expect(readdirSync(at("shards")).sort()).toEqual([
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
  ]);
  const opened = openCheckpointFiles([at("shards")]);
  try {
    expect([...opened.checkpoint.tensors.keys()].sort()).toEqual(["a", "b", "c"]);
    for (const one of tensors) expect(opened.checkpoint.read(one.name), one.name).toEqual(one.data());
  } finally {
    opened.close();
  }
});

test.each(["plain", "plain/below.gguf", "folder.gguf"])("what the disk refuses has a code: %s", async (out) => {
  writeFileSync(at("plain"), "text");
  mkdirSync(at("folder.gguf"), { recursive: true });
  await expect(write(out, [tensor("a")])).rejects.toMatchObject({ code: "MOE5447" });
});

test("an interrupt between tensors leaves no file and no folder", async () => {
  const interrupt = new AbortController();
  const seen: string[] = [];
  const tensors = ["a", "b", "c"].map((name) =>
    tensor(name, () => {
      seen.push(name);
      // As a signal of the process comes: from the event loop, not from within the work.
      if (name === "a") setImmediate(() => interrupt.abort());
    }),
  );
  await expect(write("deep/below/c.safetensors", tensors, interrupt.signal)).rejects.toThrow();
  expect(seen).not.toContain("c");
  expect(existsSync(at("deep"))).toBe(false);
});

test("endings say the format, others are refused", async () => {
  expect(["a.gguf", "a.safetensors", "a", "llama-3.1"].map((name) => formatOf(at(name)))).toEqual([
    "gguf",
    "safetensors",
    "safetensors",
    "safetensors",
  ]);
  writeFileSync(at("spec.moe"), SPEC);
  for (const [more, text] of [
    [["--out", "m.onnx"], "m.onnx"],
    [[], "--out"],
  ] as const) {
    const { code, err } = await moec(["convert", "spec.moe", "Same", "--source", "a=a", ...more], { cwd: folder });
    expect([code, err]).toEqual([2, expect.stringContaining(text)]);
  }
  expect(existsSync(at("m.onnx"))).toBe(false);
});
