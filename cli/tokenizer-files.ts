/** The tokenizer of a project as the bundle keeps it: one JSON file with what `loadTokenizer` takes. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { idLimits } from "../compiler/2-graph/id-limits.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { languageGraph } from "../compiler/6-bundle/language.js";
import type { Checkpoint } from "../compiler/checkpoints/index.js";
import { isRecord } from "../compiler/checkpoints/safetensors-header.js";
import { moecError } from "../compiler/errors/raise.js";
import { readPlainText } from "../runtime/node/plain-files.js";
import { systemReason } from "../runtime/node/system-errors.js";
import { CHAT_TEMPLATE, TOKENIZER_CONFIG } from "./model-files.js";
import {
  loadTokenizer,
  parseTokenizerConfig,
  tokenizerFromGguf,
  type TokenizerConfig,
  type TokenizerFiles,
} from "../runtime/tokenizer/index.js";

/** Rows of the table that a model's token ids choose from; undefined when it reads no text, or without a table. */
export function tokenRows({ entries }: Program): number | undefined {
  const entry = languageGraph(entries);
  return entry && idLimits(entry.body)[0];
}

/**
 * The project's `tokenizer.json` with what lies beside it, else the one inside a GGUF file, else none.
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
 * A `tokenizer.json` and what the files beside it say: `tokenizer_config.json`, in which the template of chats is one text,
 * from wherever the folder has it.
 *
 * @throws MoecError MOE5123 for files that cannot be read, MOE5201 and MOE5202 for a damaged `tokenizer_config.json`.
 */
export function tokenizerFiles(path: string): { readonly tokenizer: string; readonly config?: TokenizerConfig } {
  const tokenizer = textOf(path);
  const text = textBeside(path, TOKENIZER_CONFIG);
  const template = textBeside(path, CHAT_TEMPLATE);
  if (text === undefined && template === undefined) return { tokenizer };
  const { chat_template: own, ...config } = text === undefined ? {} : parseTokenizerConfig(text);
  const chosen = template ?? templateOf(own);
  return { tokenizer, config: { ...config, ...(chosen === undefined ? {} : { chat_template: chosen }) } };
}

/** Paths of what may lie beside a `tokenizer.json` and is read with it. */
export const tokenizerCompanions = (path: string): readonly string[] =>
  [TOKENIZER_CONFIG, CHAT_TEMPLATE].map((name) => join(dirname(path), name));

/** The one template, or of several named ones that which is for no purpose in particular. */
function templateOf(template: unknown): string | undefined {
  if (typeof template === "string") return template;
  const all: readonly unknown[] = Array.isArray(template) ? template : [];
  const found = all.find((each) => isRecord(each) && each["name"] === "default") ?? (all.length === 1 ? all[0] : null);
  const text = isRecord(found) ? found["template"] : undefined;
  return typeof text === "string" ? text : undefined;
}

/** A file in the folder of another one; undefined when there is none. @throws MoecError MOE5123 when it cannot be read. */
function textBeside(path: string, name: string): string | undefined {
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
