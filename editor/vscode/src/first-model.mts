/** What a new model begins with. */
export const FIRST_MODEL = `import { RMSNorm, Attention, MoE, Causal } from "std"

/// One layer: attention, then a mixture of experts, both behind a norm and a residual.
block Layer[D, H, G, C, F, E](k: int) {
  use norm1 = RMSNorm[D]
  use attn  = Attention[D, H, G, C](mask: Causal)
  use norm2 = RMSNorm[D]
  use moe   = MoE[D, F, E](k)
  (x: [T, D]) => {
    let h = x + attn(norm1(x))
    h + moe(norm2(h))
  }
}

/// A small language model with two of eight experts at work for a token.
model First[V = 256, L = 2, D = 64, H = 4, G = 2, C = 16, F = 128, E = 8](k: int = 2) {
  param tok: [V, D]
  stack layers = L of Layer[D, H, G, C, F, E](k)
  use norm = RMSNorm[D]
  forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ tok
}

test "a norm leaves the root of the mean square at one" {
  let x: [D = 4] = [1, 2, 3, 4]
  let y = RMSNorm[D]()(x)
  assert abs(mean(y * y, over: D) - 1) < 0.01
}
`;
