/**
 * `moec check --fix`: makes the changes that the diagnostics offer, until none is left. Each fix was tried by the checker
 * before it was offered, but two fixes may touch the same place or take each other's reason away, so a round applies
 * only fixes that do not overlap and the next round checks anew.
 */
import type { Diagnostic, Fix, TextEdit } from "../../compiler/errors/diagnostic.js";

/** More rounds than a mistake behind a mistake ever needed; a fix that brings back another ends here. */
const MAX_ROUNDS = 20;

export interface FixedFiles {
  /** New texts by file name; files that nothing changed are not in it. */
  readonly texts: ReadonlyMap<string, string>;
  /** The titles of the fixes that were made, with the place where each was made. */
  readonly made: readonly { readonly file: string; readonly code: string; readonly title: string }[];
}

/**
 * Fixes what can be fixed.
 *
 * @param diagnose the diagnostics of the texts as they are now: `texts` replaces what is on the disk
 * @param read the text of a file on the disk
 * @param allowed whether a file may be changed: a library file may not
 */
export function fixFiles(
  diagnose: (texts: ReadonlyMap<string, string>) => readonly Diagnostic[],
  read: (file: string) => string | undefined,
  allowed: (file: string) => boolean,
): FixedFiles {
  const texts = new Map<string, string>();
  const made: { file: string; code: string; title: string }[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const chosen = chooseFixes(diagnose(texts), allowed);
    if (chosen.length === 0) break;
    for (const { diagnostic, fix } of chosen) {
      made.push({ file: diagnostic.span.file, code: diagnostic.code, title: fix.title });
    }
    const edits = chosen.flatMap(({ fix }) => fix.edits);
    for (const file of new Set(edits.map(({ span }) => span.file))) {
      const text = texts.get(file) ?? read(file);
      if (text === undefined) continue;
      texts.set(
        file,
        applyEdits(
          text,
          edits.filter(({ span }) => span.file === file),
        ),
      );
    }
  }
  return { texts, made };
}

/** The first fix of each diagnostic, without those that overlap one taken before. */
function chooseFixes(
  diagnostics: readonly Diagnostic[],
  allowed: (file: string) => boolean,
): readonly { readonly diagnostic: Diagnostic; readonly fix: Fix }[] {
  const taken: TextEdit[] = [];
  const chosen: { diagnostic: Diagnostic; fix: Fix }[] = [];
  for (const diagnostic of diagnostics) {
    const fix = diagnostic.fixes[0];
    // Two fixes of one diagnostic are a choice that a person has to make.
    if (!fix || diagnostic.fixes.length > 1) continue;
    if (!fix.edits.every(({ span }) => allowed(span.file))) continue;
    if (fix.edits.some((edit) => taken.some((other) => overlaps(edit, other)))) continue;
    taken.push(...fix.edits);
    chosen.push({ diagnostic, fix });
  }
  return chosen;
}

function overlaps({ span: a }: TextEdit, { span: b }: TextEdit): boolean {
  // Insertions at one place overlap too: their order would be a guess.
  return a.file === b.file && a.start <= b.end && b.start <= a.end;
}

function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const ordered = [...edits].sort((a, b) => b.span.start - a.span.start);
  return ordered.reduce((now, { span, text: put }) => now.slice(0, span.start) + put + now.slice(span.end), text);
}
