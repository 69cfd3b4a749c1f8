/** The extension: starts the language server, and gives its commands a place in the editor. */
import * as vscode from "vscode";
import { LanguageClient, TransportKind, type ServerOptions } from "vscode-languageclient/node";

interface TestOutcome {
  readonly name: string;
  readonly passed: boolean;
  readonly assertions: number;
  readonly failures: readonly { readonly message: string; readonly line: number }[];
}

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("moec");
  client = new LanguageClient("moec", "moec", serverOptions(context), {
    documentSelector: [{ language: "moe" }, { language: "yaml", pattern: "**/moec.{yaml,yml}" }],
    outputChannel: output,
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.moe") },
  });
  const register = (name: string, run: (...args: never[]) => unknown): void => {
    context.subscriptions.push(vscode.commands.registerCommand(name, run));
  };
  register("moec.checkWorkspace", () => checkWorkspace());
  register("moec.runTest", (uri: string, name: string) => runTest(uri, name, output));
  register("moec.runTestAtCursor", () => runTestAtCursor(output));
  register("moec.showGraph", (uri?: string, model?: string) => showGraph(uri, model));
  register("moec.showCost", (uri?: string) => showGraph(uri));
  register("moec.explain", (code?: string) => explain(code));
  register("moec.restart", () => client?.restart());
  context.subscriptions.push(output);
  await client.start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

function serverOptions(context: vscode.ExtensionContext): ServerOptions {
  const [command, ...args] = vscode.workspace.getConfiguration("moec").get<string[]>("server.command", []);
  if (command !== undefined) return { command, args };
  return { module: context.asAbsolutePath("dist/server.cjs"), transport: TransportKind.stdio };
}

function activeUri(): string | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document?.languageId === "moe" ? document.uri.toString() : undefined;
}

async function checkWorkspace(): Promise<void> {
  const found = (await client?.sendRequest<{ uri: string; problems: number }[]>("moec/checkWorkspace")) ?? [];
  const wrong = found.filter(({ problems }) => problems > 0);
  if (wrong.length === 0) {
    void vscode.window.showInformationMessage(`moec: ${found.length} files, no problems`);
    return;
  }
  const items = wrong.map(({ uri, problems }) => ({
    label: vscode.workspace.asRelativePath(vscode.Uri.parse(uri)),
    description: `${problems} problem${problems === 1 ? "" : "s"}`,
    uri,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: "Files with problems" });
  if (chosen) await vscode.window.showTextDocument(vscode.Uri.parse(chosen.uri));
}

async function runTest(uri: string, name: string, output: vscode.OutputChannel): Promise<void> {
  const results = (await client?.sendRequest<TestOutcome[]>("moec/runTests", { uri, name })) ?? [];
  for (const { name: title, passed, assertions, failures } of results) {
    output.appendLine(`${passed ? "passed" : "FAILED"}  ${title} (${assertions} assertions)`);
    for (const { message, line } of failures) output.appendLine(`    line ${line + 1}: ${message}`);
    if (passed) void vscode.window.showInformationMessage(`"${title}" holds (${assertions} assertions)`);
    else void vscode.window.showErrorMessage(`"${title}" does not hold: ${failures[0]?.message ?? ""}`);
  }
}

/** The last test that begins above the cursor. */
async function runTestAtCursor(output: vscode.OutputChannel): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const uri = activeUri();
  if (!editor || uri === undefined) return;
  const above = editor.document.getText().split("\n", editor.selection.active.line + 1);
  const name = above.flatMap((line) => /^\s*test\s+"([^"]*)"/.exec(line)?.[1] ?? []).at(-1);
  if (name === undefined) void vscode.window.showInformationMessage("there is no test above the cursor");
  else await runTest(uri, name, output);
}

async function showGraph(uri = activeUri(), model?: string): Promise<void> {
  if (uri === undefined) return;
  const found = await client?.sendRequest<{ ok: boolean; text: string }>("moec/graph", { uri, model });
  if (found?.ok === false) void vscode.window.showErrorMessage(found.text);
  else if (found) await showText(found.text, "plaintext");
}

async function explain(code?: string): Promise<void> {
  const wanted = code ?? (await vscode.window.showInputBox({ prompt: "A code such as MOE2041" }));
  if (wanted === undefined) return;
  const text = await client?.sendRequest<string>("moec/explain", { code: wanted });
  if (text !== undefined) await showText(text, "markdown");
}

async function showText(content: string, language: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ content, language });
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true });
}
