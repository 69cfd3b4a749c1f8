/** Tensors of a checkpoint that no parameter reads are said once, except those that a spec need not have. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  fromF32,
  memorySource,
  openCheckpoint,
  unreadTensors,
  writeSafetensors,
} from "../../compiler/checkpoints/index.js";
import { moec } from "./io.js";

const folder = mkdtempSync(join(tmpdir(), "moec-unread-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Named = readonly [name: string, shape: readonly number[], first: number];

/** Tensors that count up from a number. */
function file(tensors: readonly Named[]): Uint8Array {
  return writeSafetensors({
    tensors: tensors.map(([name, shape, first]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return { name, shape, type: "f32", data: () => fromF32("f32", Float32Array.from({ length: count }, (_, at) => first + at)) }; // prettier-ignore
    }),
  });
}

const SPEC = `model Plain[V = 32, D = 32] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, V] => tok[V: tokens] @ tok
}

recipe Half(a: Plain) -> b: Plain {
  b.tok = 0.5 * a.tok
}
`;

const READ: Named = ["tok", [32, 32], 0];
const BIASES = ["a", "b", "c", "d", "e", "f"].map((name): Named => [`${name}.bias`, [4], 1]);
const DERIVED: readonly Named[] = [
  ["layers.0.rotary_emb.inv_freq", [4], 1],
  ["rope_freqs.weight", [4], 1],
  ["h.0.attn.bias", [1, 1, 4, 4], 0],
  ["h.0.attn.masked_bias", [1], 0],
  ["embeddings.position_ids", [1, 4], 0],
  ["lm_head.weight", [32, 32], 0],
];

describe("what a spec need not have", () => {
  const unread = (...tensors: readonly Named[]): readonly string[] => {
    const checkpoint = openCheckpoint(memorySource(file([READ, ...tensors]), "a.safetensors"));
    return unreadTensors(checkpoint, [checkpoint.tensors.get("tok")!]).map(({ name }) => name);
  };

  it("are frequencies, positions, masks, and a head that is the table of the embeddings", () => {
    expect(unread(...DERIVED)).toEqual([]);
  });

  it("is not a head of its own, nor a bias of attention, nor anything else", () => {
    expect(unread(["lm_head.weight", [32, 32], 1])).toEqual(["lm_head.weight"]);
    expect(unread(["lm_head.weight", [16, 64], 0])).toEqual(["lm_head.weight"]);
    expect(unread(["h.0.attn.bias", [4], 0], ["copy.weight", [32, 32], 0])).toEqual(["h.0.attn.bias", "copy.weight"]);
  });
});

describe("the commands", () => {
  beforeAll(() => {
    writeFileSync(join(folder, "plain.moe"), SPEC);
    writeFileSync(join(folder, "more.safetensors"), file([READ, ...DERIVED, ...BIASES]));
    writeFileSync(join(folder, "clean.safetensors"), file([READ, ...DERIVED]));
    for (const name of ["more", "clean"])
      writeFileSync(join(folder, `${name}.yaml`), `model: plain.moe\nweights: ${name}.safetensors\n`);
  });
  const run = (...args: readonly string[]) => moec(args, { cwd: folder });
  const times = (text: string): number => text.split("warning[MOE5445]").length - 1;

  it.each([
    ["build", ["build", "more.yaml", "--out", "bundle"]],
    ["verify, which builds", ["verify", "more.yaml", "--tokens", "2", "--threads", "1"]],
    ["verify of what was built", ["verify", "more.yaml", "--tokens", "2", "--threads", "1"]],
    ["convert", ["convert", "plain.moe", "--source", "a=more.safetensors", "--out", "half.safetensors"]],
  ])("%s says how many, and the first few, once", async (_, args) => {
    const { code, err } = await run(...args);
    expect(code, err).toBe(0);
    expect(times(err)).toBe(1);
    expect(err).toContain("6 of the checkpoint's 13 tensors");
    expect(err).toContain("`a.bias`, `b.bias`, `c.bias`, `d.bias`, and 2 more");
  });

  it("gives it to programs, and says nothing where all is read", async () => {
    const { out, err } = await run("build", "more.yaml", "--out", "bundle", "--json");
    expect(err).toBe("");
    const { warnings } = JSON.parse(out) as { warnings: unknown };
    expect(warnings).toEqual([{ code: "MOE5445", message: expect.stringContaining("`Plain`") as string }]);
    const clean = await run("build", "clean.yaml", "--out", "clean");
    expect([clean.code, times(clean.err)]).toEqual([0, 0]);
  });
});
