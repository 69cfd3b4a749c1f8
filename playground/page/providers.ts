/** The protocol's answers in Monaco's terms. Lines and columns are from 0 there and from 1 here. */
import * as monaco from "monaco-editor/esm/vs/editor/editor.api.js";
import { ServerError, type ServerClient } from "./server-client.js";

interface LspPosition {
  readonly line: number;
  readonly character: number;
}

export interface LspRange {
  readonly start: LspPosition;
  readonly end: LspPosition;
}

interface LspEdit {
  readonly range: LspRange;
  readonly newText: string;
}

type Markup = string | { readonly kind: string; readonly value: string };

interface LspItem {
  readonly label: string;
  readonly kind?: number;
  readonly detail?: string;
  readonly documentation?: Markup;
  readonly insertText?: string;
  readonly insertTextFormat?: number;
  readonly textEdit?: LspEdit;
  readonly additionalTextEdits?: readonly LspEdit[];
  readonly sortText?: string;
  readonly filterText?: string;
}

interface LspAction {
  readonly title: string;
  readonly kind?: string;
  readonly edit?: { readonly changes?: Readonly<Record<string, readonly LspEdit[]>> };
}

export function toRange({ start, end }: LspRange): monaco.IRange {
  return {
    startLineNumber: start.line + 1,
    startColumn: start.character + 1,
    endLineNumber: end.line + 1,
    endColumn: end.character + 1,
  };
}

const fromPosition = ({ lineNumber, column }: monaco.IPosition): LspPosition => ({
  line: lineNumber - 1,
  character: column - 1,
});
const fromRange = (range: monaco.IRange): LspRange => ({
  start: fromPosition({ lineNumber: range.startLineNumber, column: range.startColumn }),
  end: fromPosition({ lineNumber: range.endLineNumber, column: range.endColumn }),
});
const markdown = (markup: Markup): monaco.IMarkdownString => ({
  value: typeof markup === "string" ? markup : markup.value,
});
const toEdit = ({ range, newText }: LspEdit): monaco.languages.TextEdit => ({ range: toRange(range), text: newText });

/** Kinds of completions by the protocol's number. */
const { CompletionItemKind: Kind } = monaco.languages;
const KINDS: Readonly<Record<number, monaco.languages.CompletionItemKind>> = {
  2: Kind.Method,
  3: Kind.Function,
  5: Kind.Field,
  6: Kind.Variable,
  7: Kind.Class,
  9: Kind.Module,
  10: Kind.Property,
  12: Kind.Value,
  14: Kind.Keyword,
  15: Kind.Snippet,
  25: Kind.TypeParameter,
};

/** An error that Monaco knows by its name. */
function cancelled(): Error {
  const error = new Error("Canceled");
  error.name = "Canceled";
  return error;
}

