import { expect, it } from "vitest";
import { headOf, parse } from "../../grammar/index.js";

it.each([
  ["expert Same[D] {\n  (x: [D]) => x\n}", "expert Same[D]"],
  [
    "/// Says which.\nrouter All[D, E](\n  k: int = 2,\n  scale: float = 1.0,\n) batch dependent {\n}",
    "router All[D, E](k: int = 2, scale: float = 1.0) batch dependent",
  ],
  ["fn half(x: [D]) => x / 2", "fn half(x: [D])"],
  ["mask Near = (q, k) => q - k < 8", "mask Near"],
])("the head of %j is on one line", (text, head) => {
  const [declaration] = parse(text, "head.moe").tree.declarations;
  if (declaration?.kind !== "module") throw new Error("a module was written");
  expect(headOf(declaration, text)).toBe(head);
});
