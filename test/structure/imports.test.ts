import ts from "typescript";
import { describe, expect, it } from "vitest";
import { importsOf, problem } from "./imports.js";
import { isGenerated, sources } from "./sources.js";

const house = sources(["grammar", "compiler", "runtime", "serve", "cli"]);

describe("the import rule", () => {
  it("holds for every import", () => {
    expect(house.length).toBeGreaterThan(20);
    const broken = house
      .flatMap(importsOf)
      .map((each) => ({ ...each, why: problem(each) }))
      .filter(({ why }) => why !== undefined)
      .map(({ from, to, why }) => `${from} imports ${to}: ${why}`);
    expect(broken).toEqual([]);
  });

  it.each([
    ["compiler/2-graph/ir.ts", "../4-schedule/plan.js", /down the pipeline/],
    ["compiler/2-graph/ir.ts", "node:fs", /host/],
    ["compiler/ops/table.ts", "../2-graph/ir.js", /may import/],
    ["grammar/parser.ts", "../compiler/ops/types.js", /errors only/],
    ["grammar/parser.ts", "fs/promises", /host/],
    ["runtime/load.ts", "../compiler/4-schedule/plan.js", /types only/],
    ["runtime/load.ts", "../cli/main.js", /nothing imports/],
    ["compiler/3-optimize/fold.ts", "../../grammar/index.js", /syntax tree/],
  ])("refuses %s importing %s", (path, specifier, why) => {
    const [found] = importsOf({ path, text: `export { a } from "${specifier}";` });
    expect(problem(found!)).toMatch(why);
  });

  it.each([
    ["compiler/4-schedule/lower.ts", 'import { a } from "../2-graph/ir.js";'],
    ["runtime/load.ts", 'import type { Plan } from "../compiler/4-schedule/plan.js";'],
    ["runtime/load.ts", 'import { type Plan } from "../compiler/4-schedule/plan.js";'],
    ["runtime/load.ts", 'import fs from "node:fs";'],
    ["grammar/parser.ts", 'import "../compiler/errors/index.js";'],
    ["cli/main.ts", 'const x = await import("../compiler/index.js");'],
  ])("allows %s: %s", (path, text) => {
    const found = importsOf({ path, text });
    expect(found).toHaveLength(1);
    expect(problem(found[0]!)).toBeUndefined();
  });
});

/** Names of hosts and of chance that a pure part may not use. */
const HOST = new Set([
  "process",
  "console",
  "Date",
  "performance",
  "require",
  "setTimeout",
  "setInterval",
  "fetch",
  "globalThis",
]);

function hostUses(path: string, text: string): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isIdentifier(node) && HOST.has(node.text)) {
      const { parent } = node;
      const isName =
        (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
        (ts.isPropertyAssignment(parent) && parent.name === node) ||
        ts.isPropertySignature(parent) ||
        ts.isMethodDeclaration(parent);
      if (!isName) found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.text}`);
    }
    if (ts.isPropertyAccessExpression(node) && node.getText() === "Math.random") found.push(`${path} Math.random`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe("the pure core", () => {
  it("uses no host, no clock and no chance", () => {
    const pure = house.filter(({ path }) => /^(grammar|compiler)\//.test(path) && !isGenerated(path));
    expect(pure.flatMap(({ path, text }) => hostUses(path, text))).toEqual([]);
  });
  it("would be caught", () => {
    expect(hostUses("a.ts", "const a = { Date: 1 }; x.process; Math.random(); console.log(new Date());")).toHaveLength(
      3,
    );
  });
});
