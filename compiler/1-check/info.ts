/** What the editor asks about a place: the type of an expression and where a name was declared. */
import type { SourceSpan } from "../errors/diagnostic.js";

export interface TypeInfo {
  readonly span: SourceSpan;
  /** Rendered when asked. */
  readonly type: () => string;
}
export interface DefinitionInfo {
  readonly span: SourceSpan;
  readonly definition: SourceSpan;
  readonly doc?: string;
}

export class InfoSink {
  readonly types: TypeInfo[] = [];
  readonly definitions: DefinitionInfo[] = [];

  /** @param file Only places in this file are kept. */
  constructor(readonly file: string) {}

  type(span: SourceSpan, type: () => string): void {
    if (span.file === this.file) this.types.push({ span, type });
  }

  definition(span: SourceSpan, definition: SourceSpan, doc?: string): void {
    if (span.file === this.file) this.definitions.push({ span, definition, ...(doc === undefined ? {} : { doc }) });
  }
}
