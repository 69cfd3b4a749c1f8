/** Unknown names that the library has: which import brings them in. */
import { outline } from "../../grammar/outline.js";
import type { ImportDecl } from "../../grammar/tree.js";
import type { Diagnostic, Fix } from "../errors/diagnostic.js";
import type { SourceHost } from "./project.js";

interface Source {
  readonly file: string;
  readonly text: string;
  readonly tree: { readonly imports: readonly ImportDecl[] };
}

/** `there is no X here`, with the import that makes it known where the library has an X. */
export function offerImports(
  diagnostics: readonly Diagnostic[],
  source: Source,
  host: SourceHost,
): readonly Diagnostic[] {
  const unknown = diagnostics.filter(({ code, span }) => code === "MOE2001" && span.file === source.file);
  if (unknown.length === 0) return diagnostics;
  const text = host.read(host.resolve(source.file, "std"));
  if (text === undefined) return diagnostics;
  const { imports, names } = outline(text);
  const exported = new Set([
    ...names,
    ...imports.flatMap((each) => each.names.map(({ alias, name }) => (alias ?? name).text)),
  ]);
  const offered = new Map<Diagnostic, Diagnostic>();
  for (const diagnostic of unknown) {
    const name = source.text.slice(diagnostic.span.start, diagnostic.span.end);
    const help = `the library has it: \`import { ${name} } from "std"\``;
    // A result that was recalled has been through here.
    if (!exported.has(name) || diagnostic.help === help) continue;
    offered.set(diagnostic, { ...diagnostic, help, fixes: [importOf(name, source)] });
  }
  if (offered.size === 0) return diagnostics;
  return diagnostics.map((diagnostic) => offered.get(diagnostic) ?? diagnostic);
}

/** Adds to the import of the library that is there, fills an empty one, or writes one in front of the file's first line. */
function importOf(name: string, { file, text, tree: { imports } }: Source): Fix {
  const title = `import \`${name}\``;
  const written = `import { ${name} } from "std"`;
  const library = imports.filter(({ from }) => from.value === "std");
  const last = library.find(({ names }) => names.length > 0)?.names.at(-1);
  if (last) return { title, edits: [{ span: { file, start: last.span.end, end: last.span.end }, text: `, ${name}` }] };
  const [empty] = library;
  if (empty) return { title, edits: [{ span: { file, ...empty.span }, text: written }] };
  // A byte order mark stays the first character.
  const start = text.startsWith("\uFEFF") ? 1 : 0;
  return {
    title,
    edits: [{ span: { file, start, end: start }, text: `${written}\n${imports.length > 0 ? "" : "\n"}` }],
  };
}
