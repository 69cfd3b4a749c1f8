/**
 * Writer of GGUF version 3. `ggufChunks` yields the file piece by piece (header, then each tensor with its padding), so
 * a host can write a file larger than memory; `writeGguf` joins them.
 */
import { badAlignment, badMetadata, duplicateName, notWritable } from "./errors.js";
import { DEFAULT_ALIGNMENT, GGUF_MAGIC, GGUF_VERSION, MAX_RANK } from "./gguf-header.js";
import { ByteWriter, writeValue } from "./gguf-value-bytes.js";
import { joinChunks, tensorBytes } from "./write.js";
import { STORAGE, storageBytes } from "./storage.js";
import type { Metadata, TensorSource } from "./types.js";

/** What goes into a GGUF file. `general.alignment` in the metadata, if present, decides the alignment. */
export interface GgufContent {
  readonly metadata: Metadata;
  /** In the order they shall have in the file. */
  readonly tensors: readonly TensorSource[];
}

/**
 * The file in pieces.
 *
 * @throws MoecError MOE5107 (a name twice), MOE5111 (bad shape), MOE5112 and MOE5113 (bad metadata), MOE5117 (a type
 * that GGUF has no number for, more than four axes, or data of the wrong length).
 */
export function* ggufChunks(content: GgufContent): Generator<Uint8Array, void, undefined> {
  const alignment = alignmentOf(content.metadata);
  yield header(content, alignment);
  for (const tensor of content.tensors) {
    const bytes = tensorBytes(tensor);
    yield bytes;
    const padding = paddingAfter(bytes.length, alignment);
    if (padding > 0) yield new Uint8Array(padding);
  }
}

/** The whole file in memory; see `ggufChunks` for the errors. */
export function writeGguf(content: GgufContent): Uint8Array {
  return joinChunks(ggufChunks(content));
}

const paddingAfter = (length: number, alignment: number): number => (alignment - (length % alignment)) % alignment;

function alignmentOf(metadata: Metadata): number {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  if (entry.type !== "u32") throw badMetadata("general.alignment", `it is of type ${entry.type}, not u32`);
  const { value } = entry;
  if (value < 1 || value > 1 << 20 || (value & (value - 1)) !== 0) {
    throw badAlignment("general.alignment", value, "it must be a power of two up to 1048576");
  }
  return value;
}

function header({ metadata, tensors }: GgufContent, alignment: number): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(GGUF_MAGIC);
  writer.u32(GGUF_VERSION);
  writer.u64(tensors.length);
  writer.u64(metadata.size);
  for (const [key, value] of metadata) {
    writer.string(key);
    writeValue(writer, key, value);
  }
  const names = new Set<string>();
  let offset = 0;
  for (const { name, shape, type } of tensors) {
    if (names.has(name)) throw duplicateName("tensor", name);
    names.add(name);
    const { ggml } = STORAGE[type];
    if (ggml === undefined) throw notWritable(name, `GGUF has no type for ${type}`);
    if (shape.length > MAX_RANK) throw notWritable(name, `GGUF has at most ${MAX_RANK} axes`);
    writer.string(name);
    writer.u32(shape.length);
    for (const size of [...shape].reverse()) writer.u64(size);
    writer.u32(ggml);
    writer.u64(offset);
    const bytes = storageBytes(type, shape, name);
    offset += bytes + paddingAfter(bytes, alignment);
  }
  writer.pad(alignment);
  return writer.finish();
}
