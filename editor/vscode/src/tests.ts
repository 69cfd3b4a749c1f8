/** `test` declarations in the test explorer: found without being run, run by the server, failures on their lines. */
import * as vscode from "vscode";
import { isMoe, type ListedTest, type Server } from "./server-requests.js";

const PAUSE = 300;
const MOST = 1_000;

export function registerTests(context: vscode.ExtensionContext, server: Server): void {
  const tests = new Tests(server);
  context.subscriptions.push(
    tests.controller,
    vscode.workspace.onDidOpenTextDocument((document) => tests.refresh(document)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => tests.refreshSoon(document)),
    vscode.workspace.onDidDeleteFiles(({ files }) =>
      files.forEach((uri) => tests.controller.items.delete(uri.toString())),
    ),
    vscode.commands.registerCommand("moec.runTest", (uri: string, name: string) =>
      tests.runOne(vscode.Uri.parse(uri), name),
    ),
    vscode.commands.registerCommand("moec.runTestAtCursor", () => tests.runAtCursor()),
  );
  for (const document of vscode.workspace.textDocuments) void tests.refresh(document);
}

class Tests {
  readonly controller = vscode.tests.createTestController("moec", "moec");
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly server: Server) {
    this.controller.resolveHandler = async (item) => {
      if (item) await this.find(item.uri!);
      else await this.findAll();
    };
    this.controller.refreshHandler = () => this.findAll();
    const run = (request: vscode.TestRunRequest, token: vscode.CancellationToken) => this.run(request, token);
    this.controller.createRunProfile("Run", vscode.TestRunProfileKind.Run, run, true);
  }

  async refresh(document: vscode.TextDocument): Promise<void> {
    const { uri } = document;
    // Files of the library that are looked into have tests of their own, which are not the user's.
    const isOurs = !vscode.workspace.workspaceFolders || vscode.workspace.getWorkspaceFolder(uri) !== undefined;
    if (isMoe(document) && isOurs) await this.find(uri);
  }

  refreshSoon(document: vscode.TextDocument): void {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => void this.refresh(document), PAUSE);
  }

  private async findAll(): Promise<void> {
    const files = await vscode.workspace.findFiles("**/*.moe", "**/node_modules/**", MOST);
    for (const uri of files) await this.find(uri);
  }

  /** The file's item with one below it for each test; none for a file without tests. */
  private async find(uri: vscode.Uri): Promise<vscode.TestItem | undefined> {
    const found = await this.server.ask("moec/tests", { uri: uri.toString() });
    if (found.length === 0) {
      this.controller.items.delete(uri.toString());
      return undefined;
    }
    const known = this.controller.items.get(uri.toString());
    const file = known ?? this.controller.createTestItem(uri.toString(), vscode.workspace.asRelativePath(uri), uri);
    if (!known) this.controller.items.add(file);
    file.children.replace(found.map((test) => this.itemOf(uri, test)));
    return file;
  }

  private itemOf(uri: vscode.Uri, { name, range: { start, end } }: ListedTest): vscode.TestItem {
    const item = this.controller.createTestItem(`${uri.toString()}#${name}`, name, uri);
    item.range = new vscode.Range(start.line, start.character, end.line, end.character);
    return item;
  }

  async runOne(uri: vscode.Uri, name: string): Promise<void> {
    const file = await this.find(uri);
    const item = file?.children.get(`${uri.toString()}#${name}`);
    if (item) await this.run(new vscode.TestRunRequest([item]), new vscode.CancellationTokenSource().token);
  }

  /** The last test that begins above the cursor. */
  async runAtCursor(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor || !isMoe(editor.document)) return;
    const file = await this.find(editor.document.uri);
    const line = editor.selection.active.line;
    const above = [...(file?.children ?? [])].map(([, item]) => item).filter(({ range }) => range!.start.line <= line);
    const last = above.sort((a, b) => a.range!.start.line - b.range!.start.line).at(-1);
    if (last) await this.runOne(editor.document.uri, last.label);
    else void vscode.window.showInformationMessage("moec: there is no test above the cursor");
  }

  private async run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const run = this.controller.createTestRun(request);
    // The explorer may ask for all before it has been opened.
    if (!request.include) await this.findAll();
    const excluded = new Set(request.exclude ?? []);
    const chosen = request.include ?? [...this.controller.items].map(([, item]) => item);
    const wanted = chosen
      .flatMap((item) => (item.children.size > 0 ? [...item.children].map(([, child]) => child) : [item]))
      .filter((item) => !excluded.has(item));
    for (const item of wanted) run.enqueued(item);
    for (const item of wanted) {
      if (token.isCancellationRequested) run.skipped(item);
      else await this.runItem(run, item);
    }
    run.end();
  }

  private async runItem(run: vscode.TestRun, item: vscode.TestItem): Promise<void> {
    const uri = item.uri!;
    run.started(item);
    const begun = Date.now();
    const [outcome] = await this.server.ask("moec/runTests", { uri: uri.toString(), name: item.label });
    const time = Date.now() - begun;
    if (!outcome) {
      run.errored(item, new vscode.TestMessage("This file has no such test any more."), time);
    } else if (outcome.passed) {
      run.appendOutput(`passed  ${outcome.name} (${outcome.assertions} assertions)\r\n`, undefined, item);
      run.passed(item, time);
    } else {
      const messages = outcome.failures.map(({ message, line }) => {
        const text = new vscode.TestMessage(message);
        text.location = new vscode.Location(uri, new vscode.Position(line, 0));
        return text;
      });
      run.appendOutput(`FAILED  ${outcome.name}\r\n`, undefined, item);
      for (const { message, line } of outcome.failures) run.appendOutput(`    line ${line + 1}: ${message}\r\n`);
      run.failed(item, messages, time);
    }
  }
}
