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

  /**
   * @param file Only places in this file are kept.
   * @param part Only places inside of it, when given: a body that is called from elsewhere has other types there.
   */
  constructor(
    readonly file: string,
    private readonly part?: SourceSpan,
  ) {}

  type(span: SourceSpan, type: () => string): void {
    if (this.keeps(span)) this.types.push({ span, type });
  }

  definition(span: SourceSpan, definition: SourceSpan, doc?: string): void {
    if (this.keeps(span)) this.definitions.push({ span, definition, ...(doc === undefined ? {} : { doc }) });
  }

  /** Takes over what was collected for a part. */
  adopt(part: InfoSink): void {
    for (const type of part.types) this.types.push(type);
    for (const definition of part.definitions) this.definitions.push(definition);
  }

  private keeps(span: SourceSpan): boolean {
    return span.file === this.file && (!this.part || (this.part.start <= span.start && span.end <= this.part.end));
  }
}
