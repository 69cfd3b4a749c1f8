/** Checks all files of the workspace and lists those with problems. */
import * as vscode from "vscode";
import type { Server } from "./server-requests.js";

export function registerChecks(context: vscode.ExtensionContext, server: Server): void {
  context.subscriptions.push(vscode.commands.registerCommand("moec.checkWorkspace", () => checkWorkspace(server)));
}

async function checkWorkspace(server: Server): Promise<void> {
  const found = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: "moec: checking all files" },
    () => server.ask("moec/checkWorkspace", undefined),
  );
  const wrong = found.filter(({ problems }) => problems > 0);
  if (wrong.length === 0) {
    void vscode.window.showInformationMessage(`moec: ${counted(found.length, "file")}, no problems`);
    return;
  }
  const items = wrong.map(({ uri, problems }) => ({
    label: vscode.workspace.asRelativePath(vscode.Uri.parse(uri)),
    description: counted(problems, "problem"),
    uri,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: "Files with problems" });
  if (chosen) await vscode.window.showTextDocument(vscode.Uri.parse(chosen.uri));
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
