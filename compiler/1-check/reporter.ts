/**
 * Collects diagnostics of one declaration. An error in the body of another module, found while that body is walked for
 * the sizes of a call, is said at the call and points into the body.
 */
import { messages } from "../errors/errors.generated.js";
import { makeDiagnostic, type DiagnosticParts, type Message, type Slot } from "../errors/construct.js";
import type { Diagnostic, SourceSpan } from "../errors/diagnostic.js";

export interface Finding {
  readonly diagnostic: Diagnostic;
  /** Where it was found, when that is in another declaration than the one under check. */
  readonly inner?: SourceSpan;
}

function contains(outer: SourceSpan, inner: SourceSpan): boolean {
  return outer.file === inner.file && outer.start <= inner.start && inner.end <= outer.end;
}

export class Reporter {
  readonly findings: Finding[] = [];
  private readonly places: SourceSpan[] = [];
  private readonly seen = new Set<string>();
  private muted = 0;
  private errorCount = 0;

  /** @param root The declaration under check. */
  constructor(private readonly root: SourceSpan) {}

  /** True for a place in the declaration under check itself. */
  isRoot(span: SourceSpan): boolean {
    return contains(this.root, span);
  }

  /** The place in the declaration under check from which `span` was reached. */
  visible(span: SourceSpan): SourceSpan {
    if (this.isRoot(span)) return span;
    return this.places.findLast((place) => this.isRoot(place)) ?? span;
  }

  get errors(): number {
    return this.errorCount;
  }

  report(code: string, slots: Readonly<Record<string, Slot>>, span: SourceSpan, parts: DiagnosticParts = {}): void {
    this.errorCount++;
    if (this.muted > 0) return;
    const message = (messages as Readonly<Record<string, Message>>)[code] ?? {
      severity: "error",
      title: code,
      message: `${code} ${JSON.stringify(slots)}`,
    };
    let diagnostic = makeDiagnostic(code, message, slots, span, parts);
    let inner: SourceSpan | undefined;
    if (!contains(this.root, span)) {
      const place = this.places.findLast((candidate) => contains(this.root, candidate));
      if (place) {
        inner = span;
        const labels = [{ span, text: "this is where it does not fit" }, ...diagnostic.labels];
        diagnostic = { ...diagnostic, span: place, labels, fixes: [] };
      }
    }
    // One error for each place and code: the walk may pass the same body more than once.
    const key = `${code} ${diagnostic.span.file} ${diagnostic.span.start} ${diagnostic.span.end} ${inner ? "inner" : diagnostic.message}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.findings.push(inner ? { diagnostic, inner } : { diagnostic });
  }

  /** Runs `body` as part of the call at `span`. */
  within<R>(span: SourceSpan, body: () => R): R {
    this.places.push(span);
    try {
      return body();
    } finally {
      this.places.pop();
    }
  }

  /** Runs `body` without saying anything; true when it had errors. */
  tries(body: () => void): boolean {
    const before = this.errorCount;
    this.muted++;
    try {
      body();
      return this.errorCount > before;
    } finally {
      this.muted--;
      this.errorCount = before;
    }
  }
}
