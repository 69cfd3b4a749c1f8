/** Shapes of the models that the native device is compared on. Weights are noise: only times are read off them. */
import type { FamilyConfig } from "../../compiler/checkpoints/families/index.js";
import { tinyConfigs } from "../../test/support/tiny-checkpoints.js";

/** OLMoE-1B-7B: 6.9 billion parameters, 1.3 active. */
const olmoe: FamilyConfig = {
  ...tinyConfigs.olmoe,
  ...{ layers: 16, width: 2048, heads: 16, kvHeads: 16, headWidth: 128, vocab: 50_304, context: 4096 },
  ...{ experts: 64, expertsPerToken: 8, expertWidth: 1024 },
};

/** Common to the small ones. */
const small = { layers: 8, width: 1024, headWidth: 64, heads: 16, vocab: 8192, context: 4096 };

export const shapes: Readonly<Record<string, FamilyConfig>> = {
  olmoe,
  /** Four of its layers, for machines without 12 GB to spare. */
  "olmoe-4": { ...olmoe, layers: 4 },
  /** 454 million parameters: the cost of each operation decides. */
  "olmoe-small": {
    ...olmoe,
    ...{ layers: 8, width: 1024, heads: 8, kvHeads: 8, vocab: 8192, expertWidth: 256 },
  },
  /** 14 million parameters: to see that everything runs. */
  "olmoe-tiny": {
    ...olmoe,
    ...{ layers: 2, width: 512, heads: 8, kvHeads: 8, headWidth: 64, vocab: 8192, experts: 8, expertWidth: 256 },
    expertsPerToken: 2,
  },
  "mixtral-small": { ...tinyConfigs.mixtral, ...small, kvHeads: 4, experts: 8, expertsPerToken: 2, expertWidth: 2048 },
  "qwen3-small": {
    ...tinyConfigs["qwen3-moe"],
    ...small,
    kvHeads: 4,
    experts: 64,
    expertsPerToken: 8,
    expertWidth: 256,
  },
  /** Llama 3.2 1B. */
  "llama-1b": {
    ...tinyConfigs.mixtral,
    ...{
      family: "llama",
      layers: 16,
      width: 2048,
      heads: 32,
      kvHeads: 8,
      headWidth: 64,
      vocab: 128_256,
      context: 4096,
    },
    ...{ experts: 0, expertsPerToken: 0, expertWidth: 0, ffnWidth: 8192, tied: true, normalizeTopK: false },
  },
};
