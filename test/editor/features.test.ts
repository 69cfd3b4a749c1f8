/** Every feature of the language server, asked for as an editor does. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type {
  CallHierarchyItem,
  CodeAction,
  CodeLens,
  CompletionItem,
  DocumentHighlight,
  DocumentLink,
  DocumentSymbol,
  FoldingRange,
  Hover,
  InlayHint,
  Location,
  SelectionRange,
  SemanticTokens,
  SignatureHelp,
  TextEdit,
  WorkspaceEdit,
  WorkspaceSymbol,
} from "vscode-languageserver";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TOKEN_TYPES } from "../../editor/server/features/semantic-tokens.js";
import { applied, Client } from "./client.js";
import { marked, type Marked } from "./marks.js";

const LAYER = `import { SwiGLU, TopK } from "std"

/// A mixture of E experts (Mixtral, arXiv:2401.04088).
block Mix[D, F, E](k: int = 2) {
  use route = TopK[D, E](k)
  use experts = E of SwiGLU[D, F]
  (x: [T, D]) => {
    let h = mixture(x, route, experts)
    let (left, right) = (h, h * 2)
    x + h
  }
}
`;

const MODEL = `import { Mix } from "./layer.moe"

model Small[V = 16, D = 8, F = 12, E = 4] {
  param tok: [V, D]
  use mix = Mix[D, F, E](k: 2)
  forward(tokens: int[T]) -> f32[T, V] => mix(tok[V: tokens]) @ tok
}

test "sums" {
  let x = random([T = 3, D = 8], seed: 1)
  assert close(x + x, 2 * x)
}

test "does not hold" {
  assert 1 == 2
}
`;

let folder: string;
let client: Client;
let layer: string;
let model: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "moec-editor-"));
  writeFileSync(join(folder, "layer.moe"), LAYER);
  writeFileSync(join(folder, "model.moe"), MODEL);
  layer = pathToFileURL(join(folder, "layer.moe")).href;
  model = pathToFileURL(join(folder, "model.moe")).href;
  client = await Client.inProcess(folder);
  await client.open(layer, LAYER);
  await client.open(model, MODEL);
});

afterAll(() => {
  client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

let documents = 0;

/** A document of its own with cursors in it. */
async function scratch(source: string): Promise<Marked & { readonly uri: string }> {
  const uri = pathToFileURL(join(folder, `scratch${documents++}.moe`)).href;
  const found = marked(source);
  await client.open(uri, found.text);
  return { ...found, uri };
}

/** The cursor at the n-th place where `word` is written. */
function find(text: string, word: string, nth = 0): { line: number; character: number } {
  let at = -1;
  for (let i = 0; i <= nth; i++) at = text.indexOf(word, at + 1);
  expect(at, word).toBeGreaterThanOrEqual(0);
  return marked(`${text.slice(0, at)}¦${text.slice(at)}`).at[0]!;
}

/** The codes of what is wrong with `source` still when the one import is taken that its first error offers. */
async function codesAfterImport(source: string): Promise<unknown[]> {
  const { uri, text } = await scratch(source);
  const [error] = await client.diagnostics(uri);
  const actions = await client.of<CodeAction[]>("codeAction", uri, {
    range: error!.range,
    context: { diagnostics: [] },
  });
  const [fix, ...others] = actions.filter(({ title }) => title.startsWith("import"));
  expect(others).toEqual([]);
  await client.change(uri, applied(text, fix!.edit!.changes![uri]!));
  return (await client.diagnostics(uri)).map(({ code }) => code);
}

const valueOf = (hover: Hover): string => (hover.contents as { value: string }).value;

