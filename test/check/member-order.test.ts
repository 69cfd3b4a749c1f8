/** Axes that types of members name, and derived ones, are known to all members, whatever stands first. */
import { expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { testHost } from "./host.js";

const said = (text: string): readonly string[] =>
  check("order.moe", testHost({ "order.moe": text })).diagnostics.map(({ code, message }) => `${code} ${message}`);

/** All orders of some lines. */
function orders(lines: readonly string[]): readonly (readonly string[])[] {
  if (lines.length < 2) return [lines];
  return lines.flatMap((line) => orders(lines.filter((other) => other !== line)).map((rest) => [line, ...rest]));
}

const library = `block Up[D, X] {
  param w: [D, X]
  (x: [T, D]) => x @ w
}
`;

test.each([
  ["a state by an axis of a parameter", ["state s: [Y = 2 * X] = 0", "param p: [D, X = 2 * D]"]],
  ["a state by a derived axis", ["state s: [Y = 2 * X] = 0", "axis X = 2 * D"]],
  ["a size in a call", ["state s: [Y = size(C) * 2, X = 2] = 0", "param q: [D, C = 2 * D]"]],
  ["a parameter by an axis of a state", ["param p: [D, Y]", "state s: [Y = 2 * X] = 0", "param q: [D, X = 2 * D]"]],
  ["a module by an axis of a state", ["use up = Up[D, Y]", "axis Y2 = 2 * Y", "state s: [Y = 4] = 0"]],
])("%s", (_, members) => {
  for (const lines of orders(members)) {
    const text = `${library}block A[D] {\n  ${lines.join("\n  ")}\n  (x: [T, D]) => x\n}\n`;
    expect(said(text), text).toEqual([]);
  }
});

test("the sizes are those that are written, in any order", () => {
  for (const lines of orders(["state s: [Y = 2 * X] = 0", "param p: [D, X = 3 * D]", "use up = Up[D, Y]"])) {
    const module = `block A[D] {\n  ${lines.join("\n  ")}\n  (x: [T, D]) -> [T, Y] => up(x) + s\n}\n`;
    const use = `block B {\n  use a = A[2]\n  (x: [T, D = 2]) -> [T, Y = 12] => a(x)\n}\n`;
    expect(said(library + module + use), module).toEqual([]);
    expect(said(library + module + use.replace("12", "13"))[0], module).toMatch(/^MOE2117 /);
  }
});

test("an axis that a call decides is no error in a body that knows it, nor in one that decides others", () => {
  const text = `model M[V = 8, D = 4] {
  param tok: [V, D]
  axis C = ceil(T * 1.5)
  axis W = 2 * C
  forward(tokens: int[T]) => tok[V: tokens] @ tok
  other(ids: int[S]) => tok[V: ids] @ tok
}
`;
  expect(said(text)).toEqual([]);
});

test("each body says what is wrong with what it decides", () => {
  const text = `model M[V = 8, D = 4] {
  param tok: [V, D]
  axis C = T * wrong
  axis G = S * odd
  forward(tokens: int[T]) => tok[V: tokens] @ tok
  other(ids: int[S]) => tok[V: ids] @ tok
}
`;
  expect(said(text)).toEqual(["MOE2001 there is no `wrong` here", "MOE2001 there is no `odd` here"]);
});
