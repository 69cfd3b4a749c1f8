/**
 * One record for everything moec has to say: the command line renders it as text, the editor shows it, `--json` prints
 * it as it is. Spans are offsets into the text of `file`; a host turns them into lines and columns.
 */

/** Half-open range of UTF-16 offsets in the text of one file. */
export interface SourceSpan {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** A second place that explains the first: where the other size came from, where the name was declared before. */
export interface Label {
  readonly span: SourceSpan;
  readonly text: string;
}

/** Replace `span` by `text`. Edits of one fix do not overlap. */
export interface TextEdit {
  readonly span: SourceSpan;
  readonly text: string;
}

/** A change that was checked: after the edits this diagnostic is gone and no new one has come. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

export type Severity = "error" | "warning";

export interface Diagnostic {
  /** `MOE` and four digits: 1xxx syntax, 2xxx names, types and shapes, 3xxx plan, 4xxx target, 5xxx runtime and files. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** The smallest wrong thing. */
  readonly span: SourceSpan;
  /** Said beside the underline, such as the type found there. */
  readonly note?: string;
  readonly labels: readonly Label[];
  readonly help?: string;
  readonly fixes: readonly Fix[];
}
