/** `moec convert` to GGUF: the tensors are those of the target's `weights gguf` block, and the numbers survive. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import { checkpointSource } from "../../compiler/6-bundle/index.js";
import { diskHost } from "../../cli/source-host.js";
import { moec } from "../cli/io.js";
import { folder as example } from "../real/tiny-moe.js";
import { opened } from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "moec-gguf-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = buildProgram(check(`${example}tiny-moe.moe`, diskHost("/")));
const whole = `${example}model.safetensors`;

/** Values of a parameter in one layer, in the spec's own order of axes. */
function valuesIn(path: string, parameter: string, layer: number): Float32Array {
  const decl = program.params.find((param) => param.path === parameter)!;
  const axes = decl.axes.slice(decl.layerAxes).map(({ name }) => name);
  return checkpointSource(program, opened(path)).read(parameter, decl.layerAxes === 0 ? [] : [layer], axes);
}

/** How many numbers are not the same; a list of another length is all different. */
function differing(found: Float32Array, wanted: Float32Array): number {
  return found.length === wanted.length ? wanted.filter((value, i) => value !== found[i]).length : Infinity;
}

async function convert(source: string, out: string, ...more: readonly string[]): Promise<void> {
  const args = ["convert", "same.moe", "Same", "--source", `moe=${source}`, "--out", out, ...more];
  const { code, err } = await moec(args, { cwd: folder });
  expect(code, err).toBe(0);
}

beforeAll(async () => {
  const spec = `import { TinyMoE } from "${example}tiny-moe.moe"

recipe Same(moe: TinyMoE) -> same: TinyMoE {
  same.norm.weight = 1.0 * moe.norm.weight
}
`;
  writeFileSync(at("same.moe"), spec);
  await convert(whole, "same.gguf");
}, 60_000);

test("names and shapes are those of the `weights gguf` block", () => {
  const { format, tensors } = opened(at("same.gguf"));
  expect(format).toBe("gguf");
  const ofLayer = [
    ["attn_norm", [256]],
    ["ffn_norm", [256]],
    ["attn_q", [4, 64, 256]],
    ["attn_k", [2, 64, 256]],
    ["attn_v", [2, 64, 256]],
    ["attn_output", [256, 4, 64]],
    ["ffn_gate_inp", [8, 256]],
    ["ffn_gate_exps", [8, 256, 256]],
    ["ffn_up_exps", [8, 256, 256]],
    ["ffn_down_exps", [8, 256, 256]],
  ] as const;
  const inLayers = [0, 1, 2, 3].flatMap((layer) =>
    ofLayer.map(([name, shape]) => [`blk.${layer}.${name}.weight`, shape] as const),
  );
  const wanted = [["token_embd.weight", [2048, 256]] as const, ["output_norm.weight", [256]] as const, ...inLayers];
  const found = [...tensors.values()].map(({ name, shape }) => [name, shape]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
});

test("numbers are those of the source, and again in safetensors", async () => {
  await convert(at("same.gguf"), "back.safetensors");
  const [source, back] = [opened(whole), opened(at("back.safetensors"))];
  for (const { path, layerAxes } of program.params) {
    for (const layer of layerAxes === 0 ? [0] : [0, 3]) {
      const wanted = valuesIn(whole, path, layer);
      for (const file of ["same.gguf", "back.safetensors"])
        expect(differing(valuesIn(at(file), path, layer), wanted), `${path} in ${file}`).toBe(0);
    }
  }
  expect([...back.tensors.keys()].sort()).toEqual([...source.tensors.keys()].sort());
}, 60_000);

test("rotary rows lie in pairs in the file: 2 i and 2 i + 1 for i and i + C / 2", () => {
  const stored = opened(at("same.gguf")).readF32("blk.1.attn_q.weight");
  const source = opened(whole).readF32("model.layers.1.self_attn.q_proj.weight");
  const row = (values: Float32Array, head: number, c: number): Float32Array =>
    values.subarray((head * 64 + c) * 256, (head * 64 + c + 1) * 256);
  for (const head of [0, 3]) {
    for (const i of [0, 1, 17, 31]) {
      expect(row(stored, head, 2 * i)).toEqual(row(source, head, i));
      expect(row(stored, head, 2 * i + 1)).toEqual(row(source, head, i + 32));
    }
  }
  // Values are not rotated.
  const [v, own] = ["blk.1.attn_v.weight", "model.layers.1.self_attn.v_proj.weight"];
  expect(differing(opened(at("same.gguf")).readF32(v), opened(whole).readF32(own))).toBe(0);
});

test("q8_0 lies within half a step of the weights, a step being the greatest of a block over 127", async () => {
  await convert(whole, "q.gguf", "--type", "q8_0");
  const quantized = opened(at("q.gguf"));
  const exact = opened(at("same.gguf"));
  let changed = 0;
  for (const { name, type, shape } of quantized.tensors.values()) {
    expect(type, name).toBe(shape.length === 1 ? exact.tensors.get(name)!.type : "q8_0");
    const [x, y] = [exact.readF32(name), quantized.readF32(name)];
    let excess = -Infinity;
    for (let block = 0; block < x.length; block += 32) {
      let most = 0;
      for (let i = block; i < block + 32; i++) most = Math.max(most, Math.abs(x[i]!));
      // Half a step of rounding, and 127 steps times the scale's own rounding to f16: 2^-11 of it, or half of the least
      // f16 (2^-25) for a small one.
      const step = most / 127;
      const bound = step / 2 + 127 * Math.max(step * 2 ** -11, 2 ** -25);
      for (let i = block; i < block + 32; i++) {
        const error = Math.abs(y[i]! - x[i]!);
        excess = Math.max(excess, error - bound);
        if (error > 0) changed++;
      }
    }
    expect(excess, name).toBeLessThanOrEqual(0);
  }
  expect(changed).toBeGreaterThan(1e6);
}, 60_000);
