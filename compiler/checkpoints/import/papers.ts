/** What is said about each family in the comments of a spec: who wrote it down, and how its layers go. */
import type { FamilyName } from "../families/types.js";

export interface Paper {
  /** The family's own name. */
  readonly title: string;
  /** Authors, year and number, for the model's comment. */
  readonly source: string;
  /** What its layers do, for the layer's comment. */
  readonly layer: string;
}

/** A total map, so that a family without a comment does not compile. */
export const PAPERS: Readonly<Record<FamilyName, Paper>> = {
  llama: {
    title: "Llama",
    source: "Touvron et al. 2023, arXiv:2302.13971",
    layer: "One layer in the order of Llama: attention, then a gated network, each behind a norm.",
  },
  qwen2: {
    title: "Qwen2",
    source: "Yang et al. 2024, arXiv:2407.10671",
    layer: "One layer in the order of Llama; queries, keys and values have biases.",
  },
  qwen3: {
    title: "Qwen3",
    source: "Yang et al. 2025, arXiv:2505.09388",
    layer: "One layer in the order of Llama; every head of queries and keys has a norm.",
  },
  mixtral: {
    title: "Mixtral",
    source: "Jiang et al. 2024, arXiv:2401.04088",
    layer: "One layer: attention, then a mixture of experts whose chosen weights add up to one, each behind a norm.",
  },
  olmoe: {
    title: "OLMoE",
    source: "Muennighoff et al. 2024, arXiv:2409.02060",
    layer: "One layer: attention, then a mixture of many small experts, each behind a norm.",
  },
  "qwen2-moe": {
    title: "Qwen2-MoE",
    source: "Yang et al. 2024, arXiv:2407.10671",
    layer: "One layer: attention, then routed experts beside a shared one, each behind a norm.",
  },
  "qwen3-moe": {
    title: "Qwen3-MoE",
    source: "Yang et al. 2025, arXiv:2505.09388",
    layer: "One layer: attention, then a mixture of experts, each behind a norm.",
  },
  bert: {
    title: "BERT",
    source: "Devlin et al. 2018, arXiv:1810.04805",
    layer: "One layer: attention over the whole text, then a network; norms come after the residual sums.",
  },
};
