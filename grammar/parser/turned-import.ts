/** `from std import A, B as C`: an import with its two sides the other way around, as other languages have it. */
import type { SourceSpan } from "../../compiler/errors/diagnostic.js";
import { T, type MoeToken } from "../lexer.js";
import { readEscapes } from "../strings.js";
import type { ImportDecl, ImportName, Span } from "../tree.js";
import { across, identifierFrom, type ParseInput } from "./base.js";

export interface TurnedImport {
  /** As it is written. */
  readonly wrong: string;
  /** As it is meant; absent where that can't be told. */
  readonly right?: string;
  /** `from … import`. */
  readonly place: SourceSpan;
  /** All of it. */
  readonly span: SourceSpan;
  /** Number of the token behind it. */
  readonly end: number;
  /** What it brings in, where its path is one of this language. */
  readonly decl?: ImportDecl;
}

/** @param start Number of the token `from`. */
export function turnedImport({ tokens, text, file }: ParseInput, start: number): TurnedImport | undefined {
  const from = tokens[start]!;
  const at = tokens.findIndex(({ first, tokenType }, index) => index > start && (first || tokenType === T.Import));
  const word = tokens[at];
  if (!word || word.first || at === start + 1) return undefined;
  const bracket = tokens[at + 1]?.partner;
  const next = bracket ? bracket.index + 1 : tokens.findIndex(({ first }, index) => index > at && first);
  const end = next < 0 ? tokens.length : next;
  const last = tokens[end - 1]!;
  const listed = bracket ? tokens.slice(at + 2, end - 1) : tokens.slice(at + 1, end);
  const written = ({ start: one, end: other }: Span): string => text.slice(one, other);
  const place = across(from, word);
  const span = across(from, last);
  const names = namesOf(listed);
  const source = across(tokens[start + 1]!, tokens[at - 1]);
  const path = pathOf(written(source));
  const own = { wrong: written(span).replace(/\s+/g, " "), place: { file, ...place }, span: { file, ...span }, end };
  if (names === undefined || path === undefined) return own;
  const right = `import { ${names.map((name) => written(name.span)).join(", ")} } from ${path.text}`;
  const literal = { kind: "string", value: path.value, span: source } as const;
  return { ...own, right, ...(path.isSure ? { decl: { kind: "import", names, from: literal, span } } : {}) };
}

/** `A, B as C`, a comma behind it or not; nothing where there is anything else. */
function namesOf(tokens: readonly MoeToken[]): readonly ImportName[] | undefined {
  const names: ImportName[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const name = tokens[at]!;
    const alias = tokens[at + 1]?.image === "as" ? tokens[at + 2] : undefined;
    if (![name, alias ?? name].every(({ image }) => /^[A-Za-z_]\w*$/.test(image))) return undefined;
    const last = alias ?? name;
    names.push({
      kind: "import-name",
      name: identifierFrom(name),
      ...(alias ? { alias: identifierFrom(alias) } : {}),
      span: across(name, last),
    });
    at += alias ? 3 : 1;
    if (at < tokens.length && tokens[at]!.tokenType !== T.Comma) return undefined;
  }
  return names.length > 0 ? names : undefined;
}

/** `std` and `"std"`; `.layer` may be `"./layer.moe"`, which is not sure to be there. */
function pathOf(
  written: string,
): { readonly text: string; readonly value: string; readonly isSure: boolean } | undefined {
  if (/^"[^"]*"$/.test(written)) return { text: written, value: readEscapes(written.slice(1, -1)).value, isSure: true };
  if (written === "std") return { text: '"std"', value: "std", isSure: true };
  const name = /^\.?([A-Za-z_]\w*)$/.exec(written)?.[1];
  return name === undefined ? undefined : { text: `"./${name}.moe"`, value: `./${name}.moe`, isSure: false };
}
