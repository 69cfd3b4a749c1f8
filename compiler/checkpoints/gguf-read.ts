/**
 * Reader of GGUF models: one file, or several that hold a model together. Parts are whole GGUF files, named
 * `model-00001-of-00003.gguf` and so on as `llama-gguf-split` and the converters of llama.cpp name them. `split.no` (from 0),
 * `split.count` and `split.tensors.count` say which part one is; the first has the metadata of the model.
 */
import { partOfModel, partsDiffer, withoutPart } from "./errors.js";
import { type GgufHeader, readGgufHeader } from "./gguf-header.js";
import { optionalNumber } from "./metadata.js";
import { partFile } from "./part-files.js";
import { checkpointOf, tensorTable } from "./tensor-table.js";
import type { ByteSource, Checkpoint, Metadata, OpenBeside } from "./types.js";

/** Which part of a model a file is; numbers from 1 on. */
interface Part {
  readonly number: number;
  readonly count: number;
  /** Tensors of all parts together, where the file says it. */
  readonly tensors: number | undefined;
}

/** Undefined for a model in one file. */
function partOf(metadata: Metadata): Part | undefined {
  const count = optionalNumber(metadata, "split.count") ?? 1;
  if (count <= 1) return undefined;
  const tensors = optionalNumber(metadata, "split.tensors.count");
  return { number: (optionalNumber(metadata, "split.no") ?? 0) + 1, count, tensors };
}

/**
 * Read the header of a GGUF file, and of the files that hold the model together with it; tensor data is read later, on
 * demand, from where it lies.
 *
 * @param openBeside Opens the other parts by their names. Any part finds them all.
 * @throws MoecError MOE5101 to MOE5113 for everything that can be wrong with the bytes, MOE5127 for files that are not the
 * parts of one model, MOE5123 for a part without `openBeside`, and what `openBeside` throws for one that is not there.
 */
export function readGguf(source: ByteSource, openBeside?: OpenBeside): Checkpoint {
  const header = readGgufHeader(source);
  const part = partOf(header.metadata);
  if (part) return readParts(source, header, part, openBeside);
  const { metadata, tensors, dataStart } = header;
  return checkpointOf("gguf", metadata, tensorTable(tensors, [source], [dataStart]), [source]);
}

function readParts(source: ByteSource, own: GgufHeader, part: Part, openBeside: OpenBeside | undefined): Checkpoint {
  const named = partFile(source.name ?? "");
  if (!openBeside) throw partOfModel(part.number, part.count, source.name);
  if (!named) {
    throw partsDiffer(
      source.name,
      `it is ${textOf(part)}, and its name does not say so, by which the others are found`,
    );
  }
  const sources: ByteSource[] = [];
  const headers: GgufHeader[] = [];
  for (let number = 1; number <= named.count; number++) {
    const isOwn = number === named.number;
    const file = isOwn ? source : openPart(openBeside, named.nameOf(number), named.count);
    const header = isOwn ? own : readGgufHeader(file);
    const found = partOf(header.metadata);
    const wanted = { number, count: named.count };
    if (found?.number !== number || found.count !== named.count) {
      const is = found ? textOf(found) : "a model of its own";
      throw partsDiffer(file.name, `by its name it is ${textOf(wanted)}, by what it says ${is}`);
    }
    sources.push(file);
    headers.push(header);
    if (number > 1) refuseForeign(headers[0]!, header, file.name);
  }
  const infos = headers.flatMap(({ tensors }, index) => tensors.map((info) => ({ ...info, source: index })));
  const table = tensorTable(
    infos,
    sources,
    headers.map(({ dataStart }) => dataStart),
  );
  const [first] = headers;
  const { tensors: count = table.size } = partOf(first!.metadata)!;
  if (count !== table.size) {
    throw partsDiffer(sources[0]!.name, `it says that all have ${count} tensors together, and they have ${table.size}`);
  }
  return checkpointOf("gguf", withoutSplit(first!.metadata), table, sources);
}

function openPart(openBeside: OpenBeside, name: string, count: number): ByteSource {
  try {
    return openBeside(name);
  } catch (error) {
    throw withoutPart(error, count);
  }
}

const textOf = ({ number, count }: Pick<Part, "number" | "count">): string => `part ${number} of ${count}`;

/** What a later part says again must be what the first says; its alignment is for its own data. */
function refuseForeign({ metadata: first }: GgufHeader, { metadata }: GgufHeader, file: string | undefined): void {
  for (const [key, entry] of metadata) {
    const other = first.get(key);
    if (other === undefined || key === "split.no" || key === "general.alignment") continue;
    if (other.type === "array" || entry.type === "array") continue;
    if (entry.value !== other.value) {
      throw partsDiffer(file, `\`${key}\` is ${entry.value} there and ${other.value} in the first part`);
    }
  }
}

/** The metadata that the model has in one file. */
function withoutSplit(metadata: Metadata): Metadata {
  return new Map([...metadata].filter(([key]) => !key.startsWith("split.")));
}
