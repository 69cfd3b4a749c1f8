/** What the lens says is what the graph of the built program costs. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { buildProgram } from "../../compiler/2-graph/index.js";
import { regionCost } from "../../compiler/2-graph/cost.js";
import { declarationsOf } from "../../compiler/2-graph/types.js";
import { Size } from "../../compiler/axes/size.js";
import { formulaText } from "../../editor/server/cost/formula.js";
import { diskWorkspace } from "../../editor/server/disk.js";
import { measured } from "../../editor/server/features/code-lens.js";
import { Workspace } from "../../editor/server/workspace.js";
import { root } from "./client.js";

it.each([
  ["examples/tiny-moe/tiny-moe.moe", "TinyMoE"],
  ["examples/sentence-encoder/sentence-encoder.moe", "SentenceEncoder"],
])("%s costs as its graph does", (path, name) => {
  const host = diskWorkspace({ library: join(root, "stdlib"), errorsPage: join(root, "docs/reference/errors.md") });
  const workspace = new Workspace(host);
  const file = join(root, path);
  const found = measured(workspace.load(file)!.modules.get(name)!)!;
  const program = buildProgram(workspace.project(file));
  const cost = regionCost(program.entries[0]!.body, declarationsOf(program));
  const sizes = { T: 1, past: 0 };
  expect(found.operations.constant).toBe(cost.flops.evaluate(sizes));
  expect(found.bytes.constant).toBe(cost.bytes.evaluate(sizes));
  const numbers = program.params.map(({ axes }) => axes.reduce((count, axis) => count * axis.size.constant!, 1));
  expect(found.parameters.constant).toBe(numbers.reduce((a, b) => a + b, 0));
});

it("writes formulas as their author would", () => {
  const half = Size.of("H.by.G").times(Size.of("G")).times(Size.of("D"));
  expect(formulaText(half.plus(Size.of(4)))).toBe("D * H + 4");
  expect(formulaText(Size.of("C.by.2").times(Size.of(4)))).toBe("2 * C");
  expect(formulaText(Size.of("C.by.2").times(Size.of("D")))).toBe("(C / 2) * D");
});
