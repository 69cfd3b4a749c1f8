import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "../../grammar/parse.js";
import { BINARY_RANKS } from "../../grammar/precedence.js";
import { RESERVED_WORDS, TOKENS } from "../../grammar/tokens.js";

const page = readFileSync(new URL("../../docs/language/syntax.md", import.meta.url), "utf8");

describe("docs/language", () => {
  const folder = new URL("../../docs/language/", import.meta.url);
  const blocks = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .flatMap((name) => {
      const text = readFileSync(new URL(name, folder), "utf8");
      return [...text.matchAll(/```moe\n([^]*?)```/g)].map(
        (match, i) => [`${name} #${String(i + 1)}`, match[1]!] as const,
      );
    });
  it.each(blocks)("%s parses", (_, text) => {
    expect(parse(text, "a.moe").diagnostics.map(({ message }) => message)).toEqual([]);
  });

  it("names every word of the language, reserved or not", () => {
    const [, words = ""] = /### Words\n([^]*?)```/.exec(page) ?? [];
    const [reserved = "", contextual = ""] = words.split("All other words");
    const listed = (text: string) => [...text.matchAll(/`(\w+)`/g)].map((match) => match[1]!).sort();
    const keywords = TOKENS.flatMap((each) => (each.category === "keyword" ? [String(each.pattern)] : []));
    expect(listed(reserved)).toEqual([...RESERVED_WORDS].sort());
    const others = keywords.filter((each) => !RESERVED_WORDS.includes(each)).sort();
    expect(listed(contextual.replace(/\(`state[^)]*\)/, "").replace(/`mask: Causal`/, ""))).toEqual(others);
  });

  it("lists the operators in the order of the precedence table", () => {
    const [, table = ""] = /### Precedence\n([^]*?)\nSo /.exec(page) ?? [];
    const rows = table.split("\n").filter((row) => row.startsWith("| `"));
    const places = Object.entries(BINARY_RANKS).map(([operator, { rank }]) => {
      const spelled = `\`${operator.replace("|", "\\|")}\``;
      return [rank, rows.findLastIndex((row) => row.includes(spelled) && !row.includes("before an operand"))] as const;
    });
    const sorted = [...places].sort((a, b) => a[0] - b[0]);
    expect(sorted.map(([, row]) => row)).toEqual(sorted.map(([, row]) => row).sort((a, b) => a - b));
    expect(sorted.every(([, row]) => row >= 0)).toBe(true);
  });
});
