/** The tokenizer of a project as the bundle keeps it: one JSON file with what `loadTokenizer` takes. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Checkpoint } from "../compiler/checkpoints/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { systemReason } from "../runtime/node/system-errors.js";
import { TOKENIZER_CONFIG } from "./model-files.js";
import { loadTokenizer, tokenizerFromGguf, type TokenizerFiles } from "../runtime/tokenizer/index.js";

/**
 * The project's `tokenizer.json` with the `tokenizer_config.json` beside it, else the one inside a GGUF file, else none.
 *
 * @throws MoecError MOE52xx when it is damaged: a bundle never holds a tokenizer that can't be loaded.
 */
export function tokenizerText(path: string | undefined, checkpoint: Checkpoint | undefined): string | undefined {
  const files = path === undefined ? embedded(checkpoint) : fromFile(path);
  if (files === undefined) return undefined;
  loadTokenizer(files);
  return JSON.stringify(files);
}

function fromFile(path: string): TokenizerFiles {
  const read = (file: string): string => {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw moecError("MOE5123", { path: file, reason: systemReason(error) });
    }
  };
  const config = join(dirname(path), TOKENIZER_CONFIG);
  return { tokenizer: read(path), ...(existsSync(config) ? { config: read(config) } : {}) };
}

function embedded(checkpoint: Checkpoint | undefined): TokenizerFiles | undefined {
  if (checkpoint?.format !== "gguf") return undefined;
  const has = ["tokenizer.ggml.model", "tokenizer.huggingface.json"].some((key) => checkpoint.metadata.has(key));
  return has ? tokenizerFromGguf(checkpoint.metadata) : undefined;
}
