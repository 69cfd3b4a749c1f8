/**
 * The TextMate grammar, generated from the token table into `moe.tmLanguage.json`. It colours words and marks; what a name
 * means is the language server's to say, by semantic tokens.
 */
import { TOKENS, UNITS, type TokenEntry } from "./tokens.js";

interface Rule {
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly include?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly Rule[];
}

/** The shape of the generated file. */
export interface TextMateGrammar {
  readonly name: string;
  readonly scopeName: string;
  readonly fileTypes: readonly string[];
  readonly patterns: readonly Rule[];
  readonly repository: Readonly<Record<string, { readonly patterns: readonly Rule[] }>>;
}

const NAME = "[A-Za-z_][A-Za-z0-9_]*";
/** Words that may stand before a block of their own. */
const BEFORE_BRACE = /^(?:train|infer|prefill|decode)$/;

/** The grammar of the token table. */
export function textMateGrammar(): TextMateGrammar {
  return {
    name: "moe",
    scopeName: "source.moe",
    fileTypes: ["moe"],
    patterns: ["comments", "strings", "numbers", "declarations", "keywords", "names", "marks"].map(included),
    repository: {
      comments: { patterns: comments() },
      strings: { patterns: strings() },
      numbers: { patterns: numbers() },
      declarations: { patterns: declarations() },
      keywords: { patterns: keywords() },
      names: { patterns: names() },
      marks: { patterns: marks() },
    },
  };
}

function included(part: string): Rule {
  return { include: `#${part}` };
}

function entry(name: (typeof TOKENS)[number]["name"]): TokenEntry {
  return TOKENS.find((each) => each.name === name)!;
}

function scope(entry: TokenEntry): string {
  return `${entry.scope ?? "source"}.moe`;
}

function comments(): Rule[] {
  return [
    { name: scope(entry("DocComment")), match: "///.*$" },
    { name: scope(entry("LineComment")), match: "//.*$" },
    // Two marks rather than the lexer's one pattern: an editor colours line by line.
    { name: scope(entry("BlockComment")), begin: "/\\*", end: "\\*/" },
  ];
}

function strings(): Rule[] {
  const escape = { name: "constant.character.escape.moe", match: '\\\\(?:[ntr"\\\\]|u\\{[0-9A-Fa-f]{1,6}\\})' };
  const wrong = { name: "invalid.illegal.escape.moe", match: "\\\\." };
  const place = { name: "constant.other.placeholder.moe", match: `\\{${NAME}\\}` };
  return [{ name: scope(entry("String")), begin: '"', end: '"|$', patterns: [escape, wrong, place] }];
}

function numbers(): Rule[] {
  const number = (entry("Number").pattern as RegExp).source;
  const unit = `(?:[ \\t]+(${UNITS.join("|")})\\b)?`;
  const captures = { "1": { name: scope(entry("Number")) }, "2": { name: "keyword.other.unit.moe" } };
  return [{ match: `\\b(${number})${unit}`, captures }];
}

/** `expert SwiGLU`, `test "…"`, and members that name what they declare: only there are these words keywords. */
function declarations(): Rule[] {
  const words = TOKENS.filter((each) => each.category === "keyword");
  const named = words.filter(
    (each: TokenEntry) => each.scope === "storage.type" || each.scope === "keyword.other.member",
  );
  return ["storage.type", "keyword.other.member"].map((of) => {
    const entries = named.filter((each: TokenEntry) => each.scope === of);
    const alternatives = entries.map((each) => each.pattern).join("|");
    const name = of === "storage.type" ? "entity.name.type.moe" : "variable.other.member.moe";
    const captures = { "1": { name: `${of}.moe` }, "2": { name } };
    return { match: `\\b(${alternatives})[ \\t]+(${NAME})`, captures };
  });
}

/** Reserved words anywhere; contextual ones where what follows makes them keywords. */
function keywords(): Rule[] {
  return TOKENS.filter((each) => each.category === "keyword").map((each: TokenEntry) => {
    const word = String(each.pattern);
    return { name: scope(each), match: `\\b${word}\\b${each.reserved === true ? "" : follows(word)}` };
  });
}

function follows(word: string): string {
  if (BEFORE_BRACE.test(word)) return "(?=[ \\t]*\\{)";
  if (word === "test" || word === "from") return '(?=[ \\t]*")';
  if (word === "fold" || word === "scan") return `(?=[ \\t]*\\([ \\t]*${NAME}[ \\t]+in\\b)`;
  if (word === "batch") return "(?=[ \\t]+dependent\\b)";
  if (word === "dependent") return "(?=[ \\t]*(?:\\{|=|$))";
  return `(?=[ \\t]+${NAME})`;
}

function names(): Rule[] {
  return [
    { name: "variable.parameter.moe", match: `${NAME}(?=[ \\t]*:)` },
    { name: "entity.name.type.moe", match: "\\b[A-Z][A-Za-z0-9_]*(?=[ \\t]*[\\[(])" },
    { name: "entity.name.function.moe", match: `${NAME}(?=[ \\t]*\\()` },
    { name: "constant.other.axis.moe", match: "\\b[A-Z][A-Z0-9]*\\b" },
    { name: scope(entry("Identifier")), match: NAME },
  ];
}

function marks(): Rule[] {
  const entries = TOKENS.filter((each) => each.category === "operator" || each.category === "punctuation");
  return [...entries]
    .sort((a, b) => b.pattern.length - a.pattern.length)
    .map((each: TokenEntry) => ({ name: scope(each), match: String(each.pattern).replace(/[^A-Za-z]/g, "\\$&") }));
}
