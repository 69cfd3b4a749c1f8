/** Pages that the server writes: costs of a file, explanations of errors, the graph as text. They follow edits. */
import * as vscode from "vscode";
import { isMoe, type Server } from "./server-requests.js";

const SCHEME = "moec-page";
const PAUSE = 400;

type Page =
  { readonly kind: "cost" | "graph"; readonly uri: string } | { readonly kind: "explain"; readonly code: string };

export function registerDocuments(context: vscode.ExtensionContext, server: Server): void {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const open = new Map<string, Page>();
  const addressOf = (page: Page): vscode.Uri => {
    const name = page.kind === "explain" ? page.code : vscode.Uri.parse(page.uri).path.split("/").at(-1)!;
    const path = page.kind === "graph" ? `/${name}.graph` : `/${page.kind}/${name}.md`;
    return vscode.Uri.from({ scheme: SCHEME, path, query: JSON.stringify(page) });
  };
  const show = async (page: Page): Promise<void> => {
    const address = addressOf(page);
    open.set(address.toString(), page);
    if (page.kind === "graph") {
      const document = await vscode.workspace.openTextDocument(address);
      await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true });
    } else await vscode.commands.executeCommand("markdown.showPreviewToSide", address);
  };
  const active = (): string | undefined => {
    const document = vscode.window.activeTextEditor?.document;
    return isMoe(document) ? document.uri.toString() : undefined;
  };
  const showFile = (kind: "cost" | "graph") => async (uri?: string | vscode.Uri) => {
    const file = uri?.toString() ?? active();
    if (file !== undefined) await show({ kind, uri: file });
  };
  const explain = async (code?: string): Promise<void> => {
    const wanted = code ?? (await vscode.window.showInputBox({ prompt: "A code such as MOE2041" }));
    if (wanted !== undefined) await show({ kind: "explain", code: wanted.trim().toUpperCase() });
  };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  context.subscriptions.push(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changed.event,
      provideTextDocumentContent: ({ query }) => textOf(server, JSON.parse(query) as Page),
    }),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (!isMoe(document)) return;
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        for (const [address, page] of open) if (page.kind !== "explain") changed.fire(vscode.Uri.parse(address));
      }, PAUSE);
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => open.delete(uri.toString())),
    vscode.commands.registerCommand("moec.showCost", showFile("cost")),
    vscode.commands.registerCommand("moec.showGraphText", showFile("graph")),
    vscode.commands.registerCommand("moec.explain", explain),
  );
}

async function textOf(server: Server, page: Page): Promise<string> {
  switch (page.kind) {
    case "cost":
      return server.ask("moec/costReport", { uri: page.uri });
    case "graph":
      return (await server.ask("moec/graph", { uri: page.uri })).text;
    case "explain":
      return server.ask("moec/explain", { code: page.code });
    default:
      return page satisfies never;
  }
}
