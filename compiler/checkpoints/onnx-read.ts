/**
 * The initializers of an ONNX model as a checkpoint. The graph is not read: a spec says what is computed, and its
 * `weights onnx` block says which initializer is which parameter.
 *
 * Numbers are read where they lie, in the model file or in files beside it ("external data"). Those that a file spells
 * out one by one as varints (small tensors of whole numbers or halves) are decoded into memory.
 */
import { memorySource } from "./byte-source.js";
import { damagedOnnx } from "./errors.js";
import { noteOf, OnnxTensors } from "./onnx-tensors.js";
import { checkpointOf, tensorTable } from "./tensor-table.js";
import type { ByteSource, Checkpoint, MetadataValue, OpenBeside } from "./types.js";
import { WireFile, type ByteRange } from "./wire-fields.js";

/** Key of the metadata that lists initializers without a place among the tensors, each with the reason. */
export const UNREAD_KEY = "onnx.unread";

/** Longest key or value of the model's own notes that is kept. */
const MOST_NOTE_BYTES = 1 << 16;

/** Numbers of the fields of a ModelProto and a GraphProto. */
const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH = { initializer: 5 } as const;

/** First bytes of a model: field 1, the version of the format, and one of the fields that follow it. */
export function isOnnx(start: Uint8Array): boolean {
  const [tag, version = 0, next = -1] = start;
  return tag === 0x08 && version > 0 && version < 0x40 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(next);
}

/**
 * Reads the names, shapes and places of a model's initializers.
 *
 * @param openBeside Opens external data; without it a model that has some is refused.
 * @throws MoecError MOE5611 for bytes that are no model, MOE5612 for external data elsewhere than beside the model, and
 * MOE5107, MOE5109 and MOE5110 for tensors that share a name or bytes, or lie outside of their file.
 */
export function readOnnx(source: ByteSource, openBeside?: OpenBeside): Checkpoint {
  const wire = new WireFile(source, (reason, offset) => damagedOnnx(reason, source.name, offset));
  const all: ByteRange = { offset: 0, length: source.size };
  const tensors = new OnnxTensors(wire, openBeside);
  const metadata = new Map<string, MetadataValue>();
  for (const model of wire.fields(all)) {
    if (model.kind !== "bytes") continue;
    if (model.field === MODEL.metadata) readNote(wire, model.at, metadata);
    if (model.field !== MODEL.graph) continue;
    for (const graph of wire.fields(model.at)) {
      if (graph.kind === "bytes" && graph.field === GRAPH.initializer) tensors.add(graph.at);
    }
  }
  const { infos, unread } = tensors;
  if (unread.length > 0) metadata.set(UNREAD_KEY, { type: "array", of: "string", values: unread });
  const sources = [source, ...tensors.external, memorySource(tensors.decoded())];
  const table = tensorTable(infos, sources, sources.map(() => 0)); // prettier-ignore
  return checkpointOf("onnx", metadata, table, sources);
}

/** A StringStringEntryProto. */
function readNote(wire: WireFile, at: ByteRange, metadata: Map<string, MetadataValue>): void {
  const [key, value] = noteOf(wire, at, MOST_NOTE_BYTES);
  metadata.set(key, { type: "string", value });
}
