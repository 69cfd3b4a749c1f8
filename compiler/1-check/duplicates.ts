/** Names that are declared twice in one place. */
import type { Identifier } from "../../grammar/tree.js";
import type { Walk } from "./context.js";
import type { ModuleInfo } from "./values.js";

/** True when there is one: what it means is anyone's guess, so nothing else is said. */
export function checkDuplicates(walk: Walk, info: ModuleInfo): boolean {
  const errors = walk.reporter.errors;
  const { decl, file } = info;
  const seen = new Map<string, Identifier>();
  const add = (name: Identifier | undefined): void => {
    if (!name || name.text === "") return;
    const before = seen.get(name.text);
    if (!before) {
      seen.set(name.text, name);
      return;
    }
    walk.reporter.report(
      "MOE2005",
      { name: name.text },
      { file, ...name.span },
      {
        labels: [{ span: { file, ...before.span }, text: "declared here before" }],
      },
    );
  };
  for (const axis of decl.axes) add(axis.name);
  for (const param of decl.params) add(param.name);
  for (const member of decl.members ?? []) {
    if ("name" in member && member.kind !== "settings" && member.kind !== "grad") add(member.name);
  }
  const bodies = (decl.members ?? []).filter((member) => member.kind === "method" && !member.name);
  for (const body of bodies.slice(1)) {
    walk.reporter.report(
      "MOE2006",
      { name: decl.name.text },
      { file, start: body.span.start, end: body.span.start + 1 },
      {
        labels: [
          { span: { file, start: bodies[0]!.span.start, end: bodies[0]!.span.start + 1 }, text: "the first body" },
        ],
      },
    );
  }
  return walk.reporter.errors > errors;
}
