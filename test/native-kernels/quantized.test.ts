/**
 * Wide quantized tiles against doubles, on the interpreter and compiled: sizes around a tile of 16 rows, a record of 64
 * columns, a pass of 512 columns and the groups of rows.
 */
import { describe, expect, it } from "vitest";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { x86v3, x86v4 } from "../../compiler/targets/index.js";
import { hotLoops } from "./assembly.js";
import { compiled, interpreted, runs } from "./runners.js";
import { check, formats, kernelsOf, shapes, tokens } from "./wide-cases.js";

describe.each([x86v4, x86v3])("wide quantized tiles of $name", (target) => {
  const kernels = shapes.flatMap((shape) => kernelsOf(shape, target));

  it("are sound kernels", () => expect(verifyKernels(kernels)).toEqual([]));

  it("are right on the interpreter", { timeout: 60_000 }, () => {
    for (const shape of [shapes[1], shapes[2]]) check(interpreted(kernelsOf(shape, target)), shape, [0, 1, 7]);
  });

  it.runIf(runs(target))("are right compiled", { timeout: 180_000 }, async () => {
    const { run } = await compiled(kernels, target);
    for (const shape of shapes) check(run, shape, shape.K === 96 ? [...tokens, 129] : tokens);
  });

  it.runIf(runs(target))("keep products of bytes in registers in their inner loops", { timeout: 180_000 }, async () => {
    const [instruction, register] = target === x86v4 ? ["vpdpbusd", "zmm"] : ["vpmaddubsw", "ymm"];
    const { lanes, quads, byteTiles, splitTiles } = target.tiles!;
    const { assembly } = await compiled(kernelsOf(shapes[3], target), target);
    const text = await assembly();
    for (const format of formats) {
      const many = hotLoops(text, `many_${format}_544`, instruction);
      const products = many.map((loop) => loop.count(instruction, register));
      // Two tiles of a product here; loops over single steps where pairs are added, else over the 16 words of a record.
      const isSplit = !quads && format === "q8_0";
      for (const { rows, vectors } of isSplit ? splitTiles : byteTiles) {
        const sums = rows * Math.min(vectors, 2 * (16 / lanes));
        expect(products).toContain(sums * (quads ? 16 : isSplit ? 2 : 1));
        if (!quads || vectors > 1) continue;
        // One vector takes its words from memory, at addresses of one register.
        const words = many.map(({ text }) => text.match(/\tvpdpbusd\t-?\d*\(%\w+\)\{1to16\}/g)?.length);
        expect(words).toContain(rows * 16);
      }
      for (const loop of [...many, ...hotLoops(text, `few_${format}_544`, instruction)]) {
        expect(loop.spills, loop.text).toEqual([]);
        expect(loop.calls, loop.text).toEqual([]);
      }
    }
  });
});
