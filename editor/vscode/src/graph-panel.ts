/**
 * The picture of a model beside its text. A click on a box leads to its source; the boxes of the line at the cursor are
 * marked; edits redraw it, and while the text has errors the last picture stays, with a line that says what is wrong.
 */
import * as vscode from "vscode";
import { goTo } from "./places.js";
import { isMoe, type Server } from "./server-requests.js";

const PAUSE = 300;

/** From the page: a box was chosen. */
interface Chosen {
  readonly uri: string;
  readonly line: number;
  readonly character: number;
}

export function registerGraph(context: vscode.ExtensionContext, server: Server): void {
  let panel: GraphPanel | undefined;
  const show = async (uri?: string | vscode.Uri, model?: string): Promise<void> => {
    const active = vscode.window.activeTextEditor?.document;
    const file = uri?.toString() ?? (isMoe(active) ? active.uri.toString() : undefined);
    if (file === undefined) return;
    if (!panel) {
      panel = new GraphPanel(context.extensionUri, server);
      panel.onDispose(() => (panel = undefined));
    }
    await panel.show(file, model);
  };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  context.subscriptions.push(
    vscode.commands.registerCommand("moec.showGraph", show),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (!isMoe(document)) return;
      clearTimeout(waiting);
      waiting = setTimeout(() => void panel?.draw(), PAUSE);
    }),
    vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => panel?.mark(textEditor)),
    { dispose: () => panel?.dispose() },
  );
}

class GraphPanel {
  private readonly panel: vscode.WebviewPanel;
  private file = "";
  private model: string | undefined;
  private turn = 0;

  constructor(
    extension: vscode.Uri,
    private readonly server: Server,
  ) {
    const media = vscode.Uri.joinPath(extension, "media");
    this.panel = vscode.window.createWebviewPanel("moec.graph", "Graph", vscode.ViewColumn.Beside, {
      enableScripts: true,
      localResourceRoots: [media],
      retainContextWhenHidden: true,
    });
    const icon = (name: string): vscode.Uri => vscode.Uri.joinPath(media, `file-${name}.svg`);
    this.panel.iconPath = { light: icon("light"), dark: icon("dark") };
    const { webview } = this.panel;
    webview.html = pageOf(webview, media);
    webview.onDidReceiveMessage((chosen: Chosen | "ready") => {
      if (chosen === "ready") void this.draw();
      else void goTo(chosen.uri, chosen.line, chosen.character);
    });
  }

  onDispose(listener: () => void): void {
    this.panel.onDidDispose(listener);
  }

  dispose(): void {
    this.panel.dispose();
  }

  async show(file: string, model: string | undefined): Promise<void> {
    this.file = file;
    this.model = model;
    this.panel.title = `Graph of ${model ?? vscode.Uri.parse(file).path.split("/").at(-1)!}`;
    this.panel.reveal(undefined, true);
    await this.draw();
  }

  /** What was asked for before the last edit is not shown any more. */
  async draw(): Promise<void> {
    if (this.file === "") return;
    const turn = ++this.turn;
    const { file: uri, model } = this;
    const found = await this.server.ask("moec/picture", model === undefined ? { uri } : { uri, model });
    if (turn !== this.turn) return;
    await this.panel.webview.postMessage(found.ok ? { svg: found.text } : { problem: found.text });
    const editor = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri);
    if (editor) this.mark(editor);
  }

  /** Marks the boxes that come from the line of the cursor. */
  mark({ document, selection }: vscode.TextEditor): void {
    if (!isMoe(document)) return;
    void this.panel.webview.postMessage({ uri: document.uri.toString(), line: selection.active.line });
  }
}

function pageOf(webview: vscode.Webview, media: vscode.Uri): string {
  const at = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(media, name)).toString();
  const allowed = webview.cspSource;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${allowed}; script-src ${allowed}" />
    <link rel="stylesheet" href="${at("graph-page.css")}" />
    <link rel="stylesheet" href="${at("graph.css")}" />
    <title>Graph</title>
  </head>
  <body>
    <header>
      <button id="out" type="button" aria-label="Smaller">−</button>
      <button id="in" type="button" aria-label="Larger">+</button>
      <button id="fit" type="button">Fit width</button>
      <p id="problem" role="status"></p>
    </header>
    <main id="graph" tabindex="0" aria-label="Graph of the model"></main>
    <script src="${at("graph-page.js")}"></script>
  </body>
</html>`;
}
