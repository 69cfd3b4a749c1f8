/** Paths in the lines of recipes: both sides lead to what the parameters are declared as. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Hover, Location, WorkspaceEdit } from "vscode-languageserver";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applied, Client } from "./client.js";
import { marked } from "./marks.js";

const { text, at } = marked(`expert Net[D, F] {
  param ¦up: [D, F]
  param down: [F, D]
  (x: [D]) => relu(x @ up) @ down
}

block Layer[D, F] {
  use ¦net = Net[D, F]
  (x: [T, D]) => x + net(x)
}

model Deep[L = 3, D = 4, F = 6] {
  stack ¦layers = L of Layer[D, F]
  forward(x: [T, D]) -> [T, D] => layers(x)
}

recipe Scaled(¦dense: Deep, factor: float = 2.0) -> sparse: Deep {
  sparse.¦layers.¦net.¦up = factor * ¦dense.layers.¦net.¦up
}
`);
const [DECLARED_UP, DECLARED_NET, DECLARED_LAYERS, SOURCE, LAYERS, NET, UP, READ_SOURCE, READ_NET, READ_UP] = at;

let folder: string;
let client: Client;
let uri: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "moec-recipe-editor-"));
  uri = pathToFileURL(join(folder, "deep.moe")).href;
  client = await Client.inProcess(folder);
  await client.open(uri, text);
});

afterAll(() => {
  client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

it("a recipe without a mistake has no diagnostics", async () => {
  expect(await client.diagnostics(uri)).toEqual([]);
});

describe.each([
  ["a stack that is set", LAYERS!, DECLARED_LAYERS!],
  ["a module that is set", NET!, DECLARED_NET!],
  ["a parameter that is set", UP!, DECLARED_UP!],
  ["a source", READ_SOURCE!, SOURCE!],
  ["a module that is read", READ_NET!, DECLARED_NET!],
  ["a parameter that is read", READ_UP!, DECLARED_UP!],
])("%s", (_, place, declared) => {
  it("leads to its declaration", async () => {
    const found = await client.at<Location>("definition", uri, place);
    expect(found.range.start).toEqual(declared);
  });

  it("is renamed where it is written", async () => {
    const { changes } = await client.at<WorkspaceEdit>("rename", uri, place, { newName: "renamed" });
    const after = applied(text, changes![uri]!);
    const starts = changes![uri]!.map(({ range }) => range.start);
    expect(starts).toContainEqual(place);
    expect(starts).toContainEqual(declared);
    // The renamed file means the same.
    const other = pathToFileURL(join(folder, `renamed-${place.character}.moe`)).href;
    await client.open(other, after);
    expect(await client.diagnostics(other)).toEqual([]);
  });
});

it.each([
  ["the parameter that is set", UP!, /param up: \[D, F\]/],
  ["the parameter that is read", READ_UP!, /param up: \[D, F\]/],
  ["the stack", LAYERS!, /stack layers = L of Layer\[D, F\]/],
])("hovers say what %s is", async (_, place, wanted) => {
  const { contents } = await client.at<Hover>("hover", uri, place);
  expect((contents as { value: string }).value).toMatch(wanted);
});
