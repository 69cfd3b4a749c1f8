/** Edits of a file in units of its tokens: dropped, doubled, swapped, replaced by others, moved. */
import fc from "fast-check";

/** Words, strings, marks and the space between them; joined they are the text again. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\/\/[^\n]*|\w+|"[^"\n]*"|=>|->|\.\.|\*\*|[<>=!]=|\s+|[^\s\w]/g) ?? [];
}

export interface TokenEdit {
  readonly kind: "drop" | "insert" | "replace" | "swap" | "copy";
  readonly at: number;
  readonly other: number;
  readonly length: number;
}

export const tokenEdit: fc.Arbitrary<TokenEdit> = fc.record({
  kind: fc.constantFrom("drop", "insert", "replace", "swap", "copy"),
  at: fc.nat(),
  other: fc.nat(),
  length: fc.integer({ min: 1, max: 40 }),
});

/** The text after the edits; `pool` is where new tokens come from. */
export function applyTokenEdits(text: string, edits: readonly TokenEdit[], pool: readonly string[]): string {
  const tokens = [...tokensOf(text)];
  for (const { kind, at, other, length } of edits) {
    if (tokens.length === 0) break;
    const place = at % tokens.length;
    const second = other % tokens.length;
    const fresh = pool[other % pool.length]!;
    switch (kind) {
      case "drop":
        tokens.splice(place, 1);
        break;
      case "insert":
        tokens.splice(place, 0, fresh);
        break;
      case "replace":
        tokens[place] = fresh;
        break;
      case "swap":
        [tokens[place], tokens[second]] = [tokens[second]!, tokens[place]!];
        break;
      case "copy":
        tokens.splice(place, 0, ...tokens.slice(second, second + length));
        break;
      default:
        kind satisfies never;
    }
  }
  return tokens.join("");
}
