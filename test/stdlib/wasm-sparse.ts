/** How masks, experts, matrices and attention of the library are called for the comparison of targets. */
import type { Sample } from "./wasm-routers.js";

const block = (file: string, name: string, instance: string): Sample => ({
  file,
  name,
  model: `use m = ${name}${instance}\n  forward(x: [T, D = 8]) => m(x)`,
});

const mask = (file: string, name: string, parameters: string): Sample => ({
  file,
  name,
  model: `param q: [D = 8, H = 2, C = 4]\n  forward(x: [T, D]) => attend(x @ q, x @ q, x @ q, mask: ${name}${parameters})`,
});

export const sparseSamples: readonly Sample[] = [
  mask("masks/static", "Strided", "(3)"),
  mask("masks/static", "Fixed", "(3, 1)"),
  mask("masks/static", "Dilated", "(3, 2)"),
  mask("masks/static", "Band", "(2, 1)"),
  mask("masks/static", "Global", "(2)"),
  mask("masks/static", "BlockCausal", "(3)"),
  mask("masks/static", "Streaming", "(2, 3)"),
  mask("masks/lists", "Spans", "[2](2)"),
  mask("masks/blocks", "TopKeys", "(2)"),
  mask("masks/blocks", "BlockTopK", "(size: 2, keep: 2)"),
  mask("masks/blocks", "BlockSparse", "(size: 2, keep: 2)"),
  mask("masks/blocks", "Pages", "(size: 2, keep: 2)"),
  mask("masks/patterns", "VerticalSlash", "(last: 3, columns: 2, slashes: 2, sinks: 1, local: 1)"),
  mask("masks/patterns", "AnchorStripes", "(theta: 0.5, size: 2, sinks: 1, local: 1)"),
  block("experts/gated", "ClampedSwiGLU", "[8, 5]"),
  block("experts/gated", "TopReLU", "[8, 5](k: 2)"),
  block("experts/adapters", "LoRAMixture", "[8, 5, 3](rank: 2)"),
  block("experts/adapters", "MixLoRA", "[8, 5, 3](rank: 2)"),
  block("experts/adapters", "PESC", "[8, 5, 3](width: 3)"),
  block("experts/adapters", "SelfActivatedRanks", "[8, 5, 4](k: 2)"),
  block("experts/adapters", "CompressedExperts", "[8, 5, 4]"),
  block("experts/shared", "LatentMixture", "[8, 4, 5, 3, 4]"),
  block("experts/memory", "ProductMemory", "[8, 2, 3, 4](k: 3)"),
  block("experts/convolutional", "GatedConv", "[8]"),
  block("matrices/structured", "Monarch", "[8, 6](blocks: 2)"),
  block("matrices/structured", "BlockDense", "[8, 6, 4](blocks: 2)"),
  block("matrices/formats", "SparseTrained", "[8, 6]"),
  block("matrices/activations", "Informed", "[8, 6](keep: 3)"),
  block("attention/latent", "LinearAttention", "[8, 2, 4]"),
  // With one token every product of unit rows is 1 or -1 but for the last bit: the order of ties is that of rounding.
  { ...block("attention/latent", "TopChannels", "[8, 2, 6]"), tokens: [3, 7, 16, 31] },
  block("attention/latent", "StickBreaking", "[8, 2, 4]"),
  block("attention/mixtures", "AttentionExperts", "[8, 2, 4, 3]"),
  block("attention/mixtures", "SoftAttention", "[8, 2, 4, 3]"),
];
