/**
 * The language server: the protocol on one side, pure functions over the workspace on the other.
 *
 * Edits wait a moment before they are checked, since the next keystroke makes the check worthless; a request that comes
 * meanwhile is answered from the newest text at once. Requests that were cancelled while they waited are not answered.
 */
import {
  CodeActionKind,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  TextDocumentSyncKind,
  type CancellationToken,
  type Connection,
  type InitializeResult,
} from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { incomingCalls, outgoingCalls, prepareCallHierarchy } from "./features/call-hierarchy.js";
import { codeActions } from "./features/code-actions.js";
import { codeLenses, resolveCodeLens } from "./features/code-lens.js";
import { completion } from "./features/completion/index.js";
import { diagnostics, shownIn } from "./features/diagnostics.js";
import { formatDocument, formatOnType, formatRange } from "./features/formatting.js";
import { hover } from "./features/hover.js";
import { inlayHints } from "./features/inlay-hints.js";
import { definition, highlights, references } from "./features/navigation.js";
import { prepareRename, rename, RenameRefused } from "./features/rename.js";
import { checkWorkspace, explanation, graphText, runFileTests } from "./features/requests.js";
import { semanticTokens, TOKEN_MODIFIERS, TOKEN_TYPES } from "./features/semantic-tokens.js";
import { signatureHelp } from "./features/signature-help.js";
import { documentLinks, foldingRanges, selectionRanges } from "./features/structure.js";
import { documentSymbols, workspaceSymbols } from "./features/symbols.js";
import {
  isProjectFile,
  projectCompletion,
  projectDiagnostics,
  projectHover,
  type ProjectFiles,
} from "./project-file.js";
import { Workspace, type WorkspaceHost } from "./workspace.js";
import { traceOf } from "../../compiler/errors/reason.js";

export interface ServerOptions {
  readonly version: string;
  /** Told the opened folders, as URIs. */
  readonly openFolders?: (uris: readonly string[]) => void;
  /** What `moec.yaml` may say; without it such files are left alone. */
  readonly projectFiles?: ProjectFiles;
  /** Milliseconds to wait after an edit. */
  readonly delay?: number;
  /** Requests beside the protocol, by name: what a client of its own asks for. */
  readonly requests?: (workspace: Workspace) => Readonly<Record<string, (params: never) => unknown>>;
}

/** Lets messages that wait be read first; browsers have no `setImmediate`. */
const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });

const DELAY = 60;

export const capabilities: InitializeResult["capabilities"] = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
  hoverProvider: true,
  definitionProvider: true,
  referencesProvider: true,
  documentHighlightProvider: true,
  renameProvider: { prepareProvider: true },
  completionProvider: { triggerCharacters: [".", ":", "[", "(", '"', "{", " "] },
  signatureHelpProvider: { triggerCharacters: ["(", "[", ","] },
  semanticTokensProvider: {
    legend: { tokenTypes: [...TOKEN_TYPES], tokenModifiers: [...TOKEN_MODIFIERS] },
    full: true,
    range: true,
  },
  inlayHintProvider: true,
  documentFormattingProvider: true,
  documentRangeFormattingProvider: true,
  documentOnTypeFormattingProvider: { firstTriggerCharacter: "}" },
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.SourceFixAll] },
  codeLensProvider: { resolveProvider: true },
  documentSymbolProvider: true,
  workspaceSymbolProvider: true,
  foldingRangeProvider: true,
  selectionRangeProvider: true,
  documentLinkProvider: {},
  callHierarchyProvider: true,
};

