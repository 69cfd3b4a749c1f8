/** The formatter as the command line uses it: refuses text with syntax errors, else prints it. */
import { parse } from "../grammar/index.js";
import { format } from "../grammar/print/plugin.js";
import type { Diagnostic } from "../compiler/errors/diagnostic.js";

export type FormatResult =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Text that can't be parsed is not printed: something of it would get lost. */
export async function formatText(text: string, file: string): Promise<FormatResult> {
  const { diagnostics } = parse(text, file);
  if (diagnostics.some(({ severity }) => severity === "error")) return { ok: false, diagnostics };
  return { ok: true, text: await format(text) };
}
