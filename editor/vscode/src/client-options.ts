/** What both kinds of client tell the server about documents. */
import * as vscode from "vscode";
import type { LanguageClientOptions } from "vscode-languageclient";

export function clientOptions(context: vscode.ExtensionContext): LanguageClientOptions {
  const output = vscode.window.createOutputChannel("moec");
  const sources = vscode.workspace.createFileSystemWatcher("**/*.moe");
  context.subscriptions.push(output, sources);
  return {
    documentSelector: [{ language: "moe" }, { language: "yaml", pattern: "**/moec.{yaml,yml}" }],
    outputChannel: output,
    synchronize: { fileEvents: sources },
  };
}
