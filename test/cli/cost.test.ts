/** `moec inspect --cost`: exact counts, formulas that give the numbers, and no waiting for large models. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

interface Cost {
  readonly sizes: Readonly<Record<string, number>>;
  readonly numbers: {
    readonly parameters: number;
    readonly active: number;
    readonly activeWithoutTables: number;
    readonly operations: number;
    readonly cacheNumbersPerPosition: number;
    readonly bytes: Readonly<Record<string, number>>;
  };
  readonly formulas?: Readonly<Record<string, string>>;
  readonly fixed: readonly string[];
}

async function costOf(...args: readonly string[]): Promise<Cost> {
  const { out, err } = await moec(["inspect", ...args, "--cost", "--json"]);
  const record = JSON.parse(out) as { ok: boolean; views?: { data: Cost }[] };
  expect(record.ok, err + out).toBe(true);
  return record.views![0]!.data;
}

/** A formula's value, by the arithmetic of JavaScript. */
function valueOf(formula: string, sizes: Readonly<Record<string, number>>): number {
  const text = formula.replace(/\^/g, "**").replace(/[A-Za-z]\w*/g, (name) => String(sizes[name] ?? NaN));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return (Function(`return ${text}`) as () => number)();
}

describe("a small model", () => {
  it("counts by hand", async () => {
    const { sizes, numbers, formulas } = await costOf("examples/tiny-moe");
    const { V, L, D, H, G, C, F, E, k } = sizes as Record<string, number> & { V: number };
    const attention = 2 * D! * H! * C! + 2 * D! * G! * C!;
    const layer = (experts: number): number => attention + 2 * D! + D! * E! + experts * 3 * D! * F!;
    expect(numbers.parameters).toBe(V * D! + D! + L! * layer(E!));
    expect(numbers.active).toBe(V * D! + D! + L! * layer(k!));
    // The table is the output projection too: it is read whole.
    expect(numbers.activeWithoutTables).toBe(numbers.active);
    expect(numbers.cacheNumbersPerPosition).toBe(2 * L! * G! * C!);
    for (const key of ["parameters", "active", "tables"]) {
      const expected = key === "tables" ? 0 : numbers[key as "parameters"];
      expect(valueOf(formulas![key]!, sizes), key).toBe(expected);
    }
    expect(Math.abs(valueOf(formulas!["operations"]!, { ...sizes, past: 256 }) / numbers.operations - 1)).toBeLessThan(
      1e-4,
    );
    // Two operations for each number that a token meets in a matrix are most of it.
    expect(numbers.operations / (2 * numbers.active)).toBeGreaterThan(1);
    expect(numbers.operations / (2 * numbers.active)).toBeLessThan(1.25);
  });

  it("takes sizes and storage from the command line", async () => {
    const one = await costOf("examples/tiny-moe", "--size", "E=16", "--quantization", "q8_0", "--context", "100");
    const two = await costOf("examples/tiny-moe", "--size", "E=8", "--quantization", "f32", "--context", "100");
    const { D, F, L } = one.sizes as { D: number; F: number; L: number };
    expect(one.numbers.parameters - two.numbers.parameters).toBe(8 * L * (3 * D * F + D));
    expect(one.numbers.bytes["weights"]).toBe(Math.round((one.numbers.parameters * 34) / 32));
    expect(two.numbers.bytes["cachePerToken"]).toBe(two.numbers.cacheNumbersPerPosition * 50 * 4);
  });

  it("prints a table, and formulas when they are asked for, in the width of the terminal", async () => {
    const inspect = ["inspect", "examples/tiny-moe", "--training", "--tokens", "1T", "--devices", "8xH100"];
    const { out, code } = await moec(inspect);
    expect(code).toBe(0);
    expect(out).toMatch(/^TinyMoE +exactly\nparameters +7 612 672 +7\.6 M\n/);
    expect(out).not.toContain(" * ");
    expect(out.split("\n").length).toBeLessThan(40);
    const asked = await moec([...inspect, "--formulas"]);
    expect(asked.out).toContain("  cache per position = 2 * C * G * L\n");
    expect(asked.out).toContain("backward operations = ");
    for (const text of [out, asked.out]) {
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  it("counts the cache in the format that it is kept in", async () => {
    const { numbers } = await costOf("examples/tiny-moe", "--cache", "q8_0", "--context", "100");
    expect(numbers.bytes["cachePerToken"]).toBe((numbers.cacheNumbersPerPosition * 50 * 34) / 32);
  });
});

describe("what cannot be counted", () => {
  const spec = `model A[V = 8, D] {
  param tok: [V, D]
  forward(tokens: int[T]) => tok[V: tokens]
}
`;
  it("says which size is missing, and which model is meant", async () => {
    const folder = folderOf({ "a.moe": spec });
    try {
      expect((await moec(["inspect", "a.moe", "--cost"], { cwd: folder.path })).err).toContain("MOE5421");
      const given = await moec(["inspect", "a.moe", "--cost", "--size", "D=4"], { cwd: folder.path });
      expect(given.out).toMatch(/tables that are only looked up +0/);
      writeFileSync(join(folder.path, "b.moe"), spec + spec.replace("model A", "model B"));
      expect((await moec(["inspect", "b.moe", "--cost"], { cwd: folder.path })).err).toContain("MOE5420");
      const chosen = await moec(["inspect", "b.moe", "--cost", "--model", "B", "--size", "D=4"], { cwd: folder.path });
      expect(chosen.out).toMatch(/^B /);
    } finally {
      folder.remove();
    }
  });
});
