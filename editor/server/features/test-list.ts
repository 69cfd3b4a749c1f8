/** The tests of a file with their places, for a list that does not run them. */
import type { Range } from "vscode-languageserver";
import type { Workspace } from "../workspace.js";

export interface ListedTest {
  readonly name: string;
  readonly range: Range;
}

export function testList(workspace: Workspace, file: string): readonly ListedTest[] {
  const text = workspace.text(file);
  return (workspace.load(file)?.tree.declarations ?? []).flatMap((declaration) =>
    declaration.kind === "test" ? [{ name: declaration.name.value, range: text.range(declaration.span) }] : [],
  );
}
