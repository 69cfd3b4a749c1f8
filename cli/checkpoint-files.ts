/** Opens the checkpoint that a project names: a file, a folder with shards, or a list of shards or parts. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { openCheckpoint, readSafetensorsSharded, type Checkpoint } from "../compiler/checkpoints/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { readPlainText } from "../runtime/node/plain-files.js";
import { openFileSource, type FileSource } from "../runtime/node/file-source.js";
import { namesOfModels } from "./model-files.js";

export interface OpenCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Paths of all files that it reads, parts in their order; the first one opens it again where it was not a list. */
  readonly files: readonly string[];
  close(): void;
}

/** Says which of a folder's shards holds which tensor; where it is there, the folder is read by it. */
export const INDEX = "model.safetensors.index.json";

/** @throws MoecError MOE5123 and what the readers throw. */
export function openCheckpointFiles(paths: readonly string[]): OpenCheckpoint {
  const [first] = paths;
  if (first === undefined) throw moecError("MOE5123", { path: "", reason: "no checkpoint is named" });
  if (paths.length > 1 && paths.some((path) => path.endsWith(".gguf"))) return openParts(paths);
  if (paths.length > 1) return openShards(dirname(first), indexOfShards(paths), []);
  if (statSync(first, { throwIfNoEntry: false })?.isDirectory()) return openFolder(first);
  if (basename(first) === INDEX) return openIndex(first);
  return openOne(first);
}

/** One file, and what it names beside itself. */
function openOne(path: string): OpenCheckpoint {
  const sources: FileSource[] = [];
  const files: string[] = [];
  const close = (): void => sources.forEach((source) => source.close());
  const open = (file: string): FileSource => {
    const source = openFileSource(file);
    sources.push(source);
    files.push(file);
    return source;
  };
  try {
    const checkpoint = openCheckpoint(open(path), (beside) => open(join(dirname(path), beside)));
    // Whichever part of a GGUF model was named: numbers of equal length sort as texts do.
    if (checkpoint.format === "gguf") files.sort();
    return { checkpoint, files, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A list of GGUF files: all parts of one model. */
function openParts(paths: readonly string[]): OpenCheckpoint {
  const opened = openOne(paths[0]!);
  const listed = [...paths].sort();
  if (listed.join("\n") === opened.files.join("\n")) return opened;
  opened.close();
  const all = opened.files.map((path) => basename(path)).join(", ");
  const reason = "the list is not that of the parts of one GGUF model";
  throw moecError("MOE5123", { path: paths[0]!, reason }, undefined, `One part names all; here they are ${all}.`);
}

function openFolder(folder: string): OpenCheckpoint {
  if (existsSync(join(folder, INDEX))) return openIndex(join(folder, INDEX));
  const all = readdirSync(folder);
  const published = all.filter((name) => /\.(safetensors|gguf)$/.test(name));
  // Where a model is published in several formats, ONNX is the copy.
  const files = published.length > 0 ? published : all.filter((name) => name.endsWith(".onnx"));
  const found = namesOfModels(files);
  const [only] = found;
  if (only !== undefined && found.length === 1) return openCheckpointFiles([join(folder, only)]);
  const [reason, help] = whyNotOne(all, found);
  throw moecError("MOE5123", { path: folder, reason }, undefined, help);
}

const SHARD = /-\d+-of-\d+\.safetensors$/;

/** Why none of a folder's models stands for all, and what to do. */
function whyNotOne(all: readonly string[], found: readonly string[]): readonly [reason: string, help?: string] {
  if (found.length === 0) {
    if (!all.some((name) => /\.(bin|pt|pth)$/.test(name))) return ["the folder holds no checkpoint"];
    const help = "Loading them may run code: convert them to safetensors first.";
    return ["the folder holds PyTorch's pickled weights only", help];
  }
  const count = found.length;
  if (found.every((name) => SHARD.test(name))) {
    const help = "It says which shard has which tensor; it is published with them.";
    return [`the folder holds ${count} shards, but no ${INDEX}`, help];
  }
  return [`the folder holds ${count} checkpoints`, `Name one of them: ${found.slice(0, 3).join(", ")}.`];
}

/** An index for shards that were listed by hand: every tensor is where it is found. */
function indexOfShards(paths: readonly string[]): string {
  const map: Record<string, string> = {};
  for (const path of paths) {
    const source = openFileSource(path);
    try {
      for (const name of openCheckpoint(source).tensors.keys()) map[name] = basename(path);
    } finally {
      source.close();
    }
  }
  return JSON.stringify({ weight_map: map });
}

const openIndex = (path: string): OpenCheckpoint => openShards(dirname(path), readPlainText(path), [path]);

/** @param read Files that were read already. */
function openShards(folder: string, indexText: string, read: readonly string[]): OpenCheckpoint {
  const sources: FileSource[] = [];
  const files = [...read];
  const close = (): void => sources.forEach((source) => source.close());
  try {
    const checkpoint = readSafetensorsSharded(indexText, (name) => {
      const path = join(folder, name);
      const source = openFileSource(path);
      sources.push(source);
      files.push(path);
      return source;
    });
    return { checkpoint, files, close };
  } catch (error) {
    close();
    throw error;
  }
}
