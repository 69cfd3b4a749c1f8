/** The float tile in LLVM's code: its sums stay in registers. What it computes is in `schedules.test.ts`. */
import { expect, it } from "vitest";
import { schedule } from "../../compiler/4-schedule/index.js";
import { x86v3, x86v4 } from "../../compiler/targets/index.js";
import { axis, f32, param, program } from "../schedule/programs.js";
import { hotLoops } from "./assembly.js";
import { compiled, runs } from "./runners.js";

it.each([x86v4, x86v3].filter(runs))("sums of $name stay in registers", { timeout: 60_000 }, async (target) => {
  const [T, D, F] = [axis("T"), axis("D", 512), axis("F", 64)];
  const product = program({
    inputs: { x: f32(T, D) },
    params: [param("w", [D, F])],
    build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["D"] })],
  });
  const { kernels } = schedule(product, target, { limits: { T: 16, context: 16 }, storage: () => "f32" });
  const { assembly } = await compiled(kernels, target);
  const loops = hotLoops(await assembly(), kernels.at(-1)!.name, "vfmadd231ps");
  const { floatRows, floatVectors, lanes } = target.tiles!;
  // Four columns a turn.
  const counts = loops.map((loop) => loop.count("vfmadd231ps", lanes === 16 ? "zmm" : "ymm"));
  for (let rows = floatRows; rows >= 1; rows--) expect(counts).toContain(rows * floatVectors * 4);
  // What many rows read next is on its way before they ask for it.
  expect(loops.some((loop) => loop.text.includes("\tprefetcht1\t"))).toBe(true);
  for (const loop of loops) {
    expect(loop.spills, loop.text).toEqual([]);
    expect(loop.calls, loop.text).toEqual([]);
    // Addresses count on in one register for each row.
    expect(loop.copies.length, loop.text).toBeLessThanOrEqual(floatRows);
  }
});
