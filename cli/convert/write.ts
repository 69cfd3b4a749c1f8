/** Tensors into a file, or into a folder of shards, written aside and then put in place. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  ggufChunks,
  safetensorsChunks,
  storageBytes,
  type Metadata,
  type TensorSource,
} from "../../compiler/checkpoints/index.js";
import { replaceFiles } from "../../runtime/node/replace-files.js";
import type { OutputFormat } from "./tensors.js";

/** Most bytes of tensors in one file of a folder. */
const SHARD_BYTES = 4 * 2 ** 30;

export interface Written {
  readonly files: readonly string[];
  readonly bytes: number;
}

/** `sparse.gguf`, `sparse.safetensors`, or a folder of safetensors files. */
export function formatOf(out: string): OutputFormat {
  return out.endsWith(".gguf") ? "gguf" : "safetensors";
}

/** @param note Is told the share of bytes written. */
export function writeCheckpoint(
  out: string,
  tensors: readonly TensorSource[],
  metadata: Metadata,
  note: (done: number) => void,
): Written {
  const all = tensors.reduce((sum, tensor) => sum + storageBytes(tensor.type, tensor.shape, tensor.name), 0);
  let bytes = 0;
  const write = (path: string, chunks: Iterable<Uint8Array>): void => {
    const file = openSync(path, "w");
    try {
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at, chunk.length - at);
        bytes += chunk.length;
        note(Math.min(1, bytes / Math.max(1, all)));
      }
    } finally {
      closeSync(file);
    }
  };
  const isFile = out.endsWith(".gguf") || out.endsWith(".safetensors");
  mkdirSync(isFile ? dirname(out) : out, { recursive: true });
  if (isFile) {
    const chunks = formatOf(out) === "gguf" ? ggufChunks({ metadata, tensors }) : safetensorsChunks({ tensors });
    replaceFiles([out], ([aside]) => write(aside!, chunks));
    return { files: [out], bytes };
  }
  const shards = shardsOf(tensors);
  const names = shards.map((_, index) => shardName(index, shards.length));
  const index = "model.safetensors.index.json";
  const files = [...names, ...(shards.length > 1 ? [index] : [])].map((name) => join(out, name));
  replaceFiles(files, (asides) => {
    shards.forEach((shard, number) => write(asides[number]!, safetensorsChunks({ tensors: shard })));
    if (shards.length === 1) return;
    const map = Object.fromEntries(shards.flatMap((shard, number) => shard.map(({ name }) => [name, names[number]!])));
    const text = JSON.stringify({ metadata: { total_size: all }, weight_map: map }, undefined, 2);
    write(asides.at(-1)!, [new TextEncoder().encode(text)]);
  });
  return { files, bytes };
}

function shardName(index: number, count: number): string {
  const number = (value: number): string => String(value).padStart(5, "0");
  return count === 1 ? "model.safetensors" : `model-${number(index + 1)}-of-${number(count)}.safetensors`;
}

function shardsOf(tensors: readonly TensorSource[]): readonly (readonly TensorSource[])[] {
  const shards: TensorSource[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = storageBytes(tensor.type, tensor.shape, tensor.name);
    if (size > 0 && size + bytes > SHARD_BYTES) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push(tensor);
    size += bytes;
  }
  return shards;
}
