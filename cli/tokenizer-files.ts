/** The tokenizer of a project as the bundle keeps it: one JSON file with what `loadTokenizer` takes. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { idLimits } from "../compiler/2-graph/id-limits.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { languageGraph } from "../compiler/6-bundle/language.js";
import type { Checkpoint } from "../compiler/checkpoints/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { readPlainText } from "../runtime/node/plain-files.js";
import { systemReason } from "../runtime/node/system-errors.js";
import { TOKENIZER_CONFIG } from "./model-files.js";
import { loadTokenizer, tokenizerFromGguf, type TokenizerFiles } from "../runtime/tokenizer/index.js";

/** Rows of the table that a model's token ids choose from; undefined when it reads no text, or without a table. */
export function tokenRows({ entries }: Program): number | undefined {
  const entry = languageGraph(entries);
  return entry && idLimits(entry.body)[0];
}

/**
 * The project's `tokenizer.json` with the `tokenizer_config.json` beside it, else the one inside a GGUF file, else none.
 *
 * @param rows Of the table that token ids choose from.
 * @throws MoecError MOE52xx when it is damaged, MOE5468 when it has tokens without a row: a bundle never holds a tokenizer
 * that can't be loaded or used.
 */
export function tokenizerText(
  path: string | undefined,
  checkpoint: Checkpoint | undefined,
  rows = Infinity,
): string | undefined {
  const files = path === undefined ? embedded(checkpoint) : tokenizerFiles(path);
  if (files === undefined) return undefined;
  const { vocabSize } = loadTokenizer(files);
  if (vocabSize > rows) throw moecError("MOE5468", { tokens: vocabSize, rows });
  return JSON.stringify(files);
}

/**
 * Texts of a `tokenizer.json` and of the `tokenizer_config.json` beside it.
 *
 * @throws MoecError MOE5123 for files that cannot be read.
 */
export function tokenizerFiles(path: string): { readonly tokenizer: string; readonly config?: string } {
  const tokenizer = textOf(path);
  const config = textBeside(path, TOKENIZER_CONFIG);
  return { tokenizer, ...(config === undefined ? {} : { config }) };
}

/** A file in the folder of another one; undefined when there is none. @throws MoecError MOE5123 when it cannot be read. */
export function textBeside(path: string, name: string): string | undefined {
  const file = join(dirname(path), name);
  return existsSync(file) ? textOf(file) : undefined;
}

function textOf(file: string): string {
  try {
    return readPlainText(file);
  } catch (error) {
    throw moecError("MOE5123", { path: file, reason: systemReason(error) });
  }
}

function embedded(checkpoint: Checkpoint | undefined): TokenizerFiles | undefined {
  if (checkpoint?.format !== "gguf") return undefined;
  const has = ["tokenizer.ggml.model", "tokenizer.huggingface.json"].some((key) => checkpoint.metadata.has(key));
  return has ? tokenizerFromGguf(checkpoint.metadata) : undefined;
}
