/** Monaco as a view of the language server: it shows what the server says and sends what is typed. */
import * as monaco from "monaco-editor/esm/vs/editor/editor.api.js";
import "monaco-editor/esm/vs/editor/edcore.main.js";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import { moeLanguage, moeTheme } from "./language.js";
import { registerProviders, toRange, type LspRange } from "./providers.js";
import type { ServerClient } from "./server-client.js";

self.MonacoEnvironment = { getWorker: () => new EditorWorker() };

export interface Editor {
  getValue(): string;
  setValue(text: string): void;
  /** Lines and columns from 0. */
  goTo(line: number, character: number): void;
  onChange(listener: () => void): void;
}

interface Problem {
  readonly range: LspRange;
  readonly severity: number;
  readonly code: string;
  readonly message: string;
}

export function createEditor(
  place: HTMLElement,
  problems: HTMLElement,
  client: ServerClient,
  capabilities: object,
  uri: string,
  text: string,
): Editor {
  moeLanguage();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = (): void => monaco.editor.setTheme(moeTheme(dark.matches));
  dark.addEventListener("change", theme);
  theme();
  const model = monaco.editor.createModel(text, "moe", monaco.Uri.parse(uri));
  registerProviders(client, capabilities, uri);
  let version = 1;
  client.notify("textDocument/didOpen", { textDocument: { uri, languageId: "moe", version, text } });
  const listeners: (() => void)[] = [];
  model.onDidChangeContent(() => {
    version++;
    // The whole text: a lesson is small, and nothing can go out of step.
    client.notify("textDocument/didChange", {
      textDocument: { uri, version },
      contentChanges: [{ text: model.getValue() }],
    });
    for (const listener of listeners) listener();
  });
  const view = monaco.editor.create(place, {
    model,
    automaticLayout: true,
    minimap: { enabled: false },
    fontSize: 13.5,
    scrollBeyondLastLine: false,
    // Columns are narrow: nothing of a line shall be out of sight, nor room go to empty margins.
    wordWrap: "on",
    wrappingIndent: "deepIndent",
    lineNumbersMinChars: 3,
    glyphMargin: false,
    folding: false,
    overviewRulerLanes: 0,
    "semanticHighlighting.enabled": true,
    tabSize: 2,
    formatOnType: true,
    ariaLabel: "Source of the model. Press Control and M to let Tab leave the editor.",
    fixedOverflowWidgets: true,
    padding: { top: 8 },
  });
  const goTo = (line: number, character: number): void => {
    view.setPosition({ lineNumber: line + 1, column: character + 1 });
    view.revealLineInCenterIfOutsideViewport(line + 1);
    view.focus();
  };
  client.on("textDocument/publishDiagnostics", (params: { readonly uri: string; readonly diagnostics: Problem[] }) => {
    if (params.uri !== uri) return;
    monaco.editor.setModelMarkers(
      model,
      "moec",
      params.diagnostics.map(({ range, severity, code, message }) => ({
        ...toRange(range),
        code,
        message,
        source: "moec",
        severity: severity === 1 ? monaco.MarkerSeverity.Error : monaco.MarkerSeverity.Warning,
      })),
    );
    problems.replaceChildren(...params.diagnostics.map((problem) => problemLine(problem, goTo)));
    if (params.diagnostics.length === 0) problems.textContent = "No problems.";
    problems.dataset["count"] = String(params.diagnostics.length);
  });
  return {
    getValue: () => model.getValue(),
    setValue: (value) => model.setValue(value),
    goTo,
    onChange: (listener) => void listeners.push(listener),
  };
}

function problemLine({ range, code, message }: Problem, goTo: (line: number, character: number) => void): HTMLElement {
  const line = document.createElement("button");
  line.type = "button";
  const name = document.createElement("b");
  name.textContent = code;
  line.append(name, ` line ${range.start.line + 1}: ${message}`);
  line.onclick = () => goTo(range.start.line, range.start.character);
  return line;
}
