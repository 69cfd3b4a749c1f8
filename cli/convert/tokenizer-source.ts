/** The tokenizer beside a checkpoint with all that its other files say of it: special ids and how chats are written. */
import { isRecord } from "../../compiler/checkpoints/safetensors-header.js";
import type { TokenizerSource } from "../../runtime/tokenizer/gguf-write.js";
import { notForGguf } from "../../runtime/tokenizer/errors.js";
import { loadTokenizer } from "../../runtime/tokenizer/index.js";
import { tokenizerFiles } from "../tokenizer-files.js";

/**
 * Special tokens are those of `tokenizer_config.json`; where it names none, those of `config.json`.
 *
 * @param path Of `tokenizer.json`.
 * @param model `config.json` as parsed.
 * @throws MoecError MOE5209 without a tokenizer, MOE5123 for files that cannot be read, MOE5201 to MOE5208 for damaged ones.
 */
export function openTokenizerSource(path: string | undefined, model: unknown): TokenizerSource {
  if (path === undefined) throw notForGguf("there is no tokenizer.json beside the weights");
  const { tokenizer, config = {} } = tokenizerFiles(path);
  const named = { tokenizer, config };
  const own = loadTokenizer(named);
  const bos = own.bos ?? idOf(model, "bos_token_id");
  const eos = own.eos[0] ?? idOf(model, "eos_token_id");
  const { chat_template: chatTemplate } = config;
  const padding = idOf(model, "pad_token_id");
  return {
    files: { ...named, ...(bos === undefined ? {} : { bos }), ...(eos === undefined ? {} : { eos: [eos] }) },
    ...(typeof chatTemplate === "string" ? { chatTemplate } : {}),
    ...(padding === undefined ? {} : { padding }),
  };
}

/** A number, or the first of a list. */
function idOf(model: unknown, key: string): number | undefined {
  const value = isRecord(model) ? model[key] : undefined;
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "number" && Number.isSafeInteger(first) && first >= 0 ? first : undefined;
}
