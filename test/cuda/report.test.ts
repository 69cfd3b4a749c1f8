/** What the assembler says of kernels: read rightly, and no kernel of the example spills. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { cuda } from "../../compiler/targets/index.js";
import { compileCuda, nvccCapabilities, nvccVersion, VERBOSE } from "../../cli/nvcc.js";
import { a100, h100, occupancy, productRate, readPtxas, roofline } from "../../cli/ptxas.js";
import { attentionKernels, scheduled } from "../../bench/cuda/report.js";
import { folder, tinyProgram, tinySchedule } from "../real/tiny-moe.js";
import { haveTools } from "../support/compiled.js";

const said = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'first' for 'sm_90'
ptxas info    : Function properties for first
    784 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 2048 bytes smem
ptxas info    : Compiling entry function 'second' for 'sm_90'
ptxas info    : Function properties for second
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 168 registers, used 0 barriers
`;

describe("the assembler's report", () => {
  const [first, second] = readPtxas(said) as [
    ReturnType<typeof readPtxas>[number],
    ReturnType<typeof readPtxas>[number],
  ];
  it("is read kernel by kernel", () => {
    expect(first).toEqual({ kernel: "first", registers: 40, spills: 20, stack: 784, shared: 2048 });
    expect(second).toEqual({ kernel: "second", registers: 168, spills: 0, stack: 0, shared: 0 });
    expect(() => readPtxas("Compiling entry function 'x' for 'sm_90'")).toThrow("nothing about x");
  });

  it("tells how many threads are there at the same time", () => {
    // 40 registers of 32 threads are 5 pieces of 256: 51 warps, so 25 blocks of two.
    expect(occupancy({ ...first, shared: 0 }, 64, h100)).toBe((25 * 64) / 2048);
    // 168 registers: 21 pieces of 256 a warp, 12 warps, 3 blocks of four.
    expect(occupancy(second, 128, h100)).toBe((3 * 128) / 2048);
    // Shared memory of 63 KiB and the system's one: two blocks on A100, three on H100.
    const large = { ...second, registers: 16, shared: 63 * 1024 };
    expect([a100, h100].map((gpu) => occupancy(large, 256, gpu))).toEqual([(2 * 256) / 2048, (3 * 256) / 2048]);
  });

  it("gives the longer of two times", () => {
    expect(roofline(66.9e9, 0, h100)).toBeCloseTo(1e-3, 12);
    expect(roofline(66.9e9, 3.35e10, h100)).toBeCloseTo(1e-2, 12);
    // Two parts of f16 are two products, three of bf16 three.
    expect(["f32", "f16", "bf16", "q8_0"].map((storage) => productRate(storage as "f32", h100) / 1e12)).toEqual([
      66.9,
      989 / 2,
      989 / 3,
      1979,
    ]);
    expect(roofline(1979e9, 0, h100, productRate("q4_0", h100))).toBeCloseTo(1e-3, 12);
  });
});

/** The tables of the page's report: registers, spills and stack of each generation. */
function tablesOfPage() {
  const text = readFileSync(new URL("../../docs/cuda.md", import.meta.url), "utf8");
  const report = text.slice(text.indexOf("<!-- report -->"), text.indexOf("<!-- end of report -->"));
  /** Rows whose first cell is this, with the numbers from a column on. */
  const rows = (first: RegExp, column: number) =>
    report.split("\n").flatMap((line) => {
      const cells = line.split("|").map((cell) => cell.trim());
      const name = first.exec(cells[1] ?? "")?.[1];
      if (name === undefined) return [];
      return [{ name, numbers: cells.slice(column, column + 3).map((cell) => cell.split("/").map(Number)) }];
    });
  const compiler = /compiled by nvcc ([\d.]+)\./.exec(report)![1]!;
  return { compiler, kernels: rows(/^`(\w+)`$/, 4), attention: rows(/^(\d+ columns, \w+)$/, 3) };
}
const page = tablesOfPage();

/** The example as `node bench/cuda/report.mjs` compiles it. */
const example = { spec: `${folder}tiny-moe.moe`, storage: "q8_0", sizes: {}, tokens: 256, context: 512 } as const;

describe.runIf(haveTools("nvcc"))("the kernels of the example", () => {
  // The older and the newer generation by `MOEC_CUDA=all npx vitest run test/cuda`.
  const wanted = process.env["MOEC_CUDA"] === "all" ? [80, 90, 100] : [90];
  const known = wanted.filter((capability) => nvccCapabilities().includes(capability));

  /** Compiles kernels, of which none may spill; the numbers of each. */
  function compiled(kernels: readonly Kernel[], capability: number): readonly (readonly number[])[] {
    const { report } = compileCuda(emitCuda(kernels, cuda), { kind: "cubin", capability }, { more: VERBOSE });
    const said = readPtxas(report);
    expect(said).toHaveLength(kernels.length);
    expect(said.filter(({ spills }) => spills > 0)).toEqual([]);
    const byName = new Map(said.map((one) => [one.kernel, one]));
    return kernels.map(({ name }) => {
      const { registers, spills, stack } = byName.get(name)!;
      return [registers, spills, stack];
    });
  }

  type Row = { readonly name: string; readonly numbers: readonly (readonly number[])[] };
  /** Compares with a table of the page, row by row, where it is of the compiler that is here. */
  function compareRows(own: readonly { name: string; numbers: readonly number[] }[], rows: readonly Row[], at: number) {
    if (!nvccVersion().includes(`V${page.compiler}`)) {
      return console.warn(`skipped: the table is of nvcc ${page.compiler}, which is not the one that is here`);
    }
    const place = [80, 90, 100].indexOf(at);
    const shown = rows.map(({ name, numbers }) => ({ name, numbers: numbers.map((each) => each[place]) }));
    expect(shown, "`node bench/cuda/report.mjs` writes the table anew").toEqual(own);
  }

  it.each(known)("need no memory for want of registers on sm_%i", { timeout: 180_000 }, (capability) => {
    const { kernels } = tinySchedule(tinyProgram(), "q8_0", cuda);
    const numbers = compiled(kernels, capability);
    // The kernels for texts side by side come behind those of the table.
    const count = scheduled(example).kernels.length;
    const own = kernels.slice(0, count).map(({ name }, i) => ({ name, numbers: numbers[i]! }));
    compareRows(own, page.kernels, capability);
  });

  it.each(known)("nor does attention by tensor cores on sm_%i", { timeout: 180_000 }, (capability) => {
    const rows = attentionKernels(example);
    const kernels = rows.map(({ kernel }, i) => ({ ...kernel, name: `${kernel.name}_${i}` }));
    const numbers = compiled(kernels, capability);
    const own = rows.map(({ row }, i) => ({ name: row, numbers: numbers[i]! }));
    compareRows(own, page.attention, capability);
  });
});
