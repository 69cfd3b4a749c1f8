/** All that the extension does beside the language server, on a desktop and in a browser alike. */
import * as vscode from "vscode";
import { registerChecks } from "./checks.js";
import { registerDocuments } from "./documents.js";
import { FIRST_MODEL } from "./first-model.mjs";
import { registerGraph } from "./graph-panel.js";
import { registerKernels } from "./kernels.js";
import type { Server } from "./server-requests.js";
import { registerTarget } from "./target.js";
import { registerTests } from "./tests.js";

/** Gives the commands their meaning; the server may still be starting. */
export function registerAll(context: vscode.ExtensionContext, server: Server): void {
  const target = registerTarget(context);
  registerChecks(context, server);
  registerDocuments(context, server);
  registerGraph(context, server);
  registerKernels(context, server, target);
  registerTests(context, server);
  context.subscriptions.push(
    vscode.commands.registerCommand("moec.newModel", newModel),
    vscode.commands.registerCommand("moec.openWalkthrough", () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", "moec.moec-vscode#moec.start", false),
    ),
  );
}

/** A file to begin with that is not on the disk yet. */
async function newModel(): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ language: "moe", content: FIRST_MODEL });
  await vscode.window.showTextDocument(document);
}
