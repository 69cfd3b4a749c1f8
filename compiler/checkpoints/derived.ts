/** Tensors of checkpoints that follow from others or from the sizes of a model: a spec without them lacks nothing. */
import type { Checkpoint, TensorInfo } from "./types.js";

/** Frequencies of rotary embeddings, and numbers of positions. */
const COMPUTED = /(^|\.)(inv_freq|rope_freqs\.weight|position_ids|masked_bias)$/;
/** A causal mask under the name of a bias (GPT-2, GPT-NeoX); a real bias has fewer axes. */
const MASK = /(^|\.)(attn|attention)\.bias$/;
/** The output projection, by its names in safetensors and GGUF. */
const HEAD = /(^|\.)(lm_head|output)\.weight$/;

function isComputed({ name, shape }: TensorInfo): boolean {
  return COMPUTED.test(name) || (MASK.test(name) && shape.length === 4 && shape[2] === shape[3]);
}

/** Whether it is a stored copy of one of `read`, number for number: the embedding table of a model that ties both. */
function isTiedHead(checkpoint: Checkpoint, head: TensorInfo, read: readonly TensorInfo[]): boolean {
  if (!HEAD.test(head.name)) return false;
  const alike = read.filter(({ type, shape }) => type === head.type && shape.join() === head.shape.join());
  if (alike.length === 0) return false;
  return alike.some((other) => areSame(checkpoint, head, other));
}

/** Bytes of a tensor that are compared at a time. */
const CHUNK = 1 << 20;

function areSame(checkpoint: Checkpoint, one: TensorInfo, other: TensorInfo): boolean {
  if (one.byteLength !== other.byteLength) return false;
  for (let start = 0; start < one.byteLength; start += CHUNK) {
    const length = Math.min(CHUNK, one.byteLength - start);
    const here = checkpoint.readPart(one.name, start, length);
    const there = checkpoint.readPart(other.name, start, length);
    for (let at = 0; at < length; at++) if (here[at] !== there[at]) return false;
  }
  return true;
}

/** Those of a checkpoint's tensors that are not among `read` and do not follow from these. */
export function unreadTensors(checkpoint: Checkpoint, read: readonly TensorInfo[]): readonly TensorInfo[] {
  const names = new Set(read.map(({ name }) => name));
  const rest = [...checkpoint.tensors.values()].filter((info) => !names.has(info.name) && !isComputed(info));
  return rest.filter((info) => !isTiedHead(checkpoint, info, read));
}
