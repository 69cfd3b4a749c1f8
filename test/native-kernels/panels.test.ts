/** The float tile in LLVM's code: 14 rows times 32 outputs stay in registers. What it computes is in `schedules.test.ts`. */
import { expect, it } from "vitest";
import { schedule } from "../../compiler/4-schedule/index.js";
import { x86v4 } from "../../compiler/targets/index.js";
import { axis, f32, param, program } from "../schedule/programs.js";
import { hotLoops } from "./assembly.js";
import { compiled, runs } from "./runners.js";

it.runIf(runs(x86v4))("keeps 14 x 32 sums in registers", { timeout: 60_000 }, async () => {
  const [T, D, F] = [axis("T"), axis("D", 512), axis("F", 64)];
  const product = program({
    inputs: { x: f32(T, D) },
    params: [param("w", [D, F])],
    build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["D"] })],
  });
  const { kernels } = schedule(product, x86v4, { limits: { T: 16, context: 16 }, storage: () => "f32" });
  const { assembly } = await compiled(kernels, x86v4);
  const loops = hotLoops(await assembly(), kernels.at(-1)!.name, "vfmadd231ps");
  // Four columns a turn.
  expect(loops.map((loop) => loop.count("vfmadd231ps", "zmm"))).toContain(14 * 2 * 4);
  for (const loop of loops) {
    expect(loop.spills, loop.text).toEqual([]);
    expect(loop.calls, loop.text).toEqual([]);
  }
});
