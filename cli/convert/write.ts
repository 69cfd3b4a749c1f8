/** Tensors into a file, or into a folder of shards, written aside and then put in place. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import {
  ggufChunks,
  safetensorsChunks,
  storageBytes,
  type Metadata,
  type TensorSource,
} from "../../compiler/checkpoints/index.js";
import { moecError } from "../../compiler/errors/raise.js";
import { replaceFilesInTurns } from "../../runtime/node/replace-files.js";
import { systemReason } from "../../runtime/node/system-errors.js";
import { BlockFile } from "../block-file.js";
import { INDEX } from "../checkpoint-files.js";
import { UsageError } from "../failures.js";
import type { OutputFormat } from "./stored-types.js";

/** What `shardBytes` is when nobody says. */
const SHARD_BYTES = 4 * 2 ** 30;

export interface Written {
  readonly files: readonly string[];
  readonly bytes: number;
}

interface WriteOptions {
  /** Ends the work behind a tensor; nothing is left then. */
  readonly signal: AbortSignal;
  /** Is told the share of bytes written. */
  readonly note: (done: number) => void;
  /** Most bytes of tensors in one file of a folder. */
  readonly shardBytes?: number;
}

/**
 * `sparse.gguf`, `sparse.safetensors`, or a folder of safetensors files.
 *
 * @throws UsageError for another ending, unless a folder has that name.
 */
export function formatOf(out: string): OutputFormat {
  if (out.endsWith(".gguf")) return "gguf";
  if (out.endsWith(".safetensors") || !/\.[A-Za-z]\w*$/.test(out) || isFolder(out)) return "safetensors";
  throw new UsageError(
    `\`${basename(out)}\` ends neither in .safetensors nor in .gguf; a folder of shards has no ending`,
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * @throws MoecError MOE5447 when the disk does not take it, MOE5448 when the folder holds another checkpoint; what
 * `signal` is aborted with. What was there stays then, and no file or folder is left.
 */
export async function writeCheckpoint(
  out: string,
  tensors: readonly TensorSource[],
  metadata: Metadata,
  { signal, note, shardBytes = SHARD_BYTES }: WriteOptions,
): Promise<Written> {
  const all = tensors.reduce((sum, tensor) => sum + storageBytes(tensor.type, tensor.shape, tensor.name), 0);
  const files = filesOf(out, tensors, metadata, all, shardBytes);
  let bytes = 0;
  const write = async (path: string, chunks: Iterable<Uint8Array>): Promise<void> => {
    // Also in blocks: native code maps these files later.
    const file = new BlockFile(path);
    try {
      for (const chunk of chunks) {
        file.write(chunk);
        bytes += chunk.length;
        note(Math.min(1, bytes / Math.max(1, all)));
        // Between two tensors Ctrl-C is heard.
        await turn();
        signal.throwIfAborted();
      }
      file.close();
    } finally {
      file.abandon();
    }
  };
  try {
    refuseOthers(out, files);
    const paths = files.map(({ path }) => path);
    await replaceFilesInTurns(paths, async (asides) => {
      for (const [index, { chunks }] of files.entries()) await write(asides[index]!, chunks);
    });
    return { files: paths, bytes };
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error)) throw error;
    throw moecError("MOE5447", { path: out, reason: systemReason(error) });
  }
}

/** A folder with tensors of another checkpoint would be read as a mixture of both; a file cannot replace a folder. */
function refuseOthers(out: string, files: readonly NewFile[]): void {
  if (!isFolder(out)) return;
  if (files.some(({ path }) => path === out)) throw moecError("MOE5447", { path: out, reason: "it is a folder" });
  const names = files.map(({ path }) => basename(path));
  const others = readdirSync(out).filter(
    (name) => (/^[^.].*\.(safetensors|gguf|onnx)$/.test(name) || name === INDEX) && !names.includes(name),
  );
  if (others.length > 0)
    throw moecError("MOE5448", { path: out, files: others.map((name) => `\`${name}\``).join(", ") });
}

interface NewFile {
  readonly path: string;
  readonly chunks: Iterable<Uint8Array>;
}

function filesOf(
  out: string,
  tensors: readonly TensorSource[],
  metadata: Metadata,
  all: number,
  shardBytes: number,
): readonly NewFile[] {
  if (out.endsWith(".gguf")) return [{ path: out, chunks: ggufChunks({ metadata, tensors }) }];
  if (out.endsWith(".safetensors")) return [{ path: out, chunks: safetensorsChunks({ tensors }) }];
  const shards = shardsOf(tensors, shardBytes);
  const names = shards.map((_, index) => shardName(index, shards.length));
  const files = shards.map((shard, index) => ({
    path: join(out, names[index]!),
    chunks: safetensorsChunks({ tensors: shard }),
  }));
  if (shards.length === 1) return files;
  const map = Object.fromEntries(shards.flatMap((shard, number) => shard.map(({ name }) => [name, names[number]!])));
  const text = JSON.stringify({ metadata: { total_size: all }, weight_map: map }, undefined, 2);
  return [...files, { path: join(out, INDEX), chunks: [new TextEncoder().encode(text)] }];
}

function shardName(index: number, count: number): string {
  const number = (value: number): string => String(value).padStart(5, "0");
  return count === 1 ? "model.safetensors" : `model-${number(index + 1)}-of-${number(count)}.safetensors`;
}

function shardsOf(tensors: readonly TensorSource[], most: number): readonly (readonly TensorSource[])[] {
  const shards: TensorSource[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = storageBytes(tensor.type, tensor.shape, tensor.name);
    if (size > 0 && size + bytes > most) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push(tensor);
    size += bytes;
  }
  return shards;
}