describe("diagnostics", () => {
  it("are empty for correct files", async () => {
    expect(await client.diagnostics(model)).toEqual([]);
  });

  it("have a code, a link to its explanation and the second place", async () => {
    const { uri } = await scratch(
      "expert A[D, F] {\n  param w: [D, F]\n  (x: [D]) => x @ w + x\n}\n\nexpert A[D] {\n  (x: [D]) => x\n}\n",
    );
    const found = await client.diagnostics(uri);
    const twice = found.find(({ code }) => code === "MOE2005")!;
    expect(twice.codeDescription?.href).toMatch(/errors\.md#moe2005-/);
    expect(twice.relatedInformation?.[0]?.location.range.start.line).toBe(0);
    expect(twice.source).toBe("moec");
  });

  it("go away with a quick fix", async () => {
    const { uri, text } = await scratch("expert A[D] {\n  (x: [D]) => silo(x)\n}\n");
    const [error] = await client.diagnostics(uri);
    expect(error?.code).toBe("MOE2001");
    const actions = await client.of<CodeAction[]>("codeAction", uri, {
      range: error!.range,
      context: { diagnostics: [error] },
    });
    const fix = actions.find(({ isPreferred, edit }) => isPreferred && edit)!;
    const after = applied(text, fix.edit!.changes![uri]!);
    expect(after).toContain("silu(x)");
    await client.change(uri, after);
    expect(await client.diagnostics(uri)).toEqual([]);
    expect(actions.some(({ command }) => command?.command === "moec.explain")).toBe(true);
  });

  it("offer an import for a name of the library", async () => {
    expect(await codesAfterImport("block A[D] {\n  use norm = RMSNorm[D]\n  (x: [T, D]) => norm(x)\n}\n")).toEqual([]);
  });

  it("offer the import also where the next error waits behind it", async () => {
    const source = "block A[D] {\n  use norm = RMSNorm[D, D]\n  (x: [T, D]) => norm(x)\n}\n";
    expect(await codesAfterImport(source)).not.toContain("MOE2001");
  });

  it("follow an edit of an imported file that is open", async () => {
    const wait = async (count: number): Promise<void> => {
      for (let i = 0; i < 200 && (await client.diagnostics(model)).length !== count; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await client.change(layer, LAYER.replace("block Mix", "block Mixed"));
    await wait(1);
    expect((await client.diagnostics(model)).map(({ code }) => code)).toEqual(["MOE2004"]);
    await client.change(layer, LAYER);
    await wait(0);
    expect(await client.diagnostics(model)).toEqual([]);
  });
});

describe("hover", () => {
  it.each([
    ["h = mixture", 0, /let h: f32\[T, D\]/],
    ["mixture(", 0, /mixture\(x/],
    ["route = TopK", 0, /use route = TopK\[D, E\]\(k\)[^]*of block `Mix`/],
    ["D, F, E](k", 0, /axis D/],
    ["Mix[D", 0, /block Mix\[D, F, E\]\(k: int = 2\)[^]*arxiv\.org\/abs\/2401\.04088[^]*3 \* D \* E \* F/],
    ["let h", 0, /Names a value/],
  ])("of %s", async (word, nth, wanted) => {
    expect(valueOf(await client.at("hover", layer, find(LAYER, word, nth)))).toMatch(wanted);
  });

  it("says what a model costs", async () => {
    const text = valueOf(await client.at("hover", model, find(MODEL, "Small")));
    // 16 * 8 embeddings, 8 * 4 router, 4 experts of 3 * 8 * 12; two of them at work.
    expect(text).toContain("1.3 k parameters, 736 active");
  });
});

describe("navigation", () => {
  it("goes to the declaration in another file", async () => {
    const found = await client.at<Location>("definition", model, find(MODEL, "Mix[D, F, E]"));
    expect(found).toEqual({ uri: layer, range: { start: find(LAYER, "Mix[D"), end: find(LAYER, "[D, F, E](k: int") } });
  });

  it("goes from a member through banks and imports to the library", async () => {
    const { uri, at } = await scratch(
      `${LAYER}\nmodel M[D = 4, F = 4, E = 2] {\n  use mix = Mix[D, F, E]\n  forward(x: f32[T, D]) -> f32[T, D] => mix(x)\n  weights safetensors { mix.experts.¦gate: "g"[E, D, F] }\n}\n`,
    );
    const found = await client.at<Location>("definition", uri, at[0]!);
    expect(found.uri).toMatch(/stdlib\/experts\.moe$/);
  });

  it("finds references in all files", async () => {
    const found = await client.at<Location[]>("references", layer, find(LAYER, "Mix[D"), {
      context: { includeDeclaration: true },
    });
    expect(found.filter(({ uri }) => uri === layer)).toHaveLength(1);
    expect(found.filter(({ uri }) => uri === model)).toHaveLength(2);
  });

  it("highlights reads and writes", async () => {
    const found = await client.at<DocumentHighlight[]>("documentHighlight", layer, find(LAYER, "h = mixture"));
    expect(found.map(({ kind }) => kind)).toEqual([3, 2, 2, 2]);
  });

  it("knows who uses a declaration and what it uses", async () => {
    const [item] = await client.at<CallHierarchyItem[]>("prepareCallHierarchy", model, find(MODEL, "Mix[D"));
    const incoming = await client.request<{ from: CallHierarchyItem }[]>("callHierarchy/incomingCalls", { item });
    const outgoing = await client.request<{ to: CallHierarchyItem }[]>("callHierarchy/outgoingCalls", { item });
    expect(incoming.map(({ from }) => from.name)).toContain("Small");
    expect(outgoing.map(({ to }) => to.name)).toEqual(["TopK", "SwiGLU"]);
  });
});

describe("rename", () => {
  it("changes all files", async () => {
    const place = find(LAYER, "Mix[D");
    const prepared = await client.at<{ placeholder: string }>("prepareRename", layer, place);
    expect(prepared.placeholder).toBe("Mix");
    const { changes } = await client.at<WorkspaceEdit>("rename", layer, place, { newName: "Blend" });
    expect(applied(LAYER, changes![layer]!)).toContain("block Blend[D, F, E]");
    expect(applied(MODEL, changes![model]!)).toContain("import { Blend }");
    expect(applied(MODEL, changes![model]!)).toContain("use mix = Blend[D, F, E](k: 2)");
  });

  it("changes named arguments with their parameter", async () => {
    const { changes } = await client.at<WorkspaceEdit>("rename", layer, find(LAYER, "k: int"), { newName: "best_of" });
    expect(applied(LAYER, changes![layer]!)).toContain("TopK[D, E](best_of)");
    expect(applied(MODEL, changes![model]!)).toContain("Mix[D, F, E](best_of: 2)");
  });

  it("keeps the name of an argument that was written once for both", async () => {
    const { uri, text, at } = await scratch(
      "router R[D, E](¦renormalize: bool = true) {\n  param w: [D, E]\n  (x: [D]) => choose(softmax(x @ w, over: E), top: 2, renormalize)\n}\n",
    );
    const { changes } = await client.at<WorkspaceEdit>("rename", uri, at[0]!, { newName: "rescale" });
    expect(applied(text, changes![uri]!)).toContain("top: 2, renormalize: rescale)");
  });

  it.each([
    ["h = mixture", "x", /already means something else|error/],
    ["h = mixture", "let", /a word of the language/],
    ["h = mixture", "2h", /is no name/],
    ["SwiGLU[D", "Ffn", /standard library/],
  ])("refuses %s to %s", async (word, newName, why) => {
    await expect(client.at("rename", layer, find(LAYER, word), { newName })).rejects.toThrow(why);
  });
});

describe("completion", () => {
  const labels = async (source: string): Promise<Map<string, CompletionItem>> => {
    const { uri, at } = await scratch(source);
    const items = await client.at<CompletionItem[]>("completion", uri, at[0]!);
    return new Map(items.map((item) => [item.label, item]));
  };

  it("has names in force, functions with docs, and library names with their import", async () => {
    const found = await labels(
      'import { SwiGLU } from "std"\n\nblock A[D] {\n  param w: [D]\n  (x: [T, D]) => {\n    let y = x * w\n    ¦\n  }\n}\n',
    );
    for (const name of ["x", "w", "y", "D", "T", "SwiGLU", "softmax", "A"]) expect(found.has(name), name).toBe(true);
    expect(JSON.stringify(found.get("softmax")?.documentation)).toContain("over");
    expect(found.get("RMSNorm")?.additionalTextEdits?.[0]?.newText).toBe(", RMSNorm");
  });

  it("leaves out what is declared later", async () => {
    const found = await labels("fn f(x: [T]) => {\n  let a = x\n  let b = ¦\n  let c = a\n  c\n}\n");
    expect([found.has("a"), found.has("b"), found.has("c")]).toEqual([true, false, false]);
  });

  it("has members behind a dot, also while nothing parses", async () => {
    const found = await labels(
      'import { TopK } from "std"\n\ntest "t" {\n  let r = TopK[8, 4](k: 2)\n  assert close(r.¦\n}\n',
    );
    expect([...found.keys()]).toEqual(expect.arrayContaining(["w", "k", "renormalize"]));
    expect(found.has("softmax")).toBe(false);
  });

  it("has the axes of the value behind `over:`", async () => {
    const found = await labels("fn f(x: [T, H, D]) => {\n  sum(x, over: ¦)\n}\n");
    expect([...found.keys()].slice(0, 3)).toEqual(["T", "H", "D"]);
  });

  it("has names of arguments that are not written yet", async () => {
    const found = await labels(
      'import { TopK } from "std"\n\nblock A[D, E] {\n  use r = TopK[D, E](k: 2, ¦)\n  (x: [T, D]) => x\n}\n',
    );
    expect(found.get("renormalize:")?.detail).toBe("renormalize: bool = true");
    expect(found.has("k:")).toBe(false);
  });

  it("has exported names and files in imports", async () => {
    expect((await labels('import { ¦ } from "std"\n')).has("TopK")).toBe(true);
    expect((await labels('import { Mix } from "¦\n')).has("./layer.moe")).toBe(true);
  });

  it("has starts of declarations and members where these belong", async () => {
    expect((await labels("¦\n")).get("router")?.insertText).toContain("choose(");
    expect((await labels("block A[D] {\n  ¦\n}\n")).has("param")).toBe(true);
  });

  it("is silent in comments", async () => {
    expect((await labels("// so¦\n")).size).toBe(0);
  });
});

describe("signature help", () => {
  it.each([
    ['test "t" { assert close(1, ¦) }', /^close\(/, 1],
    ["fn f(x: [T, D]) => softmax(x, over: ¦)", /^softmax\(/, 1],
    ['import { TopK } from "std"\nblock B[D] {\n use r = TopK[D, ¦\n}', /^TopK\[D, E\]/, 1],
    [
      'import { TopK } from "std"\nblock B[D] {\n use r = TopK[D, 4](renormalize: ¦\n}',
      /^TopK\[D, E\]\(k: int = 2, renorm/,
      1,
    ],
  ])("in %s", async (source, label, active) => {
    const { uri, at } = await scratch(source);
    const help = await client.at<SignatureHelp>("signatureHelp", uri, at[0]!);
    expect(help.signatures[0]!.label).toMatch(label);
    expect(help.activeParameter).toBe(active);
  });
});

describe("what is shown in the text", () => {
  it("has types behind lets and bodies", async () => {
    const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
    const hints = await client.of<InlayHint[]>("inlayHint", layer, { range });
    expect(hints.map(({ label }) => label)).toEqual([": f32[T, D]", ": f32[T, D]", ": f32[T, D]", "-> f32[T, D]"]);
  });

  it("has costs above declarations and runs above tests", async () => {
    const found = await client.of<CodeLens[]>("codeLens", model);
    const lenses: CodeLens[] = [];
    for (const lens of found)
      lenses.push(lens.command ? lens : await client.request<CodeLens>("codeLens/resolve", lens));
    expect(lenses.map(({ command }) => command!.title)).toEqual([
      expect.stringMatching(/^1\.3 k parameters, 736 active · .* operations and .* a token$/) as string,
      "show graph",
      "▶ run test",
      "▶ run test",
    ]);
  });

  it("has colours by meaning", async () => {
    const { data } = await client.of<SemanticTokens>("semanticTokens/full", layer);
    const lines = LAYER.split("\n");
    const found = new Map<string, string>();
    let line = 0;
    let column = 0;
    for (let i = 0; i < data.length; i += 5) {
      const down = data[i]!;
      line += down;
      column = down === 0 ? column + data[i + 1]! : data[i + 1]!;
      found.set(lines[line]!.slice(column, column + data[i + 2]!), TOKEN_TYPES[data[i + 3]!]!);
    }
    expect(Object.fromEntries(found)).toMatchObject({
      Mix: "class",
      D: "typeParameter",
      k: "parameter",
      route: "property",
      h: "variable",
      mixture: "function",
    });
  });

  it("has an outline, and finds declarations by letters", async () => {
    const symbols = await client.of<DocumentSymbol[]>("documentSymbol", model);
    expect(symbols.map(({ name }) => name)).toEqual(["Small", "sums", "does not hold"]);
    expect(symbols[0]!.children!.map(({ name }) => name)).toEqual(["tok", "mix", "forward"]);
    const found = await client.request<WorkspaceSymbol[]>("workspace/symbol", { query: "sml" });
    expect(found.map(({ name }) => name)).toEqual(["Small"]);
  });

  it("folds bodies and grows selections", async () => {
    const folds = await client.of<FoldingRange[]>("foldingRange", layer);
    expect(folds).toContainEqual({ startLine: 3, endLine: 10 });
    const position = find(LAYER, "route, experts");
    const [selection] = await client.of<SelectionRange[]>("selectionRange", layer, { positions: [position] });
    const sizes: string[] = [];
    for (let each: SelectionRange | undefined = selection; each; each = each.parent) {
      sizes.push(`${each.range.start.line}:${each.range.start.character}`);
    }
    expect(sizes.length).toBeGreaterThan(5);
    expect(sizes.at(-1)).toBe("0:0");
  });

  it("links imports and papers", async () => {
    const links = await client.of<DocumentLink[]>("documentLink", layer);
    expect(links.map(({ target }) => target)).toEqual([
      expect.stringMatching(/stdlib\/std\.moe$/) as string,
      "https://arxiv.org/abs/2401.04088",
    ]);
  });
});

describe("formatting", () => {
  const messy = "fn f(x:[T])=>x+1\n\n\n\nfn g(x: [T]) => x\n\nexpert A[D]{\n(x:[D])=>x*2\n}";

  it("makes the file as `moec fmt` does", async () => {
    const { uri, text } = await scratch(messy);
    const options = { tabSize: 2, insertSpaces: true };
    const edits = await client.of<TextEdit[]>("formatting", uri, { options });
    const after = applied(text, edits);
    expect(after).toBe("fn f(x: [T]) => x + 1\n\nfn g(x: [T]) => x\n\nexpert A[D] {\n  (x: [D]) => x * 2\n}\n");
    await client.change(uri, after);
    expect(await client.of<TextEdit[]>("formatting", uri, { options })).toEqual([]);
  });

  it("changes a range alone, and what a brace closes", async () => {
    const { uri, text } = await scratch(messy);
    const options = { tabSize: 2, insertSpaces: true };
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } };
    const ranged = await client.of<TextEdit[]>("rangeFormatting", uri, { options, range });
    expect(applied(text, ranged)).toContain("fn f(x: [T]) => x + 1\n");
    expect(applied(text, ranged)).toContain("(x:[D])=>x*2");
    const typed = await client.at<TextEdit[]>("onTypeFormatting", uri, { line: 8, character: 1 }, { ch: "}", options });
    expect(applied(text, typed)).toContain("  (x: [D]) => x * 2\n");
    expect(applied(text, typed)).toContain("fn f(x:[T])=>x+1");
  });

  it("leaves a file with syntax errors alone", async () => {
    const { uri } = await scratch("fn f( => x\n");
    expect(await client.of("formatting", uri, { options: { tabSize: 2, insertSpaces: true } })).toEqual([]);
  });
});

describe("commands", () => {
  it("run tests", async () => {
    const all = await client.request<{ name: string; passed: boolean; failures: unknown[] }[]>("moec/runTests", {
      uri: model,
    });
    expect(all.map(({ name, passed }) => [name, passed])).toEqual([
      ["sums", true],
      ["does not hold", false],
    ]);
    expect(all[1]!.failures).toEqual([{ message: "1 == 2", line: 14 }]);
    expect(await client.request("moec/runTests", { uri: model, name: "sums" })).toHaveLength(1);
  });

  it("show the graph, explain codes and check the folder", async () => {
    const graph = await client.request<{ ok: boolean; text: string }>("moec/graph", { uri: model });
    expect(graph).toMatchObject({ ok: true, text: expect.stringContaining("mixture") as string });
    expect(await client.request("moec/explain", { code: "2001" })).toMatch(/^# MOE2001/);
    expect(await client.request("moec/checkWorkspace")).toEqual([
      { uri: layer, problems: 0 },
      { uri: model, problems: 0 },
    ]);
  });
});
