/** Files that import each other in a circle can't be read, tested or replaced one at a time. */
import { posix } from "node:path";
import { expect, it } from "vitest";
import { importsOf } from "./imports.js";
import { sources } from "./sources.js";

/** Groups of nodes that all reach each other (Tarjan 1972), larger than one. */
function circles(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: (readonly string[])[] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.get(node)!);
    open.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!edges.has(next)) continue;
      if (!order.has(next)) visit(next);
      if (open.includes(next)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = open.splice(open.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found;
}

const SHELLS = ["cli", "runtime", "serve", "editor", "playground"];
const PURE = ["compiler", "grammar"];
const imports = new Map(sources([...SHELLS, ...PURE], [".ts"]).map((file) => [file.path, importsOf(file)]));

function circlesOf(parts: readonly string[], withTypes: boolean): readonly (readonly string[])[] {
  const own = [...imports].filter(([path]) => parts.includes(path.split("/")[0]!));
  expect(own.length).toBeGreaterThan(0);
  const edges = own.map(([path, list]) => {
    return [path, list.filter(({ typeOnly }) => withTypes || !typeOnly).map(({ to }) => to)] as const;
  });
  return circles(new Map(edges));
}

it("finds circles, and only those", () => {
  const edges = { a: ["b"], b: ["c", "d"], c: ["a"], d: ["e"], e: ["e"], f: ["a", "gone"] };
  expect(circles(new Map(Object.entries(edges)))).toEqual([["a", "b", "c"]]);
});

it.each(SHELLS)("%s has none, not even of types", (part) => {
  expect(circlesOf([part], true)).toEqual([]);
});

/** Walks over trees: what prints or checks a statement needs expressions, which hold statements. */
const WALKS = ["compiler/1-check", "compiler/4-schedule/lower", "compiler/5-emit", "grammar/print"];

it("the compiler has them where it walks over trees, never between its parts", () => {
  for (const group of circlesOf(PURE, false)) {
    const folders = group.map((path) => posix.dirname(path));
    const walk = WALKS.find((one) => folders.every((folder) => folder === one || folder.startsWith(`${one}/`)));
    expect(walk, group.join(", ")).toBeDefined();
  }
});

it.each(["3-optimize", "6-bundle", "checkpoints", "ops", "targets"])("%s has none, not even of types", (part) => {
  const files = [...imports.keys()].filter((path) => path.startsWith(`compiler/${part}/`));
  expect(files.length).toBeGreaterThan(0);
  const own = circlesOf(PURE, true).filter((group) => group.some((path) => files.includes(path)));
  expect(own).toEqual([]);
});
