/** What an ONNX file has for a spec: its tensors by name, those of equal layers in one line. */
import { UNREAD_KEY, valueCount } from "../compiler/checkpoints/index.js";
import type { Checkpoint, TensorInfo } from "../compiler/checkpoints/index.js";
import { openCheckpointFiles } from "./checkpoint-files.js";

/** Tensors that differ by one number in their names only. */
export interface TensorGroup {
  /** As a `weights onnx` block writes it. */
  readonly pattern: string;
  readonly shape: readonly number[];
  readonly type: string;
  readonly count: number;
}

export interface OnnxContents {
  readonly tensors: readonly TensorGroup[];
  /** Names with the reason why their numbers are not read. */
  readonly unread: readonly string[];
  readonly values: number;
}

/** @throws MoecError MOE5123 and what `readOnnx` throws. */
export function onnxContents(path: string): OnnxContents {
  const opened = openCheckpointFiles([path]);
  try {
    return contentsOf(opened.checkpoint);
  } finally {
    opened.close();
  }
}

export function contentsOf({ tensors, metadata }: Checkpoint): OnnxContents {
  const all = [...tensors.values()];
  const unread = metadata.get(UNREAD_KEY);
  return {
    tensors: groupsOf(all),
    unread: unread?.type === "array" && unread.of === "string" ? unread.values : [],
    values: all.reduce((sum, { shape, name }) => sum + valueCount(shape, name), 0),
  };
}

/** A number between dots is one of a layer; names with several of them keep the later ones. */
function patternOf(name: string): string {
  return name.replace(/(?<=^|\.)\d+(?=\.|$)/, "{i}");
}

function groupsOf(tensors: readonly TensorInfo[]): readonly TensorGroup[] {
  const groups = new Map<string, { readonly first: TensorInfo; count: number }>();
  for (const tensor of tensors) {
    const key = `${patternOf(tensor.name)} ${tensor.type} ${tensor.shape.join("x")}`;
    const known = groups.get(key);
    if (known) known.count++;
    else groups.set(key, { first: tensor, count: 1 });
  }
  return [...groups.values()].map(({ first: { name, shape, type }, count }) => ({
    pattern: count === 1 ? name : patternOf(name),
    shape,
    type,
    count,
  }));
}
