/** The extension on a desktop or a remote machine: the server is a process. */
import * as vscode from "vscode";
import { LanguageClient, TransportKind, type ServerOptions } from "vscode-languageclient/node";
import { registerAll } from "./activate.js";
import { clientOptions } from "./client-options.js";
import { Server } from "./server-requests.js";
import { registerTasks } from "./tasks.js";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  client = new LanguageClient("moec", "moec", serverOptions(context), clientOptions(context));
  registerAll(context, new Server(client));
  registerTasks(context);
  context.subscriptions.push(vscode.commands.registerCommand("moec.restart", () => client?.restart()));
  await client.start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

function serverOptions(context: vscode.ExtensionContext): ServerOptions {
  const [command, ...args] = vscode.workspace.getConfiguration("moec").get<string[]>("server.command", []);
  if (command !== undefined) return { command, args };
  return { module: context.asAbsolutePath("dist/server.cjs"), transport: TransportKind.ipc };
}
