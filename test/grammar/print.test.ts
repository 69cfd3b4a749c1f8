import fc from "fast-check";
import { format as prettierFormat } from "prettier/standalone";
import { describe, expect, it } from "vitest";
import { parse } from "../../grammar/parse.js";
import { format, plugin, type PrintRoot } from "../../grammar/print/plugin.js";
import type { SourceFile } from "../../grammar/tree.js";
import { expressionFiles, files } from "./arbitrary-tree.js";
import { fixtures } from "./fixtures.js";

/** Prints a tree that was never text. */
async function print(tree: SourceFile): Promise<string> {
  const root: PrintRoot = { tree, text: "", docs: new Map() };
  const parser = { ...plugin.parsers.moe, parse: () => root };
  return prettierFormat("x", { parser: "moe", plugins: [{ ...plugin, parsers: { moe: parser } }], printWidth: 100 });
}

/** The tree without its places. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !["span", "operatorSpan", "comments"].includes(key));
  return Object.fromEntries(entries.map(([key, each]) => [key, bare(each)]));
}

async function roundTrips(tree: SourceFile): Promise<void> {
  const text = await print(tree);
  const { tree: read, diagnostics } = parse(text, "a.moe");
  expect(
    diagnostics.map(({ message }) => message),
    text,
  ).toEqual([]);
  expect(bare(read), text).toEqual(bare(tree));
  expect(await format(text), text).toBe(text);
}

describe("the printer", () => {
  it("says what the tree says: expressions", { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(expressionFiles, roundTrips), { numRuns: 400 });
  });
  it("says what the tree says: files", { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(files, roundTrips), { numRuns: 150 });
  });

  it.each(fixtures.map(({ name, text }) => [name, text]))(
    "keeps the meaning and the comments of %s",
    async (name, text) => {
      const once = await format(text);
      expect(await format(once)).toBe(once);
      const before = parse(text, name).tree;
      const after = parse(once, name).tree;
      expect(bare(after)).toEqual(bare(before));
      expect(words(after)).toEqual(words(before));
    },
  );

  it("leaves comments beside the items of lists", async () => {
    for (const text of [
      "fn f(\n  // the input\n  x: [D], // behind x\n  // how many\n  k: int = 2, // behind k\n) => x * k\n",
      "block B[\n  // width\n  D, // behind D\n  F,\n](k: int = 2) {\n  (x: [D]) => x\n}\n",
      "block C {\n  (\n    x: [D], // tokens\n    // and what they were\n    h: [D],\n    // the last\n  ) => x + h\n}\n",
      "fn g(x: [D]) => choose(\n  x, // scores\n  // count\n  top: 2, // two\n)\n",
      'import {\n  A, // first\n  B, // second\n} from "std"\n',
    ]) {
      expect(await format(text)).toBe(text);
    }
  });

  it("breaks a long recipe head at its parameters, then at the target", async () => {
    const params = ["base: SwiGLU[D, F]", "tuned: SwiGLU[D, F]", "strength: float = 1.0"];
    const rest = " {\n  c = base\n}\n";
    const target = "c: SwiGLU[D, F]";
    const below = `recipe AddTask[D, F](\n${params.map((each) => `  ${each},\n`).join("")}) -> `;
    expect(await format(`recipe AddTask[D, F](${params.join(", ")}) -> ${target}${rest}`)).toBe(below + target + rest);
    // One that fits keeps its line, and one whose target is too long breaks there too.
    const short = `recipe AddTask[D, F](${params[0]}) -> ${target}${rest}`;
    expect(await format(short.replace("(", "(\n"))).toBe(short);
    const axes = Array.from({ length: 20 }, (_, number) => `Axis${number}`);
    const long = await format(`recipe AddTask[D, F](${params.join(", ")}) -> c: SwiGLU[${axes.join(", ")}]${rest}`);
    expect(long).toBe(`${below}c: SwiGLU[\n${axes.map((axis) => `  ${axis},\n`).join("")}]${rest}`);
  });

  it("keeps comments wherever they stand", { timeout: 120_000 }, async () => {
    const places = fixtures.flatMap(({ text }) =>
      [...text.matchAll(/\s|(?<=[[({,])/g)].map(({ index }) => ({ text, index })),
    );
    const comment = fc.constantFrom(
      "// line\n",
      "\n// own\n",
      "/* block */",
      "\n/* two\n lines */\n",
      "\n/// doc\n",
      "/// behind\n",
      "\n\n/// apart\n\n",
    );
    const insertions = fc.array(fc.tuple(fc.nat(), comment), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), insertions, async ({ text, index }, added) => {
        let typed = text;
        for (const [at, each] of added) {
          const place = at % 2 === 0 ? index : places[at % places.length]!.index;
          if (place < typed.length && outsideTokens(typed, place))
            typed = typed.slice(0, place) + each + typed.slice(place);
        }
        const before = parse(typed, "a.moe");
        fc.pre(before.diagnostics.length === 0);
        const once = await format(typed);
        const after = parse(once, "a.moe");
        expect(after.diagnostics, once).toEqual([]);
        expect(bare(after.tree), once).toEqual(bare(before.tree));
        expect(words(after.tree), once).toEqual(words(before.tree));
        expect(await format(once)).toBe(once);
      }),
      { numRuns: 400 },
    );
  });

  it("breaks long rows behind operators and keeps single blank lines", async () => {
    const long = Array.from({ length: 12 }, (_, i) => `long_name_${String(i)}`).join(" + ");
    expect(await format(`test "a" {\nlet x = ${long}\n\n\n\nlet y = 2 /* two */\n// end\n}`)).toMatchInlineSnapshot(`
      "test "a" {
        let x =
          long_name_0 +
            long_name_1 +
            long_name_2 +
            long_name_3 +
            long_name_4 +
            long_name_5 +
            long_name_6 +
            long_name_7 +
            long_name_8 +
            long_name_9 +
            long_name_10 +
            long_name_11

        let y = 2 /* two */
        // end
      }
      "
    `);
  });

  it("puts parentheses only where they are needed", async () => {
    const text = "probe p = ((a + b)) * (c) - (d * e) - (f - g) ** (-h) + (!i & (j | k)) @ (l)[D]";
    expect(await format(text)).toBe("probe p = (a + b) * c - d * e - (f - g) ** -h + (!i & (j | k)) @ l[D]\n");
  });

  it("refuses a file with errors", async () => {
    await expect(format("expert X")).rejects.toMatchObject({ name: "FormatError", diagnostics: [{ code: "MOE1001" }] });
  });
});

/** What the comments say, in any order: doc comments that document nothing become plain ones. */
function words(tree: SourceFile): readonly string[] {
  return tree.comments.map(({ text }) => text.split(/\s+/).join(" ").trim()).sort();
}

function outsideTokens(text: string, at: number): boolean {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return !line.includes("//") && line.split('"').length % 2 === 1 && !/\/\*[^/]*$/.test(text.slice(0, at));
}
