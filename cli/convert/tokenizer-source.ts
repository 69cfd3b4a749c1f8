/** The tokenizer beside a checkpoint with all that its other files say of it: special ids and how chats are written. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { moecError } from "../../compiler/errors/raise.js";
import { readPlainText } from "../../runtime/node/plain-files.js";
import type { TokenizerSource } from "../../runtime/tokenizer/gguf-write.js";
import { notForGguf } from "../../runtime/tokenizer/errors.js";
import { loadTokenizer } from "../../runtime/tokenizer/index.js";
import { TOKENIZER_CONFIG } from "../model-files.js";
import { systemReason } from "../../runtime/node/system-errors.js";

/** Newer folders keep the template in a file of its own. */
const TEMPLATE = "chat_template.jinja";

type Json = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Special tokens are those of `tokenizer_config.json`; where it names none, those of `config.json`.
 *
 * @param path Of `tokenizer.json`.
 * @param model `config.json` as parsed.
 * @throws MoecError MOE5209 without a tokenizer, MOE5123 for files that cannot be read, MOE5201 to MOE5208 for damaged ones.
 */
export function openTokenizerSource(path: string | undefined, model: unknown): TokenizerSource {
  if (path === undefined) throw notForGguf("there is no tokenizer.json beside the weights");
  const beside = (name: string): string | undefined => {
    const file = join(dirname(path), name);
    return existsSync(file) ? readText(file) : undefined;
  };
  const tokenizer = readText(path);
  const text = beside(TOKENIZER_CONFIG);
  const config = text === undefined ? undefined : parsed(text, TOKENIZER_CONFIG);
  const named = { tokenizer, ...(config === undefined ? {} : { config }) };
  const own = loadTokenizer(named);
  const bos = own.bos ?? idOf(model, "bos_token_id");
  const eos = own.eos[0] ?? idOf(model, "eos_token_id");
  const chatTemplate = beside(TEMPLATE) ?? templateOf(config);
  const padding = idOf(model, "pad_token_id");
  return {
    files: { ...named, ...(bos === undefined ? {} : { bos }), ...(eos === undefined ? {} : { eos: [eos] }) },
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    ...(padding === undefined || padding >= own.vocabSize ? {} : { padding }),
  };
}

function readText(file: string): string {
  try {
    return readPlainText(file);
  } catch (error) {
    throw moecError("MOE5123", { path: file, reason: systemReason(error) });
  }
}

function parsed(text: string, file: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw moecError("MOE5201", { file, reason: error.message }, { file });
  }
  throw moecError("MOE5202", { file: basename(file), path: "the top", reason: "it is not an object" }, { file });
}

/** A number, or the first of a list. */
function idOf(model: unknown, key: string): number | undefined {
  const value = isRecord(model) ? model[key] : undefined;
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "number" && Number.isSafeInteger(first) && first >= 0 ? first : undefined;
}

/** The one template, or of several the one that is for no purpose in particular. */
function templateOf(config: Json | undefined): string | undefined {
  const template = config?.["chat_template"];
  if (typeof template === "string") return template;
  const all: readonly unknown[] = Array.isArray(template) ? template : [];
  const found = all.find((each) => isRecord(each) && each["name"] === "default");
  const text = isRecord(found) ? found["template"] : undefined;
  return typeof text === "string" ? text : undefined;
}
