/** The files of a model in Hugging Face's layout. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const CONFIG = "config.json";
/** Sampling as the model's makers advise it. */
export const GENERATION = "generation_config.json";
export const TOKENIZER = "tokenizer.json";
/** Lies beside a tokenizer: special tokens, and how chats are written. */
export const TOKENIZER_CONFIG = "tokenizer_config.json";
/** Newer folders keep the template of chats in a file of its own. */
export const CHAT_TEMPLATE = "chat_template.jinja";

const WEIGHTS = /\.(safetensors|safetensors\.index\.json|gguf|onnx)$/;

/** Whether a folder holds a model in this layout, and neither a project nor a bundle. */
export function isModelFolder(place: string): boolean {
  const has = (name: string): boolean => existsSync(join(place, name));
  return has(CONFIG) && !has("moec.yaml") && !has("manifest.json");
}

/** Paths of all that an import of a checkpoint may read; some may be absent. @param path A file or a folder. */
export function modelFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const weights = readdirSync(path).filter((name) => WEIGHTS.test(name));
  return [CONFIG, GENERATION, TOKENIZER, TOKENIZER_CONFIG, ...weights.sort()].map((name) => join(path, name));
}
