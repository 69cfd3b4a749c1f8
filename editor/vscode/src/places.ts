/** Places in the source that a view leads to. */
import * as vscode from "vscode";

/** Shows a place of a file, where the file is shown already if it is. */
export async function goTo(uri: string, line: number, character: number): Promise<void> {
  const position = new vscode.Position(line, character);
  const address = vscode.Uri.parse(uri);
  const shown = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === address.toString());
  await vscode.window.showTextDocument(address, {
    viewColumn: shown?.viewColumn ?? vscode.ViewColumn.One,
    selection: new vscode.Range(position, position),
  });
}
