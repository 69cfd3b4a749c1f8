/** The spec of BERT: an encoder with learned positions and token types, norms after the residual sums. */
import type { FamilyConfig } from "../families/types.js";
import type { Layers } from "./layers.js";
import { PAPERS } from "./papers.js";
import type { Pooling } from "./pooling.js";
import { numberText } from "./text.js";

/** Functions of the language for the activations that encoders have. */
const ACTIVATIONS: Readonly<Record<FamilyConfig["activation"], string>> = {
  silu: "silu",
  gelu: "gelu",
  gelu_tanh: "gelu_tanh",
  relu: "relu",
};

/** The layers of an encoder. */
export function encoderLayers(config: FamilyConfig): Layers {
  const norm = `LayerNorm[D](epsilon: ${numberText(config.normEps)})`;
  const declarations = `/// Attention of H heads of width C, in which every token sees all tokens.
block SelfAttention[D, H, C] {
  param q: [D, H, C]
  param q_bias: [H, C]
  param k: [D, H, C]
  param k_bias: [H, C]
  param v: [D, H, C]
  param v_bias: [H, C]
  param o: [H, C, D]
  param o_bias: [D]
  (x: [T, D]) => {
    let keys = (x @ k + k_bias)[T -> S]
    let values = (x @ v + v_bias)[T -> S]
    let seen = attend(x @ q + q_bias, keys, values, mask: Everything, scale: 1 / sqrt(C))
    contract(seen, o, over: [H, C]) + o_bias
  }
}

/// Two products with biases and an activation between them.
expert FeedForward[D, F] {
  param up: [D, F]
  param up_bias: [F]
  param down: [F, D]
  param down_bias: [D]
  (x: [D]) => ${ACTIVATIONS[config.activation]}(x @ up + up_bias) @ down + down_bias
}

/// ${PAPERS.bert.layer}
block Layer[D, H, C, F] {
  use attn = SelfAttention[D, H, C]
  use norm1 = ${norm}
  use ffn = FeedForward[D, F]
  use norm2 = ${norm}
  (x: [T, D]) => {
    let h = norm1(x + attn(x))
    norm2(h + ffn(h))
  }
}`;
  return { imports: ["Everything", "LayerNorm"], declarations, stack: "stack layers = L of Layer[D, H, C, F]" };
}

/** Members of the model in front of its weights. @param pooling How one vector is made of those of the tokens. */
export function encoderMembers(config: FamilyConfig, stack: string, pooling?: Pooling): string {
  return `param tok: [V, D]
param positions: [P, D]
param types: [Y, D]
use norm = LayerNorm[D](epsilon: ${numberText(config.normEps)})
${stack}

${entry(pooling)}`;
}

function entry(pooling: Pooling | undefined): string {
  const layers = "layers(norm(tok[V: tokens] + positions[P: index(T)] + types[Y: token_types]))";
  const inputs = "encode(tokens: int[T], token_types: int[T])";
  const types = "`types` is 0 for the first text and 1 for the second.";
  if (!pooling) return `/// A vector for each token; ${types}\n${inputs} -> f32[T, D] =>\n  ${layers}`;
  const { kind, normalize } = pooling;
  const what = kind === "mean" ? "the mean of its tokens' vectors" : "the vector of its first token";
  return `/// The vector of a text: ${what}${normalize ? ", brought to length 1" : ""}; ${types}
${inputs} -> f32[D] => {
  let rows = ${layers}
  ${normalize ? "let v = " : ""}${kind === "mean" ? "mean(rows, over: T)" : "rows[T: 0]"}${normalize ? "\n  v / max(sqrt(sum(v * v, over: D)), 1e-12)" : ""}
}`;
}
