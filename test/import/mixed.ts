/** GGUF files with tensors in several block formats, as quantizers mix them: random blocks with scales of a fitting size. */
import {
  familyTensors,
  type FamilyConfig,
  ggufMetadata,
  ggufTensors,
} from "../../compiler/checkpoints/families/index.js";
import { f32ToF16 } from "../../compiler/checkpoints/half.js";
import { STORAGE, writeGguf, type StorageType } from "../../compiler/checkpoints/index.js";
import { random } from "../kernels/memory.js";
import { tinyConfigs, tinyValues, tinyVocabulary } from "../support/tiny-checkpoints.js";

/**
 * Rows of whole blocks of 256. Every token goes to all experts, so that no choice can fall another way on one side of a
 * comparison.
 */
export const mixedConfig: FamilyConfig = {
  ...tinyConfigs.mixtral,
  width: 256,
  heads: 4,
  kvHeads: 2,
  headWidth: 64,
  experts: 4,
  expertsPerToken: 4,
  expertWidth: 256,
};

/** Which format a tensor gets, by its name in the file; vectors and routers stay f32. */
export type Mix = (name: string) => StorageType;

/** What llama.cpp's quantizer makes of such a model for Q4_K_M: more bits for values, outputs and half of the layers. */
export const q4KM: Mix = (name) =>
  name === "output.weight" || /^blk\.0\.(attn_v|ffn_down)/.test(name)
    ? "q6_K"
    : /ffn_gate_exps/.test(name)
      ? "q5_K"
      : "q4_K";

/** Q4_0 and its relatives of 32 values. */
export const q40: Mix = (name) => {
  if (name === "output.weight") return "q6_K";
  if (name.startsWith("blk.0.ffn_down")) return "q4_1";
  if (name.startsWith("blk.1.attn_v")) return "q5_0";
  if (name.startsWith("blk.1.attn_output")) return "q5_1";
  return name.startsWith("blk.0.attn_output") ? "q8_0" : "q4_0";
};

/** Where a block has f16 numbers, and what they are for values of about `spread`. */
function halvesOf(type: StorageType, spread: number): readonly (readonly [at: number, value: number])[] {
  switch (type) {
    case "q8_0":
      return [[0, spread / 127]];
    case "q4_0":
      return [[0, spread / 8]];
    case "q5_0":
      return [[0, spread / 16]];
    case "q4_1":
      return [
        [0, spread / 8],
        [2, -spread],
      ];
    case "q5_1":
      return [
        [0, spread / 16],
        [2, -spread],
      ];
    // Scales and minima of 6 bits around 32, quants around 7.5 and 15.5.
    case "q4_K":
      return [
        [0, spread / 512],
        [2, (7.5 * spread) / 512],
      ];
    case "q5_K":
      return [
        [0, spread / 1024],
        [2, (15.5 * spread) / 1024],
      ];
    case "q6_K":
      return [[208, spread / 4096]];
    default:
      throw new RangeError(`no blocks of ${type} here`);
  }
}

function blocks(type: StorageType, count: number, spread: number, next: () => number): Uint8Array {
  const { blockBytes, blockValues } = STORAGE[type];
  const bytes = new Uint8Array((count / blockValues) * blockBytes).map(() => Math.floor(next() * 256));
  const halves = halvesOf(type, spread).map(([at, value]) => [at, f32ToF16(value)] as const);
  for (let start = 0; start < bytes.length; start += blockBytes) {
    for (const [at, half] of halves) bytes.set([half & 255, half >> 8], start + at);
  }
  return bytes;
}

export function mixedGguf(mix: Mix, config = mixedConfig): Uint8Array {
  const next = random(5);
  const rules = familyTensors(config);
  const tensors = ggufTensors(config, (tensor) => tinyValues(tensor), "f32").map((tensor, index) => {
    if (!rules[index]!.rule.matrix) return tensor;
    const type = mix(tensor.name);
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    const spread = tensor.name === "token_embd.weight" ? Math.sqrt(3) : Math.sqrt(3 / tensor.shape.at(-1)!);
    return { ...tensor, type, data: () => blocks(type, count, spread, next) };
  });
  const metadata = new Map([...ggufMetadata(config, "mixed"), ...tinyVocabulary(config.vocab)]);
  return writeGguf({ metadata, tensors });
}
