/** `moec.yaml` in an editor: what is wrong, what may stand here, and what a key means. */
import type { CompletionItem, Hover } from "vscode-languageserver";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectSchema, TARGETS } from "../../cli/project-file.js";
import { projectJsonSchema, type JsonSchema } from "../../cli/project-schema.js";
import { Client } from "./client.js";

let client: Client;
let count = 0;
beforeAll(async () => {
  client = await Client.inProcess();
});
afterAll(() => client.dispose());

async function open(text: string): Promise<string> {
  const uri = `file:///nowhere/${count++}/moec.yaml`;
  await client.open(uri, text);
  return uri;
}

/** Labels offered at `|`. */
async function offered(text: string): Promise<readonly string[]> {
  const at = text.indexOf("|");
  const source = text.replace("|", "");
  const uri = await open(source);
  const lines = source.slice(0, at).split("\n");
  const position = { line: lines.length - 1, character: lines.at(-1)!.length };
  const items = (await client.at<CompletionItem[] | null>("completion", uri, position)) ?? [];
  return items.map(({ label }) => label);
}

describe("moec.yaml", () => {
  it("is checked as it is typed", async () => {
    const uri = await open("model: a.moe\nquantisation: q8_0\n");
    const [wrong] = await client.diagnostics(uri);
    expect(wrong).toMatchObject({ code: "MOE5402", range: { start: { line: 1, character: 0 } } });
    expect(wrong?.message).toMatch(/`quantization`/);
    await client.change(uri, "model: a.moe\nquantization: q8_0\n");
    expect(await client.diagnostics(uri)).toEqual([]);
    await client.change(uri, "model: a.moe\ncontext: -1\n");
    expect(await client.diagnostics(uri)).toMatchObject([
      { code: "MOE5402", range: { start: { line: 1, character: 9 } } },
    ]);
    await client.change(uri, "model: [");
    expect(await client.diagnostics(uri)).toMatchObject([{ code: "MOE5401" }]);
  });

  it("is completed: keys that are missing, values of a choice, keys inside", async () => {
    const keys = await offered("model: a.moe\n|");
    expect(keys).toContain("weights");
    expect(keys).not.toContain("model");
    expect(await offered("model: a.moe\nquantization: |")).toEqual(["f32", "f16", "bf16", "q8_0", "q4_0", "file"]);
    expect(await offered("model: a.moe\ntargets: [wasm, |]")).toEqual([...TARGETS]);
    expect(await offered("model: a.moe\ntargets:\n  - |")).toEqual([...TARGETS]);
    expect(await offered("model: a.moe\ngenerate:\n  topK: 3\n  t|")).toEqual(
      expect.arrayContaining(["temperature", "topP", "maxTokens"]),
    );
    expect(await offered("model: |")).toEqual([]);
  });

  it("tells what a key means", async () => {
    const uri = await open("model: a.moe\ntargets: [wasm]\ngenerate:\n  temperature: 0\n");
    const at = (line: number, character: number): Promise<Hover | null> =>
      client.at<Hover | null>("hover", uri, { line, character });
    expect(await at(1, 3)).toMatchObject({ contents: { value: expect.stringMatching(/`native`/) as string } });
    expect(await at(3, 4)).toMatchObject({ contents: { value: expect.stringMatching(/most likely/) as string } });
    expect(await at(0, 9)).toBeNull();
  });

  it("is no .moe file: nothing else is answered, and its words are no symbols", async () => {
    const uri = await open("model: a.moe\n");
    expect(await client.of("documentSymbol", uri)).toBeNull();
    expect(await client.of("semanticTokens/full", uri)).toBeNull();
    expect(await client.request("workspace/symbol", { query: "model" })).toEqual([]);
  });

  it("has a schema with a sentence for every key", () => {
    const schema = projectJsonSchema();
    expect(Object.keys(schema.properties ?? {})).toEqual(Object.keys(projectSchema.shape));
    const missing = (inner: JsonSchema, path: string): readonly string[] =>
      Object.entries(inner.properties ?? {}).flatMap(([key, each]) => [
        ...(each.description === undefined ? [path + key] : []),
        ...missing(each, `${path}${key}.`),
      ]);
    expect(missing(schema, "")).toEqual([]);
  });
});
