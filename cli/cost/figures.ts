/** Numbers of a cost, each with what it is and how it is written. */
export interface Figure {
  readonly title: string;
  readonly value: number;
  readonly text: (value: number) => string;
  /** What it is when the titles of two models differ (`weights` for `weights in f16`). */
  readonly shared?: string;
}

/** A row of a table. */
export function rowOf({ title, value, text }: Figure): readonly string[] {
  return [title, text(value)];
}