export function registerProviders(client: ServerClient, capabilities: object, uri: string): void {
  const { languages } = monaco;
  const textDocument = { uri };
  /** What is out of date is answered with nothing; Monaco asks again. */
  const ask = async <R>(method: string, params: object): Promise<R | null> => {
    try {
      return await client.request<R | null>(`textDocument/${method}`, { textDocument, ...params });
    } catch (error) {
      if (error instanceof ServerError) return null;
      throw error;
    }
  };
  const at = (position: monaco.IPosition): object => ({ position: fromPosition(position) });

  languages.registerHoverProvider("moe", {
    provideHover: async (_model, position) => {
      const found = await ask<{ contents: Markup; range?: LspRange }>("hover", at(position));
      return found && { contents: [markdown(found.contents)], ...(found.range ? { range: toRange(found.range) } : {}) };
    },
  });
  languages.registerCompletionItemProvider("moe", {
    triggerCharacters: [".", ":", "[", "(", '"', "{"],
    provideCompletionItems: async (model, position) => {
      const found = await ask<readonly LspItem[] | { items: readonly LspItem[] }>("completion", at(position));
      const items = found === null ? [] : "items" in found ? found.items : found;
      const word = model.getWordUntilPosition(position);
      const range = {
        startLineNumber: position.lineNumber,
        endLineNumber: position.lineNumber,
        startColumn: word.startColumn,
        endColumn: word.endColumn,
      };
      return { suggestions: items.map((item) => suggestion(item, range)) };
    },
  });
  languages.registerSignatureHelpProvider("moe", {
    signatureHelpTriggerCharacters: ["(", "[", ","],
    provideSignatureHelp: async (_model, position) => {
      const value = await ask<monaco.languages.SignatureHelp>("signatureHelp", at(position));
      return value && { value, dispose: () => undefined };
    },
  });
  languages.registerDefinitionProvider("moe", {
    provideDefinition: async (_model, position) => {
      const found = await ask<readonly { uri: string; range: LspRange }[]>("definition", at(position));
      const all = found === null ? [] : Array.isArray(found) ? found : [found];
      // Only this text is open in the page; hover shows what lies in the library.
      return (all as readonly { uri: string; range: LspRange }[])
        .filter((one) => one.uri === uri)
        .map(({ range }) => ({ uri: monaco.Uri.parse(uri), range: toRange(range) }));
    },
  });
  languages.registerDocumentHighlightProvider("moe", {
    provideDocumentHighlights: async (_model, position) => {
      const found = await ask<readonly { range: LspRange }[]>("documentHighlight", at(position));
      return (found ?? []).map(({ range }) => ({ range: toRange(range) }));
    },
  });
  languages.registerRenameProvider("moe", {
    provideRenameEdits: async (_model, position, newName) => {
      const found = await ask<NonNullable<LspAction["edit"]>>("rename", { ...at(position), newName });
      return { edits: edits(found?.changes?.[uri] ?? [], uri) };
    },
  });
  languages.registerInlayHintsProvider("moe", {
    provideInlayHints: async (_model, range) => {
      const found = await ask<readonly { position: LspPosition; label: string; paddingLeft?: boolean }[]>("inlayHint", {
        range: fromRange(range),
      });
      const hints = (found ?? []).map(({ position, label, paddingLeft }) => ({
        label,
        position: { lineNumber: position.line + 1, column: position.character + 1 },
        paddingLeft: paddingLeft ?? false,
      }));
      return { hints, dispose: () => undefined };
    },
  });
  languages.registerDocumentFormattingEditProvider("moe", {
    provideDocumentFormattingEdits: async () =>
      ((await ask<readonly LspEdit[]>("formatting", { options: { tabSize: 2, insertSpaces: true } })) ?? []).map(
        toEdit,
      ),
  });
  languages.registerCodeActionProvider("moe", {
    provideCodeActions: async (_model, range) => {
      const found = await ask<readonly LspAction[]>("codeAction", {
        range: fromRange(range),
        context: { diagnostics: [] },
      });
      const actions = (found ?? [])
        .filter(({ edit }) => edit?.changes?.[uri] !== undefined)
        .map(({ title, kind, edit }) => ({
          title,
          ...(kind === undefined ? {} : { kind }),
          edit: { edits: edits(edit!.changes![uri]!, uri) },
        }));
      return { actions, dispose: () => undefined };
    },
  });
  languages.registerFoldingRangeProvider("moe", {
    provideFoldingRanges: async () => {
      const found = await ask<readonly { startLine: number; endLine: number }[]>("foldingRange", {});
      return (found ?? []).map(({ startLine, endLine }) => ({ start: startLine + 1, end: endLine + 1 }));
    },
  });
  const { semanticTokensProvider } = capabilities as {
    readonly semanticTokensProvider: { readonly legend: monaco.languages.SemanticTokensLegend };
  };
  languages.registerDocumentSemanticTokensProvider("moe", {
    getLegend: () => semanticTokensProvider.legend,
    provideDocumentSemanticTokens: async (model) => {
      const version = model.getVersionId();
      const found = await ask<{ data: readonly number[] }>("semanticTokens/full", {});
      // The answer is about a newer text than was asked for; Monaco asks again when it hears so.
      if (model.getVersionId() !== version) throw cancelled();
      return found && { data: new Uint32Array(found.data) };
    },
    releaseDocumentSemanticTokens: () => undefined,
  });
}

function suggestion(item: LspItem, range: monaco.IRange): monaco.languages.CompletionItem {
  const { InsertAsSnippet } = monaco.languages.CompletionItemInsertTextRule;
  return {
    label: item.label,
    kind: KINDS[item.kind ?? 0] ?? Kind.Text,
    insertText: item.textEdit?.newText ?? item.insertText ?? item.label,
    range: item.textEdit ? toRange(item.textEdit.range) : range,
    ...(item.detail === undefined ? {} : { detail: item.detail }),
    ...(item.documentation === undefined ? {} : { documentation: markdown(item.documentation) }),
    ...(item.insertTextFormat === 2 ? { insertTextRules: InsertAsSnippet } : {}),
    ...(item.sortText === undefined ? {} : { sortText: item.sortText }),
    ...(item.filterText === undefined ? {} : { filterText: item.filterText }),
    ...(item.additionalTextEdits ? { additionalTextEdits: item.additionalTextEdits.map(toEdit) } : {}),
  };
}

function edits(found: readonly LspEdit[], uri: string): monaco.languages.IWorkspaceTextEdit[] {
  return found.map((edit) => ({ resource: monaco.Uri.parse(uri), versionId: undefined, textEdit: toEdit(edit) }));
}
