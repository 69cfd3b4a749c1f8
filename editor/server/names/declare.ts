/** The names that declarations and their members bring, before anything is looked up. */
import type { Identifier, Member, ModuleDecl, Span } from "../../../grammar/tree.js";
import type { NameSymbol, SymbolKind } from "./symbols.js";

export type MakeSymbol = (
  name: Identifier,
  kind: SymbolKind,
  whole: { readonly span: Span },
  more?: Partial<Pick<NameSymbol, "doc" | "container" | "decl" | "value" | "type" | "target" | "implicit">>,
) => NameSymbol;

export function symbolMaker(file: string): MakeSymbol {
  return (name, kind, whole, more = {}) => ({
    id: `${file}:${name.span.start}`,
    name: name.text,
    kind,
    span: { file, ...name.span },
    whole: { file, ...whole.span },
    ...more,
  });
}

/** Axes, parameters and members of a declaration by name; the first of several with one name counts. */
export function membersOf(decl: ModuleDecl, make: MakeSymbol): Map<string, NameSymbol> {
  const found = new Map<string, NameSymbol>();
  const container = decl.name.text;
  const add = (symbol: NameSymbol | undefined): void => {
    if (symbol && symbol.name !== "" && !found.has(symbol.name)) found.set(symbol.name, symbol);
  };
  for (const axis of decl.axes) add(make(axis.name, "axis", axis, { container }));
  for (const param of decl.params) {
    add(make(param.name, param.knob ? "knob" : "parameter", param, { container, ...typed(param.type) }));
  }
  for (const member of decl.members ?? []) add(memberSymbol(member, container, make));
  return found;
}

function typed(type: NameSymbol["type"]): { readonly type?: NonNullable<NameSymbol["type"]> } {
  return type ? { type } : {};
}

function memberSymbol(member: Member, container: string, make: MakeSymbol): NameSymbol | undefined {
  const more = { container, ...(member.doc === undefined ? {} : { doc: member.doc }) };
  switch (member.kind) {
    case "param":
    case "state":
      return make(member.name, member.kind, member, { ...more, type: member.type });
    case "knob":
      return make(member.name, "knob", member, { ...more, ...typed(member.type) });
    case "use":
      return make(member.name, "use", member, { ...more, value: member.value });
    case "stack":
      return make(member.name, "stack", member, { ...more, value: member.body });
    case "schedule":
      return make(member.name, "schedule", member, more);
    case "axis":
      return make(member.name, "axis", member, more);
    case "let-member":
      return make(member.name, "let", member, { ...more, value: member.value });
    case "method":
      return member.name && make(member.name, "method", member, more);
    case "grad":
    case "weights":
    case "settings":
      return undefined;
    default:
      return member satisfies never;
  }
}
