/** The playground without its page: lessons are judged, models drawn, emitted and run as the page does it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { graphView } from "../../editor/server/features/graph-view.js";
import { Workspace } from "../../editor/server/workspace.js";
import { emitted, FORMS } from "../../editor/server/kernels/emitted.js";
import { memoryHost } from "../../editor/server/memory.js";
import { judge, titleOf, type Lesson } from "../../playground/core/lesson.js";
import { runModel } from "../../playground/core/run-model.js";
import { wasmText } from "../../editor/server/kernels/wasm-text.js";
import { root } from "./client.js";

const folder = join(root, "playground/lessons");
const stdlib = join(root, "stdlib");
const library = new Map(
  readdirSync(stdlib, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".moe"))
    .map((path) => [path, readFileSync(join(stdlib, path), "utf8")]),
);
const own = new Map<string, string>();
const host = memoryHost(library, own);

const lessons = readdirSync(folder)
  .sort()
  .map((id): Lesson => {
    const part = (name: string): string => readFileSync(join(folder, id, name), "utf8");
    return {
      id,
      text: part("lesson.md"),
      start: part("start.moe"),
      solution: part("solution.moe"),
      task: part("task.moe"),
    };
  });
const last = lessons.at(-1)!;

describe("the lessons", () => {
  it("are twelve or more, each with a title, a text and a task", () => {
    expect(lessons.length).toBeGreaterThanOrEqual(12);
    for (const lesson of lessons) {
      expect(titleOf(lesson)).not.toBe(lesson.id);
      expect(lesson.text).toMatch(/\*\*Task\.\*\*/);
      expect(lesson.task).toMatch(/^test "/m);
    }
  });
  it.each(lessons.map((lesson) => [lesson.id, lesson] as const))(
    "%s: its start fails, its solution is right",
    (_, it) => {
      const begun = judge(it, it.start, host);
      expect(begun.done).toBe(false);
      expect(begun.problems.length).toBeGreaterThan(0);
      expect(judge(it, it.solution, host)).toEqual({ done: true, problems: [] });
    },
  );
  it("take no text that does not parse, and no empty one", () => {
    for (const written of ["", "expert SwiGLU[D, F] {"]) expect(judge(lessons[0]!, written, host).done).toBe(false);
  });
});

describe("a model in the page", () => {
  own.set("/playground.moe", last.solution);
  const project = check("/playground.moe", host);

  it("is emitted in every form", async () => {
    const print = (kernels: Parameters<typeof wasmText>[0]): Promise<string> => Promise.resolve(wasmText(kernels));
    const texts = await Promise.all(FORMS.map((form) => emitted(project, form, print)));
    for (const { ok, text } of texts) expect([ok, text]).toEqual([true, text]);
    const [graph, optimized, wgsl, cuda, llvm, wasm] = texts.map(({ text }) => text);
    expect(graph).toMatch(/^program Small/);
    expect(optimized).toMatch(/entry forward_last/);
    expect(wgsl).toMatch(/@compute/);
    expect(cuda).toMatch(/__global__/);
    expect(llvm).toMatch(/define void @/);
    expect(wasm).toMatch(/^\(module/);
  });

  it("says which experts the tokens go to, as many as the router chooses", () => {
    const { ok, text } = runModel(project, [1, 2, 3], 1);
    expect(ok).toBe(true);
    const chosen = [...text.matchAll(/^ {2}token \d: (.*)$/gm)].map((match) => match[1]!.split(", ").length);
    // Two layers, three tokens, two experts each.
    expect(chosen).toEqual([2, 2, 2, 2, 2, 2]);
    expect(text).toMatch(/result: \[T = 3, V = 64\]/);
    expect(runModel(project, [1, 2, 3], 1).text).toBe(text);
    expect(runModel(project, [1, 2, 3], 2).text).not.toBe(text);
  });

  it("is refused with a code when there is none, and with a sentence when it is too large", () => {
    own.set("/expert.moe", lessons[0]!.solution);
    expect(runModel(check("/expert.moe", host), [1], 1)).toEqual({
      ok: false,
      text: expect.stringMatching(/^MOE2191: /) as string,
    });
    own.set("/large.moe", last.solution.replace("V = 64", "V = 1_000_000"));
    expect(runModel(check("/large.moe", host), [1], 1).text).toMatch(/at most 2000000/);
  });

  it("is drawn: frames, experts, router, shapes, and places in the source", () => {
    const workspace = new Workspace(host);
    const { ok, text } = graphView(workspace, "/playground.moe");
    expect(ok).toBe(true);
    for (const kind of ["input", "stack", "router", "experts", "module", "result"]) {
      expect(text).toContain(`<g class="${kind}"`);
    }
    expect(text).toContain("layers × 2");
    expect(text).toContain("f32[T, D=32]");
    const line = /class="stack"[^>]*data-uri="file:\/\/\/playground\.moe" data-line="(\d+)"/.exec(text)?.[1];
    expect(last.solution.split("\n")[Number(line)]).toMatch(/layers/);
    expect(graphView(workspace, "/none.moe").ok).toBe(false);
  });
});
