/** Types of places, as the checker left them. */
import type { SourceSpan } from "../../../compiler/errors/diagnostic.js";
import type { Info, TypeInfo } from "../../../compiler/1-check/info.js";
import type { Span } from "../../../grammar/tree.js";
import type { Workspace } from "../workspace.js";

/** The first type recorded for each place: that of the declaration itself, before any other call of the same text. */
const tables = new WeakMap<Info, ReadonlyMap<string, TypeInfo>>();

function tableOf(info: Info): ReadonlyMap<string, TypeInfo> {
  const known = tables.get(info);
  if (known) return known;
  const made = new Map<string, TypeInfo>();
  for (const type of info.types) {
    const key = `${type.span.start} ${type.span.end}`;
    if (!made.has(key)) made.set(key, type);
  }
  tables.set(info, made);
  return made;
}

/** What is known of the declarations around a place. */
function around(workspace: Workspace, file: string, span: Span): readonly Info[] {
  return workspace.project(file).info(file)?.around(span) ?? [];
}

/** The type of the expression that covers exactly this place. */
export function typeAt(workspace: Workspace, file: string, span: Span | SourceSpan): string | undefined {
  const key = `${span.start} ${span.end}`;
  for (const info of around(workspace, file, span)) {
    const found = tableOf(info).get(key);
    if (!found) continue;
    const text = found.type();
    return text === "something unknown" ? undefined : text;
  }
  return undefined;
}

/** The smallest expression around an offset that has a type. */
export function typedAround(workspace: Workspace, file: string, offset: number): TypeInfo | undefined {
  const types = around(workspace, file, { start: offset, end: offset }).flatMap((info) => info.types);
  let best: TypeInfo | undefined;
  for (const type of types) {
    if (type.span.start > offset || offset > type.span.end) continue;
    if (!best || type.span.end - type.span.start < best.span.end - best.span.start) best = type;
  }
  return best;
}
