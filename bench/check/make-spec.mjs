/** A spec of about as many lines as asked for, of declarations as people write them: experts, routers, blocks, a model. */

/**
 * @param {number} lines At least this many lines.
 * @returns {string} The text of a file that checks without errors.
 */
export function makeSpec(lines) {
  const parts = ['import { RMSNorm, Attention, SwiGLU, TopK, Causal, Window, Sinks } from "std"\n'];
  const names = [];
  const count = () => parts.join("\n").split("\n").length;
  for (let i = 0; count() < lines - 30; i++) {
    names.push(`Layer${i}`);
    parts.push(`/// Feed-forward expert number ${i}.
expert Expert${i}[D, F] {
  param gate: [D, F]
  param up: [D, F]
  param down: [F, D]
  (x: [D]) => (silu(x @ gate) * (x @ up)) @ down
}

router Router${i}[D, E](k: int = 2, scale: float = ${i + 1}.0) {
  param w: [D, E]
  param bias: [E] = 0
  (x: [D]) => {
    let s = sigmoid(x @ w)
    let g = split(s + bias, E -> [G = 4, M])
    let best = top_mask(sum(top(g, 2, over: M), over: M), 2, over: G)
    choose(s, by: merge(where(best, g, -inf), [G, M] -> E), top: k, renormalize: true) * scale
  }
}

mask Near${i}(width: int = ${64 + i}) = (q, k) => q - k < width

block Layer${i}[D, H, G, C, F, E] {
  use norm1 = RMSNorm[D]
  use attn = Attention[D, H, G, C](mask: Causal & (Near${i} | Sinks(4)))
  use norm2 = RMSNorm[D]
  use route = Router${i}[D, E](k: 2)
  use experts = E of Expert${i}[D, F]
  use shared = SwiGLU[D, F]
  (x: [T, D]) => {
    let h = x + attn(norm1(x))
    h + mixture(norm2(h), route, experts, shared: shared)
  }
}
`);
  }
  const layers = names.map((name) => `  use ${name.toLowerCase()} = ${name}[D, H, G, C, F, E]`).join("\n");
  const calls = names.reduce((inner, name) => `${name.toLowerCase()}(${inner})`, "tok[V: tokens]");
  parts.push(`model Tiny[V = 512, D = 64, H = 4, G = 2, C = 16, F = 128, E = 16] {
  param tok: [V, D]
${layers}
  use norm = RMSNorm[D]
  forward(tokens: int[T]) -> f32[T, V] => norm(${calls}) @ tok
}
`);
  return parts.join("\n");
}
