/**
 * How the generated constructors build a diagnostic: the sentence of the code with its slots filled in, and the parts
 * that only the place of the error knows.
 */
import type { Diagnostic, Fix, Label, Severity, SourceSpan } from "./diagnostic.js";

/** What may fill a slot. Anything with a good `toString` (a `Size`, a type) is passed as text. */
export type Slot = string | number;

/** The row of one code in `errors.generated.ts`. */
export interface Message {
  readonly severity: Severity;
  readonly title: string;
  /** One sentence with `{slots}`. */
  readonly message: string;
}

/** Everything of a diagnostic that is not the same at each place. */
export interface DiagnosticParts {
  readonly note?: string | undefined;
  readonly labels?: readonly Label[] | undefined;
  readonly help?: string | undefined;
  readonly fixes?: readonly Fix[] | undefined;
}

/**
 * Puts the values into the braces. Braces that name no slot stay as they are.
 *
 * @example fillSlots("axis {axis} has {size}", { axis: "D", size: 4 }) === "axis D has 4"
 */
export function fillSlots(template: string, slots: Readonly<Record<string, Slot>>): string {
  return template.replace(/\{([a-z][A-Za-z0-9]*)\}/g, (whole, name: string) =>
    Object.hasOwn(slots, name) ? String(slots[name]) : whole,
  );
}

/** A diagnostic of `code`; used by the generated constructors. */
export function makeDiagnostic(
  code: string,
  message: Message,
  slots: Readonly<Record<string, Slot>>,
  span: SourceSpan,
  parts: DiagnosticParts,
): Diagnostic {
  return {
    code,
    severity: message.severity,
    message: fillSlots(message.message, slots),
    span,
    ...(parts.note === undefined ? {} : { note: parts.note }),
    labels: parts.labels ?? [],
    ...(parts.help === undefined ? {} : { help: parts.help }),
    fixes: parts.fixes ?? [],
  };
}
