/** The TextMate grammar against the semantic tokens: what one colours as a name, the other never calls a comment or word. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";
import { beforeAll, describe, expect, it } from "vitest";
import { semanticTokens, TOKEN_TYPES } from "../../editor/server/features/semantic-tokens.js";
import { diskWorkspace } from "../../editor/server/disk.js";
import { Workspace } from "../../editor/server/workspace.js";
import { root } from "./client.js";

let grammar: textmate.IGrammar;
beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(readFileSync(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: () => {
      const text = readFileSync(join(root, "grammar/moe.tmLanguage.json"), "utf8");
      return Promise.resolve(textmate.parseRawGrammar(text, "moe.tmLanguage.json"));
    },
  });
  grammar = (await registry.loadGrammar("source.moe"))!;
});

/** The innermost scope of each character, line by line. */
function scopesOf(text: string): readonly (readonly string[])[] {
  let stack = textmate.INITIAL;
  return text.split("\n").map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    return tokens.flatMap(({ startIndex, endIndex, scopes }) =>
      Array.from({ length: endIndex - startIndex }, () => scopes.at(-1)!),
    );
  });
}

/** `^` under the line says where; the scope behind it begins the one that is there. */
const CONSTRUCTS = `expert SwiGLU[D, F] {
^^^^^^ storage.type
       ^^^^^^ entity.name.type
router TopK[D, E](k: int = 2) {
^^^^^^ storage.type
                           ^ constant.numeric
mask Causal = (q, k) => k <= q
^^^^ storage.type
                          ^^ keyword.operator
matrix LowRank[D, F](rank: int) {
^^^^^^ storage.type
block Layer[D] { use norm = RMSNorm[D] }
^^^^^ storage.type
                 ^^^ keyword.other.member
                     ^^^^ variable.other.member
model Small[V = 64] {
^^^^^ storage.type
fn half(x: f32) -> f32 => x * 0.5 // exact
^^ storage.type
                              ^^^ constant.numeric
                                  ^^^^^^^^ comment.line
schedule warm = anneal(1.0 -> 0.3, over: 10_000 steps)
^^^^^^^^ storage.type
                                         ^^^^^^ constant.numeric
                                                ^^^^^ keyword.other.unit
loss squares[T](x: [T]) => sum(x ** 2, over: T)
^^^^ storage.type
probe load[E](r: routes[E]) => counts(r)
^^^^^ storage.type
recipe Upcycle {
^^^^^^ storage.type
test "names of tests" {
^^^^ storage.type
     ^^^^^^^^^^^^^^^^ string.quoted.double
  param gate: [D, F]
  ^^^^^ keyword.other.member
        ^^^^ variable.other.member
  state memory: [D] = 0
  ^^^^^ keyword.other.member
  knob heat: f32 = 1
  ^^^^ keyword.other.member
  stack layers = L of Layer[D]
  ^^^^^ keyword.other.member
  let h = x + attn(x)
  ^^^ keyword
      ^ variable.other.member
  let state = mask + weights
      ^^^^^ variable.other.member
import { Linear } from "std"
^^^^^^ keyword.control.import
                  ^^^^ keyword.control.import
                       ^^^^^ string.quoted.double
/// Doc (arXiv:2002.05202).
^^^^^^^^^^^ comment.line.documentation
    tok: "model.{i}.weight"
                ^^^ constant.other.placeholder`.split("\n");

const cases: { readonly line: string; readonly marks: readonly { from: number; to: number; scope: string }[] }[] = [];
for (const line of CONSTRUCTS) {
  const mark = /^( *)(\^+) (\S+)$/.exec(line);
  if (!mark) cases.push({ line, marks: [] });
  else {
    const from = mark[1]!.length;
    (cases.at(-1)!.marks as { from: number; to: number; scope: string }[]).push({
      from,
      to: from + mark[2]!.length,
      scope: mark[3]!,
    });
  }
}

describe("the TextMate grammar", () => {
  it.each(cases)("$line", ({ line, marks }) => {
    const [scopes] = scopesOf(line);
    expect(marks.length).toBeGreaterThan(0);
    for (const { from, to, scope } of marks) {
      expect(scopes!.slice(from, to).filter((each) => !each.startsWith(scope))).toEqual([]);
    }
  });
});

describe("TextMate scopes and semantic tokens", () => {
  const host = diskWorkspace({ library: join(root, "stdlib"), errorsPage: "" });
  const workspace = new Workspace(host);
  const files = [
    ...readdirSync(join(root, "stdlib"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".moe"))
      .map((path) => join(root, "stdlib", path)),
    join(root, "examples/tiny-moe/tiny-moe.moe"),
  ];
  it.each(files.map((file) => [file.slice(root.length), file]))("agree on %s", (_, file) => {
    const scopes = scopesOf(workspace.text(file).text);
    const { data } = semanticTokens(workspace, file);
    const wrong: string[] = [];
    let [line, character] = [0, 0];
    for (let at = 0; at < data.length; at += 5) {
      character = data[at] === 0 ? character + data[at + 1]! : data[at + 1]!;
      line += data[at]!;
      const scope = scopes[line]?.[character] ?? "none";
      const type = TOKEN_TYPES[data[at + 3]!];
      if (
        /^(comment|string|constant\.numeric|storage|keyword\.(control|other\.member|operator)|punctuation|none)/.test(
          scope,
        )
      )
        wrong.push(`${line + 1}:${character + 1} ${type} is ${scope}`);
    }
    expect(data.length).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });
});
