/** A program that cannot be built, with everything that is wrong. */
import { makeDiagnostic, type Message, type Slot } from "../../errors/construct.js";
import type { Diagnostic, SourceSpan } from "../../errors/diagnostic.js";
import { messages } from "../../errors/errors.generated.js";
import { MoecError } from "../../errors/moec-error.js";

export class ProgramRefused extends MoecError {
  /** @param diagnostics At least one, in source order. */
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    const [first] = diagnostics;
    super(
      first?.code ?? "MOE2196",
      first?.message ?? "the program can't be built",
      first && { file: first.span.file, offset: first.span.start },
    );
  }

  static coded(code: string, slots: Readonly<Record<string, Slot>>, span: SourceSpan): ProgramRefused {
    const message = (messages as Readonly<Record<string, Message>>)[code] ?? {
      severity: "error",
      title: code,
      message: code,
    };
    return new ProgramRefused([makeDiagnostic(code, message, slots, span, {})]);
  }
}
