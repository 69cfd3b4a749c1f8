/** The names that a declaration gives beside its axes. */
import type { ModuleDecl } from "../../grammar/tree.js";

const known = new WeakMap<ModuleDecl, ReadonlySet<string>>();

/** Names of the parameters and members of a declaration: where one of them is that of an axis as well, it hides the axis. */
export function declaredNames(decl: ModuleDecl): ReadonlySet<string> {
  let names = known.get(decl);
  if (!names) known.set(decl, (names = new Set(namesIn(decl))));
  return names;
}

function* namesIn({ params, members = [] }: ModuleDecl): Iterable<string> {
  for (const { name } of params) yield name.text;
  for (const member of members) if ("name" in member && member.name) yield member.name.text;
}
