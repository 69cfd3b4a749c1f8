/** The views beside the text: kernels with their places in the source, the cost report, the list of tests. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { diskWorkspace } from "../../editor/server/disk.js";
import { costReport } from "../../editor/server/features/cost-report.js";
import { diagnostics } from "../../editor/server/features/diagnostics.js";
import { runFileTests } from "../../editor/server/features/requests.js";
import { testList } from "../../editor/server/features/test-list.js";
import { KERNEL_FORMS } from "../../editor/server/kernels/forms.js";
import { kernelView, type KernelView } from "../../editor/server/kernels/kernel-view.js";
import type { KernelForm } from "../../editor/server/kernels/forms.js";
import { wasmText } from "../../editor/server/kernels/wasm-text.js";
import { Workspace } from "../../editor/server/workspace.js";
import { FIRST_MODEL } from "../../editor/vscode/src/first-model.mjs";
import { format } from "../../grammar/index.js";
import { root } from "./client.js";

const workspace = new Workspace(
  diskWorkspace({ library: join(root, "stdlib"), errorsPage: join(root, "docs/reference/errors.md") }),
);
const tiny = join(root, "examples/tiny-moe/tiny-moe.moe");
const experts = join(root, "stdlib/experts/gated.moe");

/** The kernels of the declaration on the first line that begins with `head`. */
function kernels(file: string, head: string, form: KernelForm): Promise<KernelView> {
  const line = workspace
    .text(file)
    .text.split("\n")
    .findIndex((each) => each.startsWith(head));
  const print = (each: Parameters<typeof wasmText>[0]): Promise<string> => Promise.resolve(wasmText(each));
  return kernelView(workspace, file, { line, character: 0 }, form, print);
}

/** The text behind each place of the view. */
function sourcesOf({ sections }: KernelView): readonly string[] {
  return sections.flatMap(({ places }) =>
    places.map(({ uri, range }) => {
      const text = workspace.text(workspace.host.fromUri(uri));
      return text.text.slice(text.offset(range.start), text.offset(range.end));
    }),
  );
}

describe("kernels beside the source", () => {
  it("are compiled once until a text changes", async () => {
    const view = await kernels(tiny, "block Decoder", "cuda");
    expect(await kernels(tiny, "block Decoder", "cuda")).toBe(view);
    expect(await kernels(tiny, "model", "cuda")).not.toBe(view);
    workspace.changed();
    const again = await kernels(tiny, "block Decoder", "cuda");
    expect(again).not.toBe(view);
    expect(again).toEqual(view);
  });

  it.each(KERNEL_FORMS)("%s: every section is a kernel that leads to its source", async (form) => {
    const view = await kernels(tiny, "model", form);
    expect(view.ok, view.text).toBe(true);
    expect(view.sections.length).toBeGreaterThan(5);
    const lines = view.text.split("\n");
    let before = -1;
    for (const { kernel, first, last, places } of view.sections) {
      expect(first).toBeGreaterThan(before);
      expect(lines.slice(before + 1, last + 1).join("\n")).toContain(kernel);
      expect(lines[last]).not.toBe("");
      if (form !== "wgsl") expect(lines[last]).toMatch(/^(\}| \))/);
      expect(places.length).toBeGreaterThan(0);
      before = last;
    }
  });

  it("lead to the names through which the declaration uses them", async () => {
    const { sections } = await kernels(tiny, "block Decoder", "cuda");
    const line = (text: string): number =>
      workspace.text(tiny).text.slice(0, workspace.text(tiny).text.indexOf(text)).split("\n").length - 1;
    const through = (kernel: RegExp): readonly number[] =>
      sections
        .filter((section) => kernel.test(section.kernel))
        .flatMap((section) => section.through.map(({ range }) => range.start.line));
    // The experts' products come from `moe`, where it is declared and where it is called, and not from the norms.
    expect(new Set(through(/^products/))).toEqual(new Set([line("use moe"), line("h + moe")]));
    expect(new Set(through(/^attend/))).toEqual(new Set([line("use attn"), line("let h = x")]));
  });

  it("are those of the declaration at the cursor and of what it uses, no others", async () => {
    const model = await kernels(tiny, "model", "cuda");
    const part = await kernels(tiny, "block Decoder", "cuda");
    expect(part.ok, part.text).toBe(true);
    expect(part.sections.length).toBeGreaterThan(0);
    expect(part.sections.length).toBeLessThan(model.sections.length);
    expect(model.sections.some(({ kernel }) => /attend/.test(kernel))).toBe(true);
  });

  it("of a library's expert come from its tests", async () => {
    const name = /^expert (\w+)/m.exec(readFileSync(experts, "utf8"))!;
    const view = await kernels(experts, name[0], "wgsl");
    expect(view.ok, view.text).toBe(true);
    expect(view.name).toBe(name[1]);
    expect(sourcesOf(view).some((text) => text.length > 0)).toBe(true);
  });

  it("are refused with a reason where there are no sizes", async () => {
    const file = "/alone.moe";
    workspace.open(file, "expert Alone[D](x: [D]) {\n  => x * 2\n}\n");
    const view = await kernels(file, "expert", "cuda");
    workspace.close(file);
    expect(view).toMatchObject({ ok: false, name: "Alone", sections: [] });
    expect(view.text).toContain("No model or test of this file uses Alone");
  });
});

it("the cost report has a row for each declaration, with the numbers of its lens", () => {
  const text = costReport(workspace, tiny);
  expect(text).toMatch(/^# Cost of tiny-moe\.moe\n/);
  expect(text).toMatch(/^\| `TinyMoE` \| model \| 7\.\d M \| [\d.]+ M \| [\d.]+ M \| [\d.]+ MiB \|$/m);
  expect(costReport(workspace, experts)).toMatch(/^## `\w+` expert\n\n.*\n.*\n\| parameters \| `[^`]*D[^`]*` \|$/m);
});

it("what the extension begins a new model with has no problems, is laid out, and its test holds", async () => {
  const file = join(root, "new.moe");
  workspace.open(file, FIRST_MODEL);
  expect(diagnostics(workspace, file)).toEqual([]);
  expect(await format(FIRST_MODEL)).toBe(FIRST_MODEL);
  expect(runFileTests(workspace, file)).toEqual([expect.objectContaining({ passed: true, assertions: 1 })]);
  workspace.close(file);
});

it("tests are listed without being run", () => {
  const found = testList(workspace, experts);
  const written = [...readFileSync(experts, "utf8").matchAll(/^test "([^"]*)"/gm)].map((match) => match[1]);
  expect(found.map(({ name }) => name)).toEqual(written);
  expect(pathToFileURL(experts).href).toBe(workspace.host.toUri(experts));
});
