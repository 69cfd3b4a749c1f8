/** The coded errors of the tokenizer; the sentences are in the Markdown files of `compiler/errors/`. */
import { moecError } from "../../compiler/errors/raise.js";
import type { MoecError } from "../../compiler/errors/moec-error.js";

/** Text from a file for a message: control characters escaped, and cut. */
export function show(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return JSON.stringify(cut).slice(1, -1);
}

export function notJson(file: string, reason: string): MoecError {
  return moecError("MOE5201", { file, reason: show(reason) }, { file });
}

export function badForm(file: string, path: string, reason: string): MoecError {
  return moecError("MOE5202", { file, path: show(path), reason: show(reason) }, { file, path });
}

export function unsupportedPart(part: string, supported?: readonly string[]): MoecError {
  const help = supported === undefined ? undefined : `Supported: ${supported.join(", ")}.`;
  return moecError("MOE5203", { part: show(part) }, undefined, help);
}

export function badVocabulary(reason: string): MoecError {
  return moecError("MOE5204", { reason });
}

export function noEmbeddedTokenizer(reason: string): MoecError {
  return moecError("MOE5205", { reason }, undefined, "Pass the `tokenizer.json` of the original model.");
}

export function unsupportedEmbedded(key: string, value: string, supported: readonly string[]): MoecError {
  const help = `Supported: ${supported.join(", ")}. For others give the \`tokenizer.json\` of the original model: \`moec import … --tokenizer tokenizer.json\`.`;
  return moecError("MOE5206", { key, value: show(value) }, { path: key }, help);
}

export function unknownId(id: number, size: number): MoecError {
  return moecError("MOE5207", { id, size });
}

export function unknownSpecialToken(file: string, token: string, role: string): MoecError {
  return moecError("MOE5208", { file, token: show(token), role }, { file });
}

export function notForGguf(reason: string): MoecError {
  return moecError("MOE5209", { reason: show(reason) });
}
