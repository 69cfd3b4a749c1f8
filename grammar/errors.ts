/**
 * The syntax errors: one place through which the grammar builds its diagnostics, from the generated table of messages.
 */
import type { Diagnostic, Fix, Label, SourceSpan } from "../compiler/errors/diagnostic.js";
import { makeDiagnostic, type Slot } from "../compiler/errors/construct.js";
import { messages } from "../compiler/errors/errors.generated.js";

/** The codes of this stage. */
export type SyntaxCode = Extract<keyof typeof messages, `MOE1${string}`>;

/** What may go with a message. */
export interface SyntaxExtras {
  readonly labels?: readonly Label[];
  readonly help?: string;
  readonly fixes?: readonly Fix[];
}

/** Builds the diagnostic of `code` at `span`. */
export function syntaxError(
  code: SyntaxCode,
  slots: Readonly<Record<string, Slot>>,
  span: SourceSpan,
  extras: SyntaxExtras = {},
): Diagnostic {
  return makeDiagnostic(code, messages[code], slots, span, extras);
}

/** A fix with one edit. */
export function replace(title: string, span: SourceSpan, text: string): readonly Fix[] {
  return [{ title, edits: [{ span, text }] }];
}
