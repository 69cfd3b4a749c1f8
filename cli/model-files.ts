/** Names of the files of projects, and of models in Hugging Face's layout. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { partFile } from "../compiler/checkpoints/part-files.js";

/** Says which spec and which weights a project is made of; `cli/project-file.ts` reads it. */
export const PROJECT_FILE = "moec.yaml";
export const CONFIG = "config.json";
/** Sampling as the model's makers advise it. */
export const GENERATION = "generation_config.json";
export const TOKENIZER = "tokenizer.json";
/** Lies beside a tokenizer: special tokens, and how chats are written. */
export const TOKENIZER_CONFIG = "tokenizer_config.json";
/** Newer folders keep the template of chats in a file of its own. */
export const CHAT_TEMPLATE = "chat_template.jinja";
/** Modules of a sentence encoder, and the folder that says how it makes one vector of many. */
export const MODULES = "modules.json";
export const POOLING = "1_Pooling";

const WEIGHTS = /\.(safetensors|safetensors\.index\.json|gguf|onnx)$/;

/** Whether a folder holds a model in this layout or in GGUF files, and neither a project nor a bundle. */
export function isModelFolder(place: string): boolean {
  const has = (name: string): boolean => existsSync(join(place, name));
  if (has(PROJECT_FILE) || has("manifest.json")) return false;
  return has(CONFIG) || holdsGguf(place);
}

/** GGUF files need no config; weights beside them in another format do. */
function holdsGguf(place: string): boolean {
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  const weights = readdirSync(place).filter((name) => WEIGHTS.test(name));
  return weights.length > 0 && weights.every((name) => name.endsWith(".gguf"));
}

/** One name for each model of a folder: of the parts of a GGUF model that with the lowest number, and all other files. */
export function namesOfModels(files: readonly string[]): readonly string[] {
  const models = new Set<string>();
  return [...files].sort().filter((name) => {
    const part = partFile(name);
    if (!part) return true;
    const model = `${part.stem} ${part.count}`;
    const isFirst = !models.has(model);
    models.add(model);
    return isFirst;
  });
}

/** Paths of all that an import of a checkpoint may read; some may be absent. @param path A file or a folder. */
export function modelFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) {
    const part = partFile(basename(path));
    if (!part) return [path];
    return Array.from({ length: part.count }, (_, i) => join(dirname(path), part.nameOf(i + 1)));
  }
  const weights = readdirSync(path).filter((name) => WEIGHTS.test(name));
  const beside = [CONFIG, GENERATION, TOKENIZER, TOKENIZER_CONFIG, CHAT_TEMPLATE, MODULES, join(POOLING, CONFIG)];
  return [...beside, ...weights.sort()].map((name) => join(path, name));
}
