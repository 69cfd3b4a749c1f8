/** `moec inspect --cost --against`: two models side by side. */
import { afterAll, describe, expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

const SPEC = `import { MoE } from "std"

model Few[V = 16, D = 8, F = 32, E = 4](k: int = 2) {
  param tok: [V, D]
  use moe = MoE[D, F, E](k)
  forward(tokens: int[T]) -> f32[T, V] => moe(tok[V: tokens]) @ tok
}
`;
const CACHED = `import { Attention, Causal } from "std"

model Cached[V = 16, D = 64, H = 2, G = 1, C = 32] {
  param tok: [V, D]
  use attn = Attention[D, H, G, C](mask: Causal, theta: 10_000)
  forward(tokens: int[T]) -> f32[T, V] => attn(tok[V: tokens]) @ tok
}
`;
const project = (quantization: string, cache: string, context: number): string =>
  `model: cached.moe\nquantization: ${quantization}\ncache: ${cache}\ncontext: ${context}\n`;
const place = folderOf({
  "few.moe": SPEC,
  "other.moe": SPEC.replace("model Few", "model Other"),
  "short/cached.moe": CACHED,
  "short/moec.yaml": project("q8_0", "f16", 100),
  "long/cached.moe": CACHED,
  "long/moec.yaml": project("f32", "q8_0", 5000),
});
afterAll(() => place.remove());
const inspect = (...args: readonly string[]) => moec(["inspect", "few.moe", ...args], { cwd: place.path });

interface Compared {
  readonly setting: Readonly<Record<string, unknown>>;
  readonly models: readonly { readonly name: string; readonly sizes: Readonly<Record<string, number>> }[];
  readonly figures: readonly { readonly title: string; readonly values: number[]; readonly ratio: number }[];
}

async function compared(...args: readonly string[]): Promise<Compared> {
  const { out } = await inspect(...args, "--json");
  return (JSON.parse(out) as { views: { data: Compared }[] }).views[0]!.data;
}

describe("costs side by side", () => {
  // A router is D * E, an expert 3 * D * F; of 8 experts of half the width two are at work.
  it("measure a model by another one", async () => {
    const { models, figures } = await compared("--size", "E=8", "--size", "F=16", "--against", "few.moe");
    expect(models.map(({ sizes }) => [sizes["E"], sizes["F"]])).toEqual([
      [4, 32],
      [8, 16],
    ]);
    const all = (experts: number, width: number): number => 16 * 8 + 8 * experts + experts * 3 * 8 * width;
    const active = (experts: number, width: number): number => 16 * 8 + 8 * experts + 2 * 3 * 8 * width;
    const of = (title: string) => figures.find((figure) => figure.title === title)!;
    expect(of("parameters").values).toEqual([all(4, 32), all(8, 16)]);
    expect(of("active for a token").values).toEqual([active(4, 32), active(8, 16)]);
    expect(of("active for a token").ratio).toBeCloseTo(active(8, 16) / active(4, 32), 12);
  });

  it("have the sizes that differ first, and training where it is asked for", async () => {
    const { out } = await inspect("--training", "--size", "E=8", "--against", "few.moe");
    const lines = out.split("\n").map((line) => line.trim());
    expect(lines).toContain("against with E = 4");
    expect(lines).toContain("Few with E = 8");
    expect(lines).toContain("both with V = 16, D = 8, F = 32, k = 2");
    expect(lines).toContain("training on sequences of 512 tokens");
    expect(lines.find((line) => line.startsWith("memory of the model"))).toMatch(/KiB +[\d.]+ KiB +1\.\d+$/);
  });

  // A cache row is keys and values of one head of 32; both tables have 16 * 64, attention 64 * (64 + 64 + 32 + 32).
  it.each([
    ["short", "long", [], { quantization: "q8_0", cache: "f16", past: 50 }, 34 / 32, 2 * 50],
    ["long", "short", [], { quantization: "f32", cache: "q8_0", past: 2500 }, 4, (34 / 32) * 2500],
    [
      "short",
      "long",
      ["--context", "8", "--cache", "f32", "--quantization", "bf16"],
      { quantization: "bf16", cache: "f32", past: 4 },
      2,
      4 * 4,
    ],
  ] as const)(
    "are counted with the setting of the first: %s beside %s %j",
    async (first, second, args, setting, weight, cache) => {
      const { code, out } = await moec(["inspect", first, "--against", second, "--training", ...args], {
        cwd: place.path,
      });
      expect(code).toBe(0);
      const words = `both with weights in ${setting.quantization}, a cache in ${setting.cache} and ${setting.past} tokens before`;
      expect(out.replaceAll(/\s+/g, " ")).toContain(words);
      expect(out).toContain(`operations of a token after ${setting.past} others`);
      expect(out).toContain(`cache of ${setting.past} tokens in ${setting.cache}, which a token reads`);
      expect(out).toContain(`training on sequences of ${2 * setting.past} tokens`);
      const json = await moec(["inspect", first, "--against", second, "--training", "--json", ...args], {
        cwd: place.path,
      });
      const [view] = (JSON.parse(json.out) as { views: { data: Compared }[] }).views;
      const { setting: told, figures } = view!.data;
      expect(told).toMatchObject({ ...setting, training: { sequence: 2 * setting.past, optimizer: "adam" } });
      const valuesOf = (title: string) => figures.find((figure) => figure.title === title)?.values;
      const weights = Math.round((16 * 64 + 64 * (64 + 64 + 32 + 32)) * weight);
      expect(valuesOf(`weights in ${setting.quantization}`)).toEqual([weights, weights]);
      const rows = 64 * cache;
      expect(valuesOf(`cache of ${setting.past} tokens in ${setting.cache}, which a token reads`)).toEqual([
        rows,
        rows,
      ]);
      // Equal models: a ratio other than 1 would be of the settings.
      expect(figures.filter(({ ratio }) => ratio !== 1)).toEqual([]);
    },
  );

  it("are named by their models where these have two names", async () => {
    const { out } = await inspect("--cost", "--against", "other.moe");
    expect(out.split("\n")[0]).toMatch(/^ +Other +Few +ratio$/);
    expect(out).toMatch(/parameters .* 1\n/);
  });

  it.each([
    [["--graph"], "--against compares costs, and the other views show one model"],
    [["--html", "page.html"], "--against compares costs, and a page shows one model"],
    [["--formulas"], "--against compares numbers, and formulas are of one model"],
  ])("are not shown with %s", async (args, message) => {
    const { code, err } = await inspect("--against", "other.moe", ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
