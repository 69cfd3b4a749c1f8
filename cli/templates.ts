/** What `moec new` writes. The tests check, test, build and run every template. */
import { byteTokenizer } from "./byte-tokenizer.js";
import { libraryNames } from "./library.js";
import { PROJECT_FILE } from "./model-files.js";
import type { TextFile } from "./write-text-files.js";

export type TemplateName = "mixture" | "dense";

/** The spec of each template for a model of the given name. */
export const TEMPLATES: Readonly<Record<TemplateName, (name: string) => string>> = { mixture, dense };

/** Files of a project; a name that means something else in its spec or in the library gets `Model` behind it. */
export function projectFiles(template: TemplateName, name: string): readonly TextFile[] {
  const spec = TEMPLATES[template];
  const isTaken = libraryNames().has(name) || new RegExp(`\\b${name}\\b`).test(spec(""));
  return [
    { path: "model.moe", text: spec(isTaken ? `${name}Model` : name) },
    { path: PROJECT_FILE, text: projectText },
    { path: "tokenizer.json", text: byteTokenizer() },
    { path: ".gitignore", text: ".moec/\ndist/\n" },
  ];
}

const projectText = `# The project: what \`moec build\` puts together.
model: model.moe
quantization: q8_0
context: 256
out: dist/model
# Every byte of a text is a token: V = 256 of the model.
tokenizer: tokenizer.json
# Without weights, \`--random 1\` fills the model with noise.
# weights: model.safetensors
`;

function mixture(name: string): string {
  return `import { Attention, Causal, MoE, RMSNorm } from "std"

/// One layer: attention, then a mixture of experts, each behind a norm.
block Layer[D, H, G, C, F, E](k: int) {
  use norm1 = RMSNorm[D](epsilon: 1e-5)
  use attn  = Attention[D, H, G, C](mask: Causal, theta: 10_000)
  use norm2 = RMSNorm[D](epsilon: 1e-5)
  use moe   = MoE[D, F, E](k)
  (x: [T, D]) => {
    let h = x + attn(norm1(x))
    h + moe(norm2(h))
  }
}

/// A small language model whose feed-forward layers are mixtures: each token visits 2 of 8 experts.
model ${name}[V = 256, L = 2, D = 64, H = 4, G = 2, C = 16, F = 128, E = 8] {
  param tok: [V, D] = normal(0.02)
  stack layers = L of Layer[D, H, G, C, F, E](k: 2)
  use norm = RMSNorm[D](epsilon: 1e-5)
  forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ tok
}

test "a token has the experts that it has alone" {
  let moe = MoE[32, 48, 4](k: 2)
  let x = random([T = 5, D = 32], seed: 1)
  assert close(moe(x)[T: 3..4], moe(x[T: 3..4]))
}
`;
}

function dense(name: string): string {
  return `import { Attention, Causal, RMSNorm, SwiGLU } from "std"

/// One layer: attention, then a feed-forward network, each behind a norm.
block Layer[D, H, G, C, F] {
  use norm1 = RMSNorm[D](epsilon: 1e-5)
  use attn  = Attention[D, H, G, C](mask: Causal, theta: 10_000)
  use norm2 = RMSNorm[D](epsilon: 1e-5)
  use ffn   = SwiGLU[D, F]
  (x: [T, D]) => {
    let h = x + attn(norm1(x))
    h + ffn(norm2(h))
  }
}

/// A small language model without experts: the baseline of every mixture.
model ${name}[V = 256, L = 2, D = 64, H = 4, G = 2, C = 16, F = 256] {
  param tok: [V, D] = normal(0.02)
  stack layers = L of Layer[D, H, G, C, F]
  use norm = RMSNorm[D](epsilon: 1e-5)
  forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ tok
}

test "a token passes through the network as it does alone" {
  let ffn = SwiGLU[32, 48]
  let x = random([T = 5, D = 32], seed: 1)
  assert close(ffn(x)[T: 3], ffn(x[T: 3]))
}
`;
}
