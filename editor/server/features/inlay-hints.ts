/** Shapes after every line: the type of a `let`, and of a body's result. */
import { InlayHintKind, type InlayHint, type Range } from "vscode-languageserver";
import type { Expression, Statement } from "../../../grammar/tree.js";
import type { Workspace } from "../workspace.js";
import { eachNode } from "./tree-walk.js";
import { typeAt } from "./types.js";

export function inlayHints(workspace: Workspace, file: string, range: Range): InlayHint[] {
  const text = workspace.text(file);
  const from = text.offset(range.start);
  const to = text.offset(range.end);
  const tree = workspace.load(file)?.tree;
  if (!tree) return [];
  const hints: InlayHint[] = [];
  const add = (offset: number, label: string): void => {
    hints.push({
      position: text.position(offset),
      label,
      kind: InlayHintKind.Type,
      paddingLeft: label.startsWith("->"),
    });
  };
  eachNode(tree, (node) => {
    if (node.span.end < from || node.span.start > to) return;
    if (node.kind === "let") {
      for (const { offset, label } of letHints(workspace, file, node as Extract<Statement, { kind: "let" }>))
        add(offset, label);
    } else if (node.kind === "block") {
      const { result } = node as Extract<Expression, { kind: "block" }>;
      const type = result && tensorType(workspace, file, result);
      if (result && type !== undefined) add(result.span.end, `-> ${type}`);
    }
  });
  return hints.sort((a, b) => a.position.line - b.position.line || a.position.character - b.position.character);
}

function letHints(workspace: Workspace, file: string, node: Extract<Statement, { kind: "let" }>) {
  if (node.type) return [];
  if (!node.tuple) {
    const [name] = node.names;
    const type = name && tensorType(workspace, file, node.value);
    return type === undefined ? [] : [{ offset: name!.span.end, label: `: ${type}` }];
  }
  const type = typeAt(workspace, file, node.value.span);
  const items = type?.startsWith("(") ? topLevelItems(type.slice(1, -1)) : [];
  return items.length === node.names.length
    ? node.names.map((name, index) => ({ offset: name.span.end, label: `: ${items[index]!}` }))
    : [];
}

/** Types of tensors and routes; what a module or a number is, is written beside the name anyway. */
function tensorType(workspace: Workspace, file: string, value: Expression): string | undefined {
  if (value.kind === "error") return undefined;
  const type = typeAt(workspace, file, value.span);
  return type !== undefined && /^(?:f32|i32|bool|routes)\b/.test(type) ? type : undefined;
}

function topLevelItems(text: string): readonly string[] {
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text[at];
    if (character === "[" || character === "(") depth++;
    else if (character === "]" || character === ")") depth--;
    else if (character === undefined || (character === "," && depth === 0)) {
      items.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return items;
}
