/**
 * Every syntax error, as one table: the templates are those of `compiler/errors/MOE1xxx-*.md`, and a test compares the two.
 */
import type { Diagnostic, Fix, Label, SourceSpan } from "../compiler/errors/diagnostic.js";

/** Message templates by code; `{slots}` are filled by the parser. */
export const SYNTAX_ERRORS = {
  MOE1001: "expected {expected}, found {found}",
  MOE1002: "`{word}` opens no {what}; did you mean `{suggestion}`?",
  MOE1003: "expected {what}, found {found}",
  MOE1004: "`{bracket}` is never closed",
  MOE1005: "this string is never closed",
  MOE1006: "this comment is never closed",
  MOE1007: "`{text}` is no character of the language",
  MOE1008: "`{text}` is no number",
  MOE1009: "`{text}` is no escape",
  MOE1010: "this is nested more than {limit} levels deep",
  MOE1011: "`{operator}` does not chain",
  MOE1012: "write `{right}` instead of `{wrong}`",
  MOE1013: "`{word}` is a reserved word and cannot be a name",
  MOE1014: "a second statement on one line needs a `;` before it",
  MOE1015: "`{bracket}` closes nothing",
} as const satisfies Record<string, string>;

export type SyntaxCode = keyof typeof SYNTAX_ERRORS;

/** What may go with a message. */
export interface SyntaxExtras {
  readonly note?: string;
  readonly labels?: readonly Label[];
  readonly help?: string;
  readonly fixes?: readonly Fix[];
}

/** Builds one diagnostic: the only place where the grammar does, so that generated constructors can take over here. */
export function syntaxError(
  code: SyntaxCode,
  slots: Readonly<Record<string, string | number>>,
  span: SourceSpan,
  extras: SyntaxExtras = {},
): Diagnostic {
  const message = SYNTAX_ERRORS[code].replace(/\{(\w+)\}/g, (whole, slot: string) => String(slots[slot] ?? whole));
  return { code, severity: "error", message, span, labels: [], fixes: [], ...extras };
}

/** A fix with one edit. */
export function replace(title: string, span: SourceSpan, text: string): readonly Fix[] {
  return [{ title, edits: [{ span, text }] }];
}
