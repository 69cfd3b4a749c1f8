/**
 * What is known about each error code: the data behind `moec explain`, the hover of a squiggle and the reference page.
 * Plain data without any host, so it works offline and in a browser.
 */
import { catalog } from "./catalog.generated.js";
import type { Severity } from "./diagnostic.js";
import { closest } from "./closest.js";

/** A file of an example. The first one of a list is the file that is compiled; `file` names the ones it imports. */
export interface CatalogExample {
  /** `moe` examples are compiled by the tests. */
  readonly language: string;
  readonly text: string;
  readonly file?: string;
}

export interface CatalogEntry {
  readonly code: string;
  /** Name of the constructor in `errors`. */
  readonly name: string;
  readonly title: string;
  readonly severity: Severity;
  /** The sentence with its `{slots}`. */
  readonly message: string;
  readonly slots: readonly string[];
  /** Markdown paragraphs. */
  readonly why: string;
  /** What the quick fix does, where there is one. */
  readonly fix?: string;
  readonly wrong: readonly CatalogExample[];
  readonly fixed: readonly CatalogExample[];
}

/** Either what a code means, or the codes that were perhaps meant. */
export type Explanation =
  | { readonly kind: "found"; readonly entry: CatalogEntry }
  | { readonly kind: "unknown"; readonly code: string; readonly suggestions: readonly CatalogEntry[] };

/**
 * Finds a code however it is typed: `MOE2041`, `moe2041`, `2041`, or the name of its constructor or file.
 *
 * @example explain("2041")
 */
export function explain(code: string): Explanation {
  const wanted = code.trim();
  const upper = wanted.toUpperCase();
  const entries = Object.values(catalog);
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const found = entries.find(
    (entry) =>
      entry.code === upper ||
      entry.code === `MOE${upper}` ||
      plain(entry.name) === plain(wanted) ||
      plain(entry.code + entry.name) === plain(wanted),
  );
  if (found) return { kind: "found", entry: found };
  const number = /^(?:MOE)?(\d+)$/.exec(upper)?.[1];
  const names =
    number === undefined
      ? closest(
          wanted,
          entries.map((entry) => entry.name),
          3,
        )
      : closest(
          `MOE${number}`,
          entries.map((entry) => entry.code),
          3,
        );
  const suggestions = names.flatMap((name) => entries.filter((entry) => entry.name === name || entry.code === name));
  return { kind: "unknown", code: wanted, suggestions };
}

/** The explanation as Markdown, for a terminal, a hover or a page. */
export function explanationText(entry: CatalogEntry): string {
  const blocks = (title: string, examples: readonly CatalogExample[]): string =>
    examples
      .map(
        ({ language, text, file }, index) =>
          `${index === 0 ? `${title}:` : `\`${file}\`:`}\n\n\`\`\`${language}\n${text}\`\`\`\n`,
      )
      .join("\n");
  const fix = entry.fix === undefined ? "" : `\nQuick fix: ${entry.fix}\n`;
  const warning = entry.severity === "warning" ? "This is a warning.\n\n" : "";
  return (
    `# ${entry.code}: ${entry.title}\n\n> ${entry.message}\n\n${warning}${entry.why}\n\n` +
    `${blocks("Wrong", entry.wrong)}\n${blocks("Fixed", entry.fixed)}${fix}`
  );
}
