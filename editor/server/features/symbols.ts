/** Outline of a file, and search over the declarations of all files. */
import { SymbolKind, type DocumentSymbol, type WorkspaceSymbol } from "vscode-languageserver";
import type { Contract, Declaration, Member, ModuleDecl } from "../../../grammar/tree.js";
import type { Text } from "../text.js";
import type { Workspace } from "../workspace.js";

const CONTRACT_KINDS: Readonly<Record<Contract, SymbolKind>> = {
  expert: SymbolKind.Class,
  router: SymbolKind.Interface,
  mask: SymbolKind.Operator,
  matrix: SymbolKind.Struct,
  block: SymbolKind.Class,
  model: SymbolKind.Module,
  fn: SymbolKind.Function,
  schedule: SymbolKind.Event,
  loss: SymbolKind.Function,
  probe: SymbolKind.Function,
  recipe: SymbolKind.Function,
};

export function documentSymbols(workspace: Workspace, file: string): DocumentSymbol[] {
  const text = workspace.text(file);
  return (workspace.load(file)?.tree.declarations ?? []).map((declaration) => declared(text, declaration));
}

function declared(text: Text, declaration: Declaration): DocumentSymbol {
  const range = text.range(declaration.span);
  if (declaration.kind === "test") {
    const name = declaration.name.value === "" ? "test" : declaration.name.value;
    return { name, detail: "test", kind: SymbolKind.Boolean, range, selectionRange: range };
  }
  return {
    name: declaration.name.text === "" ? declaration.contract : declaration.name.text,
    detail: declaration.contract,
    kind: CONTRACT_KINDS[declaration.contract],
    range,
    selectionRange: inside(text, declaration.name.span, declaration),
    children: (declaration.members ?? []).flatMap((member) => memberSymbols(text, member)),
  };
}

/** The selection lies inside the range, also where recovery made up a name. */
function inside(
  text: Text,
  span: { readonly start: number; readonly end: number },
  node: { readonly span: typeof span },
) {
  const start = Math.min(Math.max(span.start, node.span.start), node.span.end);
  return text.range({ start, end: Math.min(Math.max(span.end, start), node.span.end) });
}

function memberSymbols(text: Text, member: Member): DocumentSymbol[] {
  const make = (name: string, kind: SymbolKind, span = member.span, detail: string = member.kind): DocumentSymbol[] =>
    name === ""
      ? []
      : [{ name, detail, kind, range: text.range(member.span), selectionRange: inside(text, span, member) }];
  switch (member.kind) {
    case "param":
    case "state":
      return make(member.name.text, SymbolKind.Field, member.name.span, text.slice(member.type.span));
    case "knob":
    case "schedule":
      return make(member.name.text, SymbolKind.Property, member.name.span);
    case "use":
    case "stack":
      return make(member.name.text, SymbolKind.Object, member.name.span, text.slice(member.span).split("\n")[0]);
    case "axis":
      return make(member.name.text, SymbolKind.TypeParameter, member.name.span);
    case "let-member":
      return make(member.name.text, SymbolKind.Constant, member.name.span, "let");
    case "method":
      return make(member.name?.text ?? "body", SymbolKind.Method, member.name?.span ?? member.span);
    case "grad":
      return make(member.name.text, SymbolKind.Function, member.name.span);
    case "weights":
      return make(`weights ${member.format.text}`, SymbolKind.Namespace, member.format.span);
    case "settings":
      return make(member.name.text, SymbolKind.Namespace, member.name.span);
    default:
      return member satisfies never;
  }
}

/** Declarations whose name has the letters of the query in their order. */
export function workspaceSymbols(workspace: Workspace, query: string): WorkspaceSymbol[] {
  return workspace.allFiles().flatMap((file) =>
    (workspace.load(file)?.tree.declarations ?? [])
      .filter((declaration) => matches(nameOf(declaration), query))
      .map((declaration) => ({
        name: nameOf(declaration),
        kind: declaration.kind === "test" ? SymbolKind.Boolean : CONTRACT_KINDS[declaration.contract],
        location: workspace.location({ file, ...declaration.name.span }),
        containerName: declaration.kind === "test" ? "test" : declaration.contract,
      })),
  );
}

function nameOf(declaration: ModuleDecl | Extract<Declaration, { kind: "test" }>): string {
  return declaration.kind === "test" ? declaration.name.value : declaration.name.text;
}

function matches(name: string, query: string): boolean {
  const letters = name.toLowerCase();
  let at = 0;
  for (const letter of query.toLowerCase()) {
    at = letters.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
