/** What `moec import` reads: a GGUF file, or a folder in Hugging Face's layout, with everything beside the weights. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { moecError } from "../compiler/errors/raise.js";
import { poolingFolder, type GenerateSettings, type SentenceFiles } from "../compiler/checkpoints/import/index.js";
import { partFile } from "../compiler/checkpoints/index.js";
import { openCheckpointFiles, type OpenCheckpoint } from "./checkpoint-files.js";
import { CONFIG, GENERATION, MODULES, POOLING, TOKENIZER } from "./model-files.js";

export interface ImportFiles extends OpenCheckpoint {
  /** Name of the file or folder, without its ending. */
  readonly name: string;
  /** `config.json` as parsed; undefined for GGUF. */
  readonly config: unknown;
  /** The one path that opens the checkpoint again: its file, or the index of its shards. */
  readonly weights: string;
  /** Absolute path of `tokenizer.json`; undefined when there is none. */
  readonly tokenizer: string | undefined;
  readonly generate: GenerateSettings;
  /**
   * What Sentence Transformers wrote beside the model; only the import of an encoder asks for it.
   *
   * @throws MoecError MOE5120 for a file of another form, MOE5123 for a module's config that is missing.
   */
  readonly sentences: () => SentenceFiles;
  /** Sentence Transformers wrote how one vector is made of those of the tokens. */
  readonly hasPooling: boolean;
}

/** Larger files are no configs; `JSON.parse` of gigabytes would only be a slow error. */
const MAX_CONFIG_BYTES = 1 << 26;

/**
 * Opens what `path` names.
 *
 * @param given Absolute path of a `tokenizer.json` in place of the checkpoint's own.
 * @throws MoecError MOE5123 for files that cannot be read, MOE5120 for a config that is not JSON, and what the readers
 * throw.
 */
export function openImport(path: string, given?: string): ImportFiles {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw moecError("MOE5123", { path, reason: "there is no such file or folder" });
  const opened = openCheckpointFiles([path]);
  try {
    const folder = stats.isDirectory() ? path : dirname(path);
    const [first = path] = opened.files;
    const isGguf = opened.checkpoint.format === "gguf";
    const part = isGguf ? partFile(basename(path)) : undefined;
    const stem = part?.stem ?? basename(path, stats.isDirectory() ? "" : extname(path));
    return {
      ...opened,
      // `model.safetensors` says nothing; its folder does.
      name: isGguf || stats.isDirectory() ? stem : basename(dirname(path)),
      config: isGguf ? undefined : readJson(join(folder, CONFIG)),
      weights: first,
      tokenizer: given ?? (isGguf ? undefined : existing(join(folder, TOKENIZER))),
      generate: isGguf ? {} : generateSettings(folder),
      sentences: () => (isGguf ? {} : sentenceFiles(folder)),
      hasPooling: !isGguf && existsSync(join(folder, POOLING, CONFIG)),
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

function readJson(path: string, whyMissing = "it is not beside the weights"): unknown {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) throw moecError("MOE5123", { path, reason: whyMissing });
  if (stats.size > MAX_CONFIG_BYTES) throw moecError("MOE5123", { path, reason: `it has ${stats.size} bytes` });
  try {
    return JSON.parse(readFileSync(path, "utf8")) as unknown;
  } catch (error) {
    const reason = error instanceof SyntaxError ? "is not JSON" : "cannot be read";
    throw moecError("MOE5120", { key: basename(path), reason }, { file: path });
  }
}

function sentenceFiles(folder: string): SentenceFiles {
  const modules = existsSync(join(folder, MODULES)) ? readJson(join(folder, MODULES)) : undefined;
  const place = modules === undefined ? POOLING : poolingFolder(modules);
  const config = place === undefined ? undefined : join(folder, place, CONFIG);
  const isThere = config !== undefined && (modules !== undefined || existsSync(config));
  return {
    ...(modules === undefined ? {} : { modules }),
    ...(isThere ? { pooling: readJson(config, `${MODULES} names the folder, and it is not in it`) } : {}),
  };
}

function generateSettings(folder: string): GenerateSettings {
  const path = join(folder, GENERATION);
  if (!existsSync(path)) return {};
  const advice = readJson(path);
  if (typeof advice !== "object" || advice === null) return {};
  const names = ["temperature", "top_k", "top_p", "min_p", "repetition_penalty"] as const;
  const found = names.flatMap((name) => {
    const value = (advice as Record<string, unknown>)[name];
    return typeof value === "number" && Number.isFinite(value) && value >= 0 ? [[name, value] as const] : [];
  });
  return Object.fromEntries(found);
}
