/**
 * Writer of safetensors files. Tensors keep the order given; the header is padded with spaces to a multiple of 8 so
 * that data is aligned for every element type.
 */
import { duplicateName, notWritable } from "./errors.js";
import { METADATA_KEY } from "./safetensors-header.js";
import { STORAGE, storageBytes } from "./storage.js";
import type { TensorSource } from "./types.js";
import { joinChunks, tensorBytes } from "./write.js";

/** What goes into a safetensors file. */
export interface SafetensorsContent {
  readonly tensors: readonly TensorSource[];
  /** Strings only: the format has no other metadata. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * The file in pieces: header, then each tensor.
 *
 * @throws MoecError MOE5107 (a name twice), MOE5111 (bad shape), MOE5117 (block types, which the format does not have,
 * or data of the wrong length).
 */
export function* safetensorsChunks(content: SafetensorsContent): Generator<Uint8Array, void, undefined> {
  yield header(content);
  for (const tensor of content.tensors) yield tensorBytes(tensor);
}

/** The whole file in memory; see `safetensorsChunks` for the errors. */
export function writeSafetensors(content: SafetensorsContent): Uint8Array {
  return joinChunks(safetensorsChunks(content));
}

function header({ tensors, metadata }: SafetensorsContent): Uint8Array {
  // Entries instead of an object: a tensor called `__proto__` or `1` would be lost or moved.
  const entries: string[] = [];
  if (metadata !== undefined) {
    const strings = [...metadata].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    entries.push(`"${METADATA_KEY}":{${strings.join(",")}}`);
  }
  const names = new Set<string>();
  let begin = 0;
  for (const { name, shape, type } of tensors) {
    if (names.has(name)) throw duplicateName("tensor", name);
    if (name === METADATA_KEY) throw notWritable(name, "the name is reserved");
    names.add(name);
    const dtype = STORAGE[type].safetensors;
    if (dtype === undefined) throw notWritable(name, `safetensors has no type for ${type}`);
    const end = begin + storageBytes(type, shape, name);
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    begin = end;
  }
  const json = new TextEncoder().encode(`{${entries.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  return bytes;
}
