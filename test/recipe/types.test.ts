/** How what a recipe makes is stored: as what it is made of, copied where nothing changes, and never as something else. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  fromF32,
  writeGguf,
  writeSafetensors,
  type EncodableType,
  type TensorSource,
} from "../../compiler/checkpoints/index.js";
import { fromIntegers } from "../../compiler/checkpoints/integers.js";
import { moec } from "../cli/io.js";
import { opened } from "./models.js";

const SPEC = `model Lookup[V = 256, D = 32] {
  param tok: [V, D]
  param norm: [D]
  param map: int[V]
  forward(tokens: int[T]) -> f32[T, V] => (tok[V: map[V: tokens]] * norm) @ tok
  weights safetensors {
    tok: "tok"
    norm: "norm"
    map: "map"
  }
  weights gguf {
    tok: "tok"
    norm: "norm"
    map: "map"
  }
}
recipe Scaled(a: Lookup, by: float = 2) -> b: Lookup {
  b.tok = by * a.tok
  b.norm = by * a.norm
}
recipe Mapped(a: Lookup, by: int = 3) -> b: Lookup {
  b.map = by * a.map
}
`;

const folder = mkdtempSync(join(tmpdir(), "moec-types-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const floats = (name: string, shape: readonly number[], type: EncodableType): TensorSource => {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => ((i * 37) % 101) / 64 + 700);
  return { name, shape, type, data: () => fromF32(type, values) };
};
const map: TensorSource = {
  name: "map",
  shape: [256],
  type: "i32",
  data: () =>
    fromIntegers(
      "i32",
      new Float32Array(256).map((_, i) => 100001 + i),
    ),
};
const tensors = (tok: EncodableType): readonly TensorSource[] => [
  floats("tok", [256, 32], tok),
  floats("norm", [32], "f32"),
  map,
];

/** Blocks of a type that nothing is converted to; any bytes are finite numbers where the two f16 of a block are. */
const fine: TensorSource = {
  name: "tok",
  shape: [256, 32],
  type: "q5_1",
  data: () => new Uint8Array(256 * 24).map((_, i) => (i % 24 < 4 ? 8 : i)),
};

beforeAll(() => {
  writeFileSync(at("spec.moe"), SPEC);
  writeFileSync(at("a.safetensors"), writeSafetensors({ tensors: tensors("f16") }));
  writeFileSync(at("a.gguf"), writeGguf({ metadata: new Map(), tensors: tensors("q4_0") }));
  const [, ...others] = tensors("f32");
  writeFileSync(at("k.gguf"), writeGguf({ metadata: new Map(), tensors: [fine, ...others] }));
});

const convert = (recipe: string, source: string, out: string, ...more: readonly string[]) =>
  moec(["convert", "spec.moe", recipe, "--source", `a=${source}`, "--out", out, ...more], { cwd: folder });

const types = (file: string): Record<string, string> =>
  Object.fromEntries([...opened(at(file)).tensors.values()].map(({ name, type }) => [name, type]));

test("each parameter is stored as the one that it is made of, vectors never in blocks", async () => {
  expect((await convert("Scaled", "a.safetensors", "b.safetensors")).err).toBe("");
  expect(types("b.safetensors")).toEqual({ tok: "f16", norm: "f32", map: "i32" });
  expect((await convert("Scaled", "a.gguf", "b.gguf")).err).toBe("");
  expect(types("b.gguf")).toEqual({ tok: "q4_0", norm: "f32", map: "i32" });
});

test("integers and finer blocks that are taken over keep their type and their bytes", async () => {
  expect((await convert("Mapped", "k.gguf", "c.gguf")).err).toBe("");
  expect((await convert("Scaled", "a.safetensors", "c.safetensors", "--type", "bf16")).err).toBe("");
  expect(types("c.gguf")).toEqual({ tok: "q5_1", norm: "f32", map: "i32" });
  expect(Uint8Array.from(opened(at("c.gguf")).read("tok"))).toEqual(fine.data());
  expect(Uint8Array.from(opened(at("c.safetensors")).read("map"))).toEqual(map.data());
});

test("integers that are computed stay integers", async () => {
  const { code, err } = await convert("Mapped", "a.safetensors", "m.safetensors");
  expect(code, err).toBe(0);
  const { tensors: made, ...file } = opened(at("m.safetensors"));
  expect(made.get("map")!.type).toBe("i32");
  expect([...file.readF32("map")].slice(0, 3)).toEqual([300003, 300006, 300009]);
});

test.each([
  ["Scaled", "a.safetensors", "x.safetensors", ["--set", "by=100", "--type", "f16"], "tok"],
  ["Scaled", "a.gguf", "x.gguf", ["--set", "by=1e6", "--type", "q4_0"], "tok"],
  ["Mapped", "a.safetensors", "x.safetensors", ["--set", "by=1000"], "map"],
])("%s of %s as %s %j is refused: `%s` would not hold its values", async (recipe, source, out, more, name) => {
  const { code, err } = await convert(recipe, source, out, ...more);
  expect([code, err]).toEqual([3, expect.stringMatching(`MOE5446.*\`${name}\``)]);
  expect(readdirSync(folder).filter((file) => file.includes("x."))).toEqual([]);
});
