/** Sources with cursor marks: `x @ ¦w` has a cursor before `w`. */
import type { Position } from "vscode-languageserver";
import { Text } from "../../editor/server/text.js";

export interface Marked {
  readonly text: string;
  readonly at: readonly Position[];
}

export function marked(source: string): Marked {
  const pieces = source.split("¦");
  const text = pieces.join("");
  const lines = new Text(text);
  let offset = 0;
  const at = pieces.slice(0, -1).map((piece) => lines.position((offset += piece.length)));
  return { text, at };
}
