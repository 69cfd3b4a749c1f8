/**
 * The kernels of the declaration at the cursor beside its text, for the target in the status bar. A line here leads to the
 * kernels that compute it and a kernel to its lines: both sides mark what belongs to the other side's cursor.
 */
import * as vscode from "vscode";
import { goTo } from "./places.js";
import { isMoe, type KernelForm, type KernelView, type Server } from "./server-requests.js";
import { FORM_OF, type TargetChoice } from "./target.js";

const SCHEME = "moec-kernels";
const PAUSE = 500;

/** The end of the file's name, and languages whose colours fit when they are there. */
const LOOKS: Readonly<Record<KernelForm, { readonly extension: string; readonly languages: readonly string[] }>> = {
  wgsl: { extension: "wgsl", languages: ["wgsl", "rust"] },
  cuda: { extension: "cu", languages: ["cuda-cpp", "cpp"] },
  llvm: { extension: "ll", languages: ["llvm"] },
  wasm: { extension: "wat", languages: ["wat", "wast", "clojure"] },
};

type Section = KernelView["sections"][number];

export function registerKernels(context: vscode.ExtensionContext, server: Server, target: TargetChoice): void {
  const view = new Kernels(server, target);
  let waiting: ReturnType<typeof setTimeout> | undefined;
  context.subscriptions.push(
    view,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, view),
    vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, view),
    vscode.languages.registerDefinitionProvider({ scheme: SCHEME }, view),
    vscode.commands.registerCommand("moec.showKernels", () => view.show()),
    vscode.commands.registerCommand("moec.goTo", goTo),
    target.onChange(() => view.retarget()),
    vscode.window.onDidChangeTextEditorSelection((event) => view.follow(event)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (!isMoe(document)) return;
      clearTimeout(waiting);
      waiting = setTimeout(() => view.refresh(), PAUSE);
    }),
  );
}

interface Asked {
  readonly uri: string;
  readonly line: number;
  readonly form: KernelForm;
}

class Kernels implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.DefinitionProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly mark = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor("editor.wordHighlightStrongBackground"),
    overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.wordHighlightStrongForeground"),
  });
  /** The view that is shown, and where. */
  private address: vscode.Uri | undefined;
  private asked: Asked | undefined;
  private view: KernelView | undefined;

  constructor(
    private readonly server: Server,
    private readonly target: TargetChoice,
  ) {}

  dispose(): void {
    this.changed.dispose();
    this.mark.dispose();
  }

  async show(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor || !isMoe(editor.document)) return;
    await this.open({
      uri: editor.document.uri.toString(),
      line: editor.selection.active.line,
      form: FORM_OF[this.target.name],
    });
    this.markKernels(editor);
  }

  /** The same declaration for another target. */
  async retarget(): Promise<void> {
    if (this.asked && this.editor()) await this.open({ ...this.asked, form: FORM_OF[this.target.name] });
  }

  private async open(asked: Asked): Promise<void> {
    const before = this.editor();
    const view = await this.ask(asked);
    if (!view.ok) return void vscode.window.showErrorMessage(`moec: ${view.text}`);
    const { extension, languages } = LOOKS[asked.form];
    const address = vscode.Uri.from({
      scheme: SCHEME,
      path: `/${view.name.replace(/\W+/g, "-")}.${extension}`,
      query: JSON.stringify(asked),
    });
    this.address = address;
    this.asked = asked;
    this.view = view;
    const document = await vscode.workspace.openTextDocument(address);
    const known = new Set(await vscode.languages.getLanguages());
    const language = languages.find((each) => known.has(each)) ?? "plaintext";
    if (document.languageId !== language) await vscode.languages.setTextDocumentLanguage(document, language);
    const column = before?.viewColumn ?? vscode.ViewColumn.Beside;
    await vscode.window.showTextDocument(document, { viewColumn: column, preserveFocus: true, preview: true });
  }

  private ask({ uri, line, form }: Asked): Promise<KernelView> {
    return this.server.ask("moec/kernels", { uri, position: { line, character: 0 }, form });
  }

  refresh(): void {
    if (this.address && this.editor()) this.changed.fire(this.address);
  }

  async provideTextDocumentContent(address: vscode.Uri): Promise<string> {
    const view = await this.ask(JSON.parse(address.query) as Asked);
    if (address.toString() === this.address?.toString()) this.view = view;
    return view.text;
  }

  provideCodeLenses({ uri }: vscode.TextDocument): vscode.CodeLens[] {
    return this.sectionsOf(uri).flatMap(({ first, places }) =>
      places.slice(0, 3).map(({ uri: file, range: { start } }) => {
        const title = `${vscode.Uri.parse(file).path.split("/").at(-1)!}:${start.line + 1}`;
        const command = { title, command: "moec.goTo", arguments: [file, start.line, start.character] };
        return new vscode.CodeLens(new vscode.Range(first, 0, first, 0), command);
      }),
    );
  }

  provideDefinition({ uri }: vscode.TextDocument, { line }: vscode.Position): vscode.Location[] {
    return this.sectionsOf(uri)
      .filter(({ first, last }) => first <= line && line <= last)
      .flatMap(({ places }) =>
        places.map(({ uri: file, range }) => new vscode.Location(vscode.Uri.parse(file), toRange(range))),
      );
  }

  private sectionsOf(uri: vscode.Uri): readonly Section[] {
    return uri.toString() === this.address?.toString() ? (this.view?.sections ?? []) : [];
  }

  private editor(): vscode.TextEditor | undefined {
    const address = this.address?.toString();
    return vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === address);
  }

  /** The cursor moved on one side: the other side shows what belongs to it. */
  follow({ textEditor, kind }: vscode.TextEditorSelectionChangeEvent): void {
    if (!this.editor()) return;
    if (textEditor === this.editor()) {
      if (kind !== undefined) this.markSource(textEditor);
    } else if (isMoe(textEditor.document)) this.markKernels(textEditor);
  }

  private markKernels({ document, selection }: vscode.TextEditor): void {
    const editor = this.editor();
    if (!editor) return;
    const { line } = selection.active;
    const uri = document.uri.toString();
    const found = (this.view?.sections ?? []).filter(({ places, through }) =>
      [...places, ...through].some(
        (place) => sameUri(place.uri, uri) && place.range.start.line <= line && line <= place.range.end.line,
      ),
    );
    const ranges = found.map(({ first, last }) => new vscode.Range(first, 0, last, 0));
    editor.setDecorations(this.mark, ranges);
    if (ranges[0]) editor.revealRange(ranges[0], vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  private markSource({ selection }: vscode.TextEditor): void {
    const { line } = selection.active;
    const section = this.view?.sections.find(({ first, last }) => first <= line && line <= last);
    for (const editor of vscode.window.visibleTextEditors) {
      if (!isMoe(editor.document)) continue;
      const uri = editor.document.uri.toString();
      const ranges = [...(section?.places ?? []), ...(section?.through ?? [])]
        .filter((place) => sameUri(place.uri, uri))
        .map(({ range }) => toRange(range));
      editor.setDecorations(this.mark, ranges);
      if (ranges[0]) editor.revealRange(ranges[0], vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }
}

/** The server and the editor may escape an address differently. */
function sameUri(a: string, b: string): boolean {
  return a === b || vscode.Uri.parse(a).toString() === vscode.Uri.parse(b).toString();
}

function toRange({ start, end }: Section["places"][number]["range"]): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}
