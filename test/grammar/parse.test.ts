import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "../../grammar/parse.js";
import { fixture, fixtures } from "./fixtures.js";

describe("parse", () => {
  it.each(fixtures.map(({ name, text }) => [name, text]))("reads %s without complaint", (name, text) => {
    const { tree, diagnostics } = parse(text, name);
    expect(diagnostics).toEqual([]);
    expect(tree.declarations.length).toBeGreaterThan(0);
  });

  it("reads a long file as it reads its parts", () => {
    const part = fixture("language.moe");
    const { tree, diagnostics } = parse(Array.from({ length: 17 }, () => part).join("\n"), "a.moe");
    expect(diagnostics).toEqual([]);
    expect(tree.declarations).toHaveLength(17 * parse(part, "a.moe").tree.declarations.length);
  });

  it.each([
    "(",
    ")",
    "(1 + ",
    "{",
    "-",
    "1 + ",
    "1 ** ",
    "a.b",
    "1 of ",
    "if a then b else ",
    "() => ",
    "train { ",
    "x[",
    "[",
  ])("bounds nesting by %j", (piece) => {
    const { diagnostics } = parse(`fn f() => ${piece.repeat(3000)}`, "a.moe");
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.every(({ code }) => code.startsWith("MOE1"))).toBe(true);
  });
});

describe("the Markdown of each syntax error", () => {
  const folder = new URL("../../compiler/errors/", import.meta.url);
  const files = readdirSync(folder).filter((name) => /^MOE1\d{3}-/.test(name));
  it.each(files)("%s shows what it says", (name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    const [wrong, fixed] = [...text.matchAll(/```moe\n([^]*?)```/g)].map((match) => match[1]!);
    expect(parse(wrong!, "a.moe").diagnostics.map(({ code }) => code)).toEqual([name.slice(0, 7)]);
    expect(parse(fixed!, "a.moe").diagnostics).toEqual([]);
  });
});
