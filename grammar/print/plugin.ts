/**
 * The printer as a prettier plugin, and `format` for hosts that have no prettier set-up of their own.
 */
import type { Parser, Plugin, Printer } from "prettier";
import { format as prettierFormat } from "prettier/standalone";
import type { Diagnostic } from "../../compiler/errors/diagnostic.js";
import type { DocRun } from "../docs.js";
import { parseWithDocs } from "../parse.js";
import type { SourceFile } from "../tree.js";
import { file } from "./file.js";

/** What prettier carries from our parser to our printer. It sees one node, since comments are placed by ourselves. */
export interface PrintRoot {
  readonly tree: SourceFile;
  readonly text: string;
  readonly docs: ReadonlyMap<number, DocRun>;
}

/** Thrown for a file with syntax errors: formatting never guesses. */
export class FormatError extends Error {
  /** The place of the first error, as prettier shows it. */
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };

  constructor(
    readonly diagnostics: readonly Diagnostic[],
    text: string,
  ) {
    const [first] = diagnostics;
    super(`${first?.code ?? ""}: ${first?.message ?? "the file has errors"}`);
    this.name = "FormatError";
    const before = text.slice(0, first?.span.start ?? 0).split("\n");
    this.loc = { start: { line: before.length, column: before.at(-1)!.length + 1 } };
  }
}

const parser: Parser<PrintRoot> = {
  astFormat: "moe",
  parse(text, options) {
    const { tree, diagnostics, docs } = parseWithDocs(text, (options as { filepath?: string }).filepath ?? "input.moe");
    if (diagnostics.some(({ severity }) => severity === "error")) throw new FormatError(diagnostics, text);
    return { tree, text, docs };
  },
  locStart: () => 0,
  locEnd: (root) => root.text.length,
};

const printer: Printer<PrintRoot> = {
  print: (path) => file(path.node.tree, path.node.text, path.node.docs),
  getVisitorKeys: () => [],
};

/** `prettier --plugin moec/prettier-plugin`. */
export const plugin = {
  languages: [{ name: "moe", parsers: ["moe"], extensions: [".moe"], vscodeLanguageIds: ["moe"] }],
  parsers: { moe: parser },
  printers: { moe: printer },
  defaultOptions: { printWidth: 100, tabWidth: 2 },
} satisfies Plugin<PrintRoot>;

export const { languages, parsers, printers, defaultOptions } = plugin;
export default plugin;

/** Formats the text of one file in the one style of the language. Rejects with a `FormatError` when it does not parse. */
export async function format(text: string): Promise<string> {
  return prettierFormat(text, { parser: "moe", plugins: [plugin], printWidth: 100, tabWidth: 2, endOfLine: "lf" });
}
