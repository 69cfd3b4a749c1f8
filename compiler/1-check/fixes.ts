/** Fixes are tried before they are offered: after the edit the error is gone and no other has come. */
import type { Diagnostic, Fix } from "../errors/diagnostic.js";
import { check, type CheckedProject } from "./check.js";
import { isSyntax, type SourceHost } from "./project.js";

/** Trials per check: a file full of errors is not worth more. */
const TRIALS = 12;

export function keepHelpfulFixes(project: CheckedProject, host: SourceHost): CheckedProject {
  let left = TRIALS;
  const tried = new Map<Diagnostic, Diagnostic>();
  for (const diagnostic of project.diagnostics) {
    if (diagnostic.fixes.length === 0 || isSyntax(diagnostic)) continue;
    const fixes: Fix[] = [];
    for (const fix of diagnostic.fixes) {
      if (left-- <= 0) break;
      if (helps(project, host, diagnostic, fix)) {
        fixes.push(fix);
        break;
      }
    }
    const said = fixes[0] && diagnostic.help === undefined ? { help: `did you mean to ${fixes[0].title}?` } : {};
    tried.set(diagnostic, { ...diagnostic, ...said, fixes });
  }
  if (tried.size === 0) return project;
  const replace = (diagnostic: Diagnostic): Diagnostic => tried.get(diagnostic) ?? diagnostic;
  const files = new Map(
    [...project.files].map(([name, file]) => [name, file.checked ? { ...file, all: file.all.map(replace) } : file]),
  );
  return { ...project, files, diagnostics: project.diagnostics.map(replace), info: (file) => files.get(file)?.info };
}

function helps(project: CheckedProject, host: SourceHost, diagnostic: Diagnostic, fix: Fix): boolean {
  const { file } = diagnostic.span;
  if (fix.edits.some((edit) => edit.span.file !== file)) return false;
  let text = project.files.get(file)?.text;
  if (text === undefined) return false;
  for (const edit of [...fix.edits].sort((a, b) => b.span.start - a.span.start)) {
    text = text.slice(0, edit.span.start) + edit.text + text.slice(edit.span.end);
  }
  const edited = text;
  const trial: SourceHost = {
    read: (name) => (name === file ? edited : (project.files.get(name)?.text ?? host.read(name))),
    resolve: (from, specifier) => host.resolve(from, specifier),
  };
  const after = check(project.root, trial, { previous: project, keepAllFixes: true });
  const count = (list: readonly Diagnostic[], key: string): number => list.filter((item) => keyOf(item) === key).length;
  const own = keyOf(diagnostic);
  if (count(after.diagnostics, own) >= count(project.diagnostics, own)) return false;
  return after.diagnostics.every(
    (item) => count(after.diagnostics, keyOf(item)) <= count(project.diagnostics, keyOf(item)),
  );
}

/** Places move with the edit, so errors are told apart by what they say. */
function keyOf(diagnostic: Diagnostic): string {
  return `${diagnostic.code} ${diagnostic.span.file} ${diagnostic.message}`;
}
