/** GGUF models in several files, written as `llama-gguf-split` of llama.cpp writes them. */
import { type Checkpoint, type MetadataValue, writeGguf } from "../../compiler/checkpoints/index.js";

export interface PartOptions {
  /** What the names begin with. */
  readonly stem?: string;
  /** `--no-tensor-first-split`: the first part has the metadata alone. */
  readonly bareFirst?: boolean;
  /** Keys of a part, by its number from 1 on, in place of the right ones. */
  readonly keys?: Readonly<Record<number, Readonly<Record<string, MetadataValue>>>>;
}

/** The files by name: tensors in their order, about as many in each. */
export function ggufParts(
  model: Checkpoint,
  count: number,
  options: PartOptions = {},
): Readonly<Record<string, Uint8Array>> {
  const { stem = "model", bareFirst = false, keys = {} } = options;
  const tensors = [...model.tensors.values()];
  const holders = bareFirst ? count - 1 : count;
  const perPart = Math.ceil(tensors.length / holders);
  const number = (value: number): string => String(value).padStart(5, "0");
  const part = (at: number): readonly [string, Uint8Array] => {
    const from = (bareFirst ? at - 1 : at) * perPart;
    const own = tensors.slice(Math.max(0, from), Math.max(0, from + perPart));
    const metadata = new Map<string, MetadataValue>([
      ...(at === 0 ? model.metadata : []),
      ["split.no", { type: "u16", value: at }],
      ["split.count", { type: "u16", value: count }],
      ["split.tensors.count", { type: "i32", value: tensors.length }],
      ...Object.entries(keys[at + 1] ?? {}),
    ]);
    const sources = own.map(({ name, shape, type }) => ({ name, shape, type, data: () => model.read(name) }));
    return [`${stem}-${number(at + 1)}-of-${number(count)}.gguf`, writeGguf({ metadata, tensors: sources })];
  };
  return Object.fromEntries(Array.from({ length: count }, (_, at) => part(at)));
}
