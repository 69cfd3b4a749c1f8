/** The language server as a worker: the same server as in an editor, over files in memory. */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from "vscode-languageserver/browser";
import type { Schedule } from "../../compiler/4-schedule/index.js";
import { graphView } from "../../editor/server/features/graph-view.js";
import { emitted, type Form } from "../../editor/server/kernels/emitted.js";
import { memoryHost } from "../../editor/server/memory.js";
import { serve } from "../../editor/server/serve.js";
import { judge, type Lesson } from "../core/lesson.js";
import { runModel } from "../core/run-model.js";

const sources: Record<string, string> = import.meta.glob("../../stdlib/**/*.moe", {
  query: "?raw",
  import: "default",
  eager: true,
});
const library = new Map(Object.entries(sources).map(([path, text]) => [path.replace("../../stdlib/", ""), text]));
const host = memoryHost(library, new Map());

/** Loaded when it is first asked for: the printer of WebAssembly is larger than all the rest. */
async function wasmText(kernels: Schedule["kernels"]): Promise<string> {
  const { wasmText: print } = await import("../../editor/server/kernels/wasm-text.js");
  return print(kernels);
}

interface Asked {
  readonly uri: string;
}

const connection = createConnection(new BrowserMessageReader(self), new BrowserMessageWriter(self));
serve(connection, host, {
  version: "playground",
  delay: 40,
  requests: (workspace) => ({
    "playground/emitted": ({ uri, form }: Asked & { readonly form: Form }) =>
      emitted(workspace.project(host.fromUri(uri)), form, wasmText),
    "playground/run": ({ uri, tokens, seed }: Asked & { readonly tokens: readonly number[]; readonly seed: number }) =>
      runModel(workspace.project(host.fromUri(uri)), tokens, seed),
    "playground/judge": ({ lesson, written }: { readonly lesson: Lesson; readonly written: string }) =>
      judge(lesson, written, host),
    "playground/graph": ({ uri }: Asked) => graphView(workspace, host.fromUri(uri)),
  }),
});
