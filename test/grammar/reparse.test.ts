/** Parsing after an edit gives the tree that parsing the whole text gives, places and comments included. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outline, parse, reparse } from "../../grammar/index.js";
import { runs, seed } from "../fuzz/runs.js";

const folders = ["stdlib", "stdlib/routers", "test/samples/hard", "examples/tiny-moe"];
const files = folders
  .flatMap((folder) => readdirSync(folder).map((file) => `${folder}/${file}`))
  .filter((file) => file.endsWith(".moe"));
const texts = files.map((file) => readFileSync(file, "utf8"));
const pieces = fc.constantFrom(
  "x",
  "1",
  "\n",
  "\n\n",
  " ",
  "// a remark\n",
  "/// Says.\n",
  "/*",
  "*/",
  "{",
  "}",
  "+ 1",
  "",
);
const edit = fc.record({ at: fc.nat(), length: fc.nat({ max: 30 }), piece: pieces });

describe("parsing after an edit", () => {
  test(`gives the whole tree (seed ${String(seed)})`, { timeout: 60_000 }, () => {
    let reused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 2 }), (text, edits) => {
        const before = { text, tree: parse(text, "a.moe").tree };
        let after = text;
        for (const { at, length, piece } of edits) {
          const place = at % (after.length + 1);
          after = after.slice(0, place) + piece + after.slice(place + length);
        }
        const part = reparse(before, after, "a.moe");
        if (part) {
          reused++;
          const { tree, diagnostics } = parse(after, "a.moe");
          expect(part).toEqual({ tree, diagnostics });
        }
      }),
      { seed, numRuns: runs(300) },
    );
    expect(reused).toBeGreaterThan(0);
  });

  test("keeps the one parameter list of a short form", () => {
    const text =
      "fn a(x: [D]) => x\n\nfn b(x: [D]) => x\n\nfn c(x: [D]) => x * 2\n\nfn d(x: [D]) => x\n\nfn e(x: [D]) => x\n";
    const part = reparse({ text, tree: parse(text, "a.moe").tree }, text.replace("=> x", "=> x + x"), "a.moe");
    const last = part!.tree.declarations.at(-1)!;
    expect(last.kind !== "test" && last.value?.kind === "lambda" && last.value.params).toBe(
      last.kind !== "test" && last.params,
    );
  });
});

describe.each(files.map((file, index) => [file, texts[index]!] as const))("the outline of %s", (_, text) => {
  test("names what the file imports and declares", () => {
    const { tree } = parse(text, "a.moe");
    const found = outline(text);
    expect(found.imports).toEqual(tree.imports);
    expect(found.names).toEqual(tree.declarations.flatMap((decl) => (decl.kind === "test" ? [] : [decl.name.text])));
  });

  test("gives the places of declarations that parse alone as they do in the file", () => {
    const { tree } = parse(text, "a.moe");
    for (const [name, { start, end }] of outline(text).pieces) {
      const alone = parse(
        `${" ".repeat(Math.max(0, start - 1))}${start > 0 ? "\n" : ""}${text.slice(start, end)}`,
        "a.moe",
      );
      const whole = tree.declarations.find((decl) => decl.kind !== "test" && decl.name.text === name);
      expect(alone.diagnostics).toEqual([]);
      expect(alone.tree.declarations).toEqual([whole]);
    }
  });
});
