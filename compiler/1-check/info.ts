/** What the editor asks about a place: the type of an expression and where a name was declared. */
import type { Span } from "../../grammar/tree.js";
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

/** What is known of the places of a file. */
export interface Info {
  readonly types: readonly TypeInfo[];
  readonly definitions: readonly DefinitionInfo[];
}

/** Collects while a declaration is walked. */
export class InfoSink implements Info {
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

/** Collected when somebody asks: a check that only wants to know what is wrong does not pay for it. */
export class LazyInfo implements Info {
  private made: Info | undefined;

  constructor(private readonly make: () => Info) {}

  /** What was collected, if somebody has asked. */
  get collected(): Info | undefined {
    return this.made;
  }

  get types(): readonly TypeInfo[] {
    return this.all.types;
  }

  get definitions(): readonly DefinitionInfo[] {
    return this.all.definitions;
  }

  private get all(): Info {
    return (this.made ??= this.make());
  }
}

/** What is known of one declaration of a file. */
export interface InfoPart {
  readonly span: Span;
  readonly info: Info;
}

/** What is known of a file, declaration by declaration: a question about a place is one about the declaration there. */
export class FileInfo implements Info {
  constructor(private readonly parts: readonly InfoPart[]) {}

  get types(): readonly TypeInfo[] {
    return this.parts.flatMap(({ info }) => info.types);
  }

  get definitions(): readonly DefinitionInfo[] {
    return this.parts.flatMap(({ info }) => info.definitions);
  }

  /** The declarations that a place lies in or touches. */
  around({ start, end }: Span): readonly Info[] {
    return this.parts.filter(({ span }) => span.start <= end && start <= span.end).map(({ info }) => info);
  }
}
