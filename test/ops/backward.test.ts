/** The cost of the backward pass is known for every op that has a gradient. */
import { expect, it } from "vitest";
import { hasBackward, isDifferentiable } from "../../compiler/ops/backward.js";
import { opNames } from "../../compiler/ops/index.js";

it.each(opNames.filter(isDifferentiable))("%s", (name) => {
  expect(hasBackward(name)).toBe(true);
});

it("an op of no rule is none that costs nothing", () => {
  expect(hasBackward("random")).toBe(false);
});
