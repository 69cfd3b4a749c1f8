/** The extension in a browser, as on vscode.dev: the server is a worker, and files come to it through the editor. */
import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/browser";
import { registerAll } from "./activate.js";
import { clientOptions } from "./client-options.js";
import { LIBRARY_SCHEME, type FileText } from "./web-files.js";
import { Server } from "./server-requests.js";

/** More files than this are not a project of ours. */
const MOST = 2_000;

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const own = new LanguageClient("moec", "moec", clientOptions(context), await startWorker(context.extensionUri));
  client = own;
  registerAll(context, new Server(own));
  const send = (files: readonly FileText[]): Promise<void> => own.sendNotification("moec/files", { files });
  const sources = vscode.workspace.createFileSystemWatcher("**/*.moe");
  const changed = async (uri: vscode.Uri): Promise<void> => send([await read(uri)]);
  context.subscriptions.push(
    sources,
    sources.onDidChange(changed),
    sources.onDidCreate(changed),
    sources.onDidDelete((uri) => send([{ uri: uri.toString() }])),
    vscode.workspace.registerTextDocumentContentProvider(LIBRARY_SCHEME, {
      provideTextDocumentContent: async ({ path }) =>
        textOf(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(context.extensionUri, "stdlib", path))),
    }),
  );
  await own.start();
  const found = await vscode.workspace.findFiles("**/*.moe", "**/node_modules/**", MOST);
  await send(await Promise.all(found.map(read)));
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

/** The server's two scripts as one worker; a worker of another site's address would not be let in. */
async function startWorker(extension: vscode.Uri): Promise<Worker> {
  const parts = await Promise.all(
    ["dist/core.cjs", "dist/web-server.js"].map((path) =>
      vscode.workspace.fs.readFile(vscode.Uri.joinPath(extension, path)),
    ),
  );
  const script = new Blob([parts.map(textOf).join("\n")], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(script));
}

async function read(uri: vscode.Uri): Promise<FileText> {
  return { uri: uri.toString(), text: textOf(await vscode.workspace.fs.readFile(uri)) };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
