/** The tensors of one model by moec's names, read from either format in one shape and one row order. */
import { noOutputTensor, noSuchTensor, wrongTensorShape } from "../errors.js";
import { STORAGE, toF32 } from "../storage.js";
import type { Checkpoint, StorageType, TensorInfo } from "../types.js";
import { requireTensor } from "../tensor-table.js";
import { FAMILIES } from "./detect.js";
import { reorderRows } from "./permute.js";
import type { FamilyConfig, TensorRule } from "./types.js";

/** One tensor that a model of this config has. */
export interface FamilyTensor {
  /** moec's name, such as `layers.3.query`. */
  readonly key: string;
  readonly rule: TensorRule;
  /** Outermost axis first. */
  readonly shape: readonly number[];
  /** Layer, for tensors that each layer has. */
  readonly layer: number | undefined;
}

/**
 * Every tensor of a model, outer ones first, then layer by layer.
 *
 * @example familyTensors(config).map(({ key }) => key) // ["embed", "norm", "layers.0.attention_norm", ...]
 */
export function familyTensors(config: FamilyConfig): FamilyTensor[] {
  const { tensors } = FAMILIES[config.family];
  const make = (rule: TensorRule, layer: number | undefined): FamilyTensor[] => {
    if (!(rule.when?.(config, layer ?? 0) ?? true)) return [];
    return [{ key: fill(rule.key, layer), rule, shape: rule.shape(config), layer }];
  };
  const outer = tensors.filter(({ key }) => !key.includes("{layer}"));
  const inner = tensors.filter(({ key }) => key.includes("{layer}"));
  const layers = Array.from({ length: config.layers }, (_, layer) => inner.flatMap((rule) => make(rule, layer)));
  return [...outer.flatMap((rule) => make(rule, undefined)), ...layers.flat()];
}

/** A name with its slots filled. */
export function fill(name: string, layer: number | undefined, prefix = "", expert = 0): string {
  return name.replace("{prefix}", prefix).replace("{layer}", String(layer)).replace("{expert}", String(expert));
}

/** Names of a tensor in a Hugging Face file: one, or one for each expert of a stack. */
export function hfNames({ rule, layer, shape }: FamilyTensor, prefix: string): string[] {
  const count = rule.hf.includes("{expert}") ? shape[0]! : 1;
  return Array.from({ length: count }, (_, expert) => fill(rule.hf, layer, prefix, expert));
}

/** A model's tensors by moec's names. */
export interface FamilyReader {
  /** In the order of `familyTensors`. */
  readonly tensors: readonly FamilyTensor[];
  /** Names of the file that no tensor of the family reads; not empty means that the spec may be incomplete. */
  readonly unused: readonly string[];
  /** Storage type of a tensor; "f32" when the experts of a stack are stored in different types. */
  typeOf(key: string): StorageType;
  /** Stored bytes in the order of `shape`, rotary rows in halves. */
  read(key: string): Uint8Array;
  readF32(key: string): Float32Array;
  /** The same piece by piece: one expert at a time where the file has a tensor for each. */
  partsF32(key: string): Iterable<Float32Array>;
}

/** Tensors that are computed from the config, or belong to heads that these families do not have here. */
const IGNORED = /(rotary_emb\.inv_freq|embeddings\.position_ids|^(bert\.)?pooler\.|^cls\.)/;

/**
 * Find all tensors of a model in a checkpoint.
 *
 * @param options.saidOwnOutput The config says that the output projection is not the embedding.
 * @throws MoecError MOE5116 when one is missing, MOE5122 when one has another shape than the config asks for.
 */
export function readFamilyTensors(
  checkpoint: Checkpoint,
  config: FamilyConfig,
  { saidOwnOutput = false }: { readonly saidOwnOutput?: boolean } = {},
): FamilyReader {
  const tensors = familyTensors(config);
  const prefix = prefixOf(checkpoint, config);
  const parts = new Map<string, { tensor: FamilyTensor; infos: TensorInfo[] }>();
  const used = new Set<string>();
  for (const tensor of tensors) {
    const names = checkpoint.format === "gguf" ? [fill(tensor.rule.gguf, tensor.layer)] : hfNames(tensor, prefix);
    const expected = partShape(checkpoint, tensor);
    const infos = names.map((name) => {
      used.add(name);
      if (saidOwnOutput && tensor.rule.key === "output" && !checkpoint.tensors.has(name)) {
        throw noOutputTensor(name, checkpoint.tensors);
      }
      return findTensor(checkpoint, name, expected);
    });
    parts.set(tensor.key, { tensor, infos });
  }
  const find = (key: string) => {
    const found = parts.get(key);
    if (found === undefined) throw noSuchTensor(key, []);
    return found;
  };
  const typeOf = (key: string): StorageType => {
    const types = new Set(find(key).infos.map(({ type }) => type));
    return types.size === 1 ? [...types][0]! : "f32";
  };
  const read = (key: string): Uint8Array => {
    const { tensor, infos } = find(key);
    const joined = join(checkpoint, infos);
    const heads = tensor.rule.interleavedHeads?.(config);
    if (checkpoint.format !== "gguf" || heads === undefined) return joined;
    return reorderRows(joined, tensor.shape[0]!, heads, "to-halves");
  };
  const readF32 = (key: string): Float32Array => toF32(typeOf(key), read(key));
  function* partsF32(key: string): Generator<Float32Array, void, undefined> {
    const { infos } = find(key);
    if (infos.length === 1) yield readF32(key);
    else for (const { name } of infos) yield checkpoint.readF32(name);
  }
  const unused = [...checkpoint.tensors.keys()].filter((name) => !used.has(name) && !IGNORED.test(name));
  return { tensors, unused, typeOf, read, readF32, partsF32 };
}

/** The prefix under which the first tensor is found; the family's first one when there is none. */
function prefixOf(checkpoint: Checkpoint, config: FamilyConfig): string {
  const { prefixes, tensors } = FAMILIES[config.family];
  const found = prefixes.find((prefix) => checkpoint.tensors.has(fill(tensors[0]!.hf, undefined, prefix)));
  return found ?? prefixes[0]!;
}

/** Shape of one stored tensor: Hugging Face files hold the parts of a stack one by one. */
function partShape({ format }: Checkpoint, { shape, rule }: FamilyTensor): readonly number[] {
  return format === "safetensors" && rule.hf.includes("{expert}") ? shape.slice(1) : shape;
}

function findTensor(checkpoint: Checkpoint, name: string, expected: readonly number[]): TensorInfo {
  const info = requireTensor(checkpoint.tensors, name);
  const withoutOnes = (shape: readonly number[]): string => shape.filter((size) => size !== 1).join();
  if (withoutOnes(info.shape) !== withoutOnes(expected)) throw wrongTensorShape(name, info.shape, expected);
  return info;
}

/** Experts of a stack one behind the other; in f32 when they are stored in different types. */
function join(checkpoint: Checkpoint, infos: readonly TensorInfo[]): Uint8Array {
  if (infos.length === 1) return checkpoint.read(infos[0]!.name);
  const mixed = new Set(infos.map(({ type }) => type)).size > 1;
  const sizeOf = ({ type, byteLength }: TensorInfo): number =>
    mixed ? (byteLength / STORAGE[type].blockBytes) * STORAGE[type].blockValues * 4 : byteLength;
  const joined = new Uint8Array(infos.reduce((sum, info) => sum + sizeOf(info), 0));
  let at = 0;
  for (const info of infos) {
    const bytes = checkpoint.read(info.name);
    const values = mixed ? toF32(info.type, bytes) : bytes;
    joined.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return joined;
}
