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
const place = folderOf({ "few.moe": SPEC, "other.moe": SPEC.replace("model Few", "model Other") });
afterAll(() => place.remove());
const inspect = (...args: readonly string[]) => moec(["inspect", "few.moe", ...args], { cwd: place.path });

interface Compared {
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

  it("are named by their models where these have two names", async () => {
    const { out } = await inspect("--cost", "--against", "other.moe");
    expect(out.split("\n")[0]).toMatch(/^ +Other +Few +ratio$/);
    expect(out).toMatch(/parameters .* 1\n/);
  });

  it.each([
    [["--graph"], "--against compares costs, and the other views show one model"],
    [["--html", "page.html"], "--against compares costs, and a page shows one model"],
  ])("are not shown with %s", async (args, message) => {
    const { code, err } = await inspect("--against", "other.moe", ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
