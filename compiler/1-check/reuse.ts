/**
 * What a file's earlier check can give to a later one. A declaration whose text, whose imports and whose other
 * declarations of the file that it reaches are the same has the same findings, only that its place may have moved.
 */
import type { Declaration } from "../../grammar/tree.js";
import type { Diagnostic, SourceSpan } from "../errors/diagnostic.js";
import { LazyInfo, type Info } from "./info.js";
import { isSyntax, textKey, type LoadedFile } from "./project.js";
import type { Finding } from "./reporter.js";

/** The outcome of one declaration. */
export interface DeclarationResult {
  /** Of all that the check read; worked out when a later check asks. */
  readonly key: () => string;
  readonly findings: readonly Finding[];
  readonly info: LazyInfo;
}

export type DeclarationResults = ReadonlyMap<string, DeclarationResult>;

/** Names a declaration within its file. */
export function declarationName(declaration: Declaration): string {
  return declaration.kind === "test" ? `test ${declaration.name.value}` : declaration.name.text;
}

/** The keys of a file's declarations, made when one is asked for; what they are made of is let go then. */
export class DeclarationKeys {
  private keys: ReadonlyMap<string, string> | undefined;

  constructor(private make: (() => ReadonlyMap<string, string>) | undefined) {}

  /** @param name As `declarationName` gives it. */
  of(name: string): () => string {
    return () => {
      this.keys ??= this.make!();
      this.make = undefined;
      return this.keys.get(name)!;
    };
  }
}

/** A key per declaration, by its name: all that its check reads. */
export function declarationKeys(file: LoadedFile, keyOf: (imported: string) => string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const declaration of file.tree.declarations) {
    const { start, end } = declaration.span;
    texts.set(declarationName(declaration), file.text.slice(start, end));
  }
  const imports = file.tree.imports.map(({ span }) => `${span.start} ${file.text.slice(span.start, span.end)}`);
  const outside = [...imports, ...file.imports.map(keyOf)].join("\n");
  // How a declaration that cannot be read is mended may depend on what stands around it.
  const places = file.diagnostics.filter(isSyntax).map(({ span }) => span.start);
  const broken = new Set(
    file.tree.declarations
      .filter(({ span }) => places.some((place) => span.start <= place && place <= span.end))
      .map(declarationName),
  );
  const whole = broken.size > 0 ? textKey(file.text) : "";
  const words = new Map([...texts].map(([name, text]) => [name, wordsOf(text, texts)] as const));
  return new Map(
    [...texts.keys()].map((declared) => {
      const reached = reach(declared, words);
      const parts = [...reached].sort().map((name) => texts.get(name)!);
      if ([...reached].some((name) => broken.has(name))) parts.push(whole);
      return [declared, [outside, ...parts].join("\u0000")] as const;
    }),
  );
}

/** The other declarations of the file that a text names; words in comments count too, which does no harm. */
function wordsOf(text: string, known: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set(text.match(/[A-Za-z_]\w*/g) ?? [])].filter((word) => known.has(word));
}

function reach(start: string, words: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set([start]);
  // The set grows while it is walked.
  for (const name of reached) for (const next of words.get(name) ?? []) reached.add(next);
  return reached;
}

/** A declaration of the earlier text, and how far it has moved. */
interface MovedPart {
  readonly start: number;
  readonly end: number;
  readonly by: number;
}

/** Moves places of an earlier text to where they are now. */
export class Moved {
  private readonly parts: readonly MovedPart[];
  private last: MovedPart | undefined;
  readonly nothing: boolean;

  constructor(
    private readonly file: string,
    before: readonly Declaration[],
    after: readonly Declaration[],
  ) {
    const now = new Map(after.map((declaration) => [declarationName(declaration), declaration.span.start] as const));
    this.parts = before.map((declaration) => {
      const { start, end } = declaration.span;
      return { start, end, by: (now.get(declarationName(declaration)) ?? start) - start };
    });
    this.nothing = this.parts.every(({ by }) => by === 0);
  }

  span(span: SourceSpan): SourceSpan {
    if (span.file !== this.file) return span;
    const by = this.partOf(span)?.by ?? 0;
    return by === 0 ? span : { file: span.file, start: span.start + by, end: span.end + by };
  }

  private partOf(span: SourceSpan): MovedPart | undefined {
    const holds = ({ start, end }: MovedPart): boolean => start <= span.start && span.end <= end;
    // Most places lie in the declaration of the one before.
    if (this.last && holds(this.last)) return this.last;
    const found = this.parts.find(holds);
    if (found) this.last = found;
    return found;
  }

  /** @param collect What is known of the declaration's places, collected anew: where nobody had asked before. */
  result(result: DeclarationResult, collect: () => Info): DeclarationResult {
    if (this.nothing) return result;
    const { collected } = result.info;
    const findings = result.findings.map(({ diagnostic, inner }) => ({
      diagnostic: this.diagnostic(diagnostic),
      ...(inner ? { inner: this.span(inner) } : {}),
    }));
    return { key: result.key, findings, info: new LazyInfo(collected ? () => this.info(collected) : collect) };
  }

  private info({ types, definitions }: Info): Info {
    return {
      types: types.map(({ span, type }) => ({ span: this.span(span), type })),
      definitions: definitions.map(({ span, definition, doc }) => ({
        span: this.span(span),
        definition: this.span(definition),
        ...(doc === undefined ? {} : { doc }),
      })),
    };
  }

  private diagnostic(diagnostic: Diagnostic): Diagnostic {
    return {
      ...diagnostic,
      span: this.span(diagnostic.span),
      labels: diagnostic.labels.map((label) => ({ ...label, span: this.span(label.span) })),
      fixes: diagnostic.fixes.map((fix) => ({
        ...fix,
        edits: fix.edits.map((edit) => ({ ...edit, span: this.span(edit.span) })),
      })),
    };
  }
}
