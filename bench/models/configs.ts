/** Designs of the seeded random models that benches make. */
import type { FamilyConfig } from "../../compiler/checkpoints/families/index.js";
import { plainConfig } from "../../test/support/tiny-checkpoints.js";

const base = { ...plainConfig, experts: 64, expertsPerToken: 8, context: 2048 } as const;

/**
 * `small`: the OLMoE design at 454 million parameters. `layer`: two layers of the benchmark's size with hardly anything
 * around them; of the last one llama.cpp computes the experts for the last token of a prompt only, so it takes two to see
 * what one costs.
 */
export const CONFIGS: Readonly<Record<"small" | "layer", FamilyConfig>> = {
  small: {
    ...base,
    family: "olmoe",
    qkNorm: "full",
    layers: 8,
    width: 1024,
    heads: 16,
    kvHeads: 16,
    headWidth: 64,
    vocab: 8192,
    expertWidth: 256,
  },
  layer: {
    ...base,
    family: "qwen3-moe",
    qkNorm: "head",
    normalizeTopK: true,
    layers: 2,
    width: 2048,
    heads: 2,
    kvHeads: 2,
    headWidth: 64,
    vocab: 512,
    expertWidth: 1024,
  },
};