export function serve(connection: Connection, host: WorkspaceHost, options: ServerOptions): void {
  const workspace = new Workspace(host);
  const documents = new Map<string, TextDocument>();
  const waiting = new Map<string, ReturnType<typeof setTimeout>>();
  const at = (params: { readonly textDocument: { readonly uri: string } }): string =>
    host.fromUri(params.textDocument.uri);

  /** Answers with `answer`, unless the client has lost interest by the time its turn comes. */
  const answering =
    <P, R>(answer: (params: P) => R, project?: (files: ProjectFiles, source: string, params: P) => Awaited<R> | null) =>
    async (params: P, token: CancellationToken): Promise<Awaited<R> | ResponseError> => {
      await nextTurn();
      if (token.isCancellationRequested) return new ResponseError(LSPErrorCodes.RequestCancelled, "cancelled");
      try {
        const uri = (params as { readonly textDocument?: { readonly uri: string } } | undefined)?.textDocument?.uri;
        if (uri !== undefined && isProjectFile(uri)) {
          const source = documents.get(uri)?.getText();
          const files = options.projectFiles;
          const answered = files && source !== undefined ? project?.(files, source, params) : undefined;
          // The protocol lets every request about a document be answered with nothing.
          return (answered ?? null) as Awaited<R>;
        }
        return await answer(params);
      } catch (error) {
        if (error instanceof RenameRefused) return new ResponseError(LSPErrorCodes.RequestFailed, error.message);
        const text = traceOf(error);
        connection.console.error(text);
        return new ResponseError(ErrorCodes.InternalError, text.split("\n")[0]!);
      }
    };

  const publish = (uri: string): void => {
    waiting.delete(uri);
    const document = documents.get(uri);
    if (!document) return;
    const found = isProjectFile(uri)
      ? options.projectFiles
        ? projectDiagnostics(options.projectFiles, document.getText(), host.fromUri(uri), (each, text) =>
            shownIn(workspace, each, text),
          )
        : []
      : diagnostics(workspace, host.fromUri(uri));
    void connection.sendDiagnostics({ uri, version: document.version, diagnostics: found });
  };
  const schedule = (uri: string, delay: number): void => {
    clearTimeout(waiting.get(uri));
    waiting.set(
      uri,
      setTimeout(() => publish(uri), delay),
    );
  };
  /** The edited file first, then the open files that may import it. */
  const changed = (uri: string, delay = options.delay ?? DELAY): void => {
    schedule(uri, delay);
    for (const other of documents.keys()) if (other !== uri) schedule(other, delay * 2 + 1);
  };

  connection.onInitialize((params) => {
    const root = params.rootUri === null || params.rootUri === undefined ? [] : [params.rootUri];
    options.openFolders?.(params.workspaceFolders?.map(({ uri }) => uri) ?? root);
    return { capabilities, serverInfo: { name: "moec", version: options.version } };
  });
  connection.onDidOpenTextDocument(({ textDocument: { uri, languageId, version, text } }) => {
    documents.set(uri, TextDocument.create(uri, languageId, version, text));
    if (!isProjectFile(uri)) workspace.open(host.fromUri(uri), text);
    changed(uri, 0);
  });
  connection.onDidChangeTextDocument(({ textDocument: { uri, version }, contentChanges }) => {
    const before = documents.get(uri);
    if (!before) return;
    const document = TextDocument.update(before, contentChanges, version);
    if (!isProjectFile(uri)) workspace.open(host.fromUri(uri), document.getText());
    changed(uri);
  });
  connection.onDidCloseTextDocument(({ textDocument: { uri } }) => {
    documents.delete(uri);
    clearTimeout(waiting.get(uri));
    waiting.delete(uri);
    workspace.close(host.fromUri(uri));
    void connection.sendDiagnostics({ uri, diagnostics: [] });
  });
  const refresh = (): void => {
    workspace.changed();
    for (const uri of documents.keys()) schedule(uri, 0);
  };
  connection.onDidChangeWatchedFiles(refresh);
  connection.onDidSaveTextDocument(refresh);

  connection.onHover(
    answering(
      (params) => hover(workspace, at(params), params.position),
      (files, source, params) => projectHover(files, source, params.position),
    ),
  );
  connection.onDefinition(answering((params) => definition(workspace, at(params), params.position)));
  connection.onReferences(
    answering((params) => references(workspace, at(params), params.position, params.context.includeDeclaration)),
  );
  connection.onDocumentHighlight(answering((params) => highlights(workspace, at(params), params.position)));
  connection.onPrepareRename(answering((params) => prepareRename(workspace, at(params), params.position)));
  connection.onRenameRequest(answering((params) => rename(workspace, at(params), params.position, params.newName)));
  connection.onCompletion(
    answering(
      (params) => completion(workspace, at(params), params.position),
      (files, source, params) => projectCompletion(files, source, params.position),
    ),
  );
  connection.onSignatureHelp(answering((params) => signatureHelp(workspace, at(params), params.position)));
  connection.languages.semanticTokens.on(answering((params) => semanticTokens(workspace, at(params))));
  connection.languages.semanticTokens.onRange(
    answering((params) => semanticTokens(workspace, at(params), params.range)),
  );
  connection.languages.inlayHint.on(answering((params) => inlayHints(workspace, at(params), params.range)));
  connection.onDocumentFormatting(answering((params) => formatDocument(workspace, at(params))));
  connection.onDocumentRangeFormatting(answering((params) => formatRange(workspace, at(params), params.range)));
  connection.onDocumentOnTypeFormatting(answering((params) => formatOnType(workspace, at(params), params.position)));
  connection.onCodeAction(answering((params) => codeActions(workspace, at(params), params.range)));
  connection.onCodeLens(answering((params) => codeLenses(workspace, at(params))));
  connection.onCodeLensResolve(answering((lens) => resolveCodeLens(workspace, lens)));
  connection.onDocumentSymbol(answering((params) => documentSymbols(workspace, at(params))));
  connection.onWorkspaceSymbol(answering((params) => workspaceSymbols(workspace, params.query)));
  connection.onFoldingRanges(answering((params) => foldingRanges(workspace, at(params))));
  connection.onSelectionRanges(answering((params) => selectionRanges(workspace, at(params), params.positions)));
  connection.onDocumentLinks(answering((params) => documentLinks(workspace, at(params))));
  connection.languages.callHierarchy.onPrepare(
    answering((params) => prepareCallHierarchy(workspace, at(params), params.position)),
  );
  connection.languages.callHierarchy.onIncomingCalls(answering((params) => incomingCalls(workspace, params.item)));
  connection.languages.callHierarchy.onOutgoingCalls(answering((params) => outgoingCalls(workspace, params.item)));

  connection.onRequest(
    "moec/runTests",
    answering((params: { readonly uri: string; readonly name?: string }) =>
      runFileTests(workspace, host.fromUri(params.uri), params.name),
    ),
  );
  connection.onRequest(
    "moec/graph",
    answering((params: { readonly uri: string; readonly model?: string }) =>
      graphText(workspace, host.fromUri(params.uri), params.model),
    ),
  );
  connection.onRequest(
    "moec/explain",
    answering((params: { readonly code: string }) => explanation(params.code)),
  );
  connection.onRequest(
    "moec/checkWorkspace",
    answering(() => checkWorkspace(workspace)),
  );
  for (const [method, answer] of Object.entries(options.requests?.(workspace) ?? {})) {
    connection.onRequest(method, answering(answer as (params: unknown) => unknown));
  }
  connection.listen();
}
