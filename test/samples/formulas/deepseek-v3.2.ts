/** DeepSeek-V3.2 by its formulas (DeepSeek-AI 2025, arXiv:2512.02556): sizes are those of the sample. */
import { add, attended, best, dot, gated, joined, layerNorm, mixed, part, rms, sigmoid, sum } from "./plain.js";
import { through, turned, type Layer, type Vector } from "./plain.js";
import type { Model } from "./models.js";

const [H, C, P, J, A, B, E, KEEP] = [4, 8, 4, 3, 6, 4, 8, 3];

/** The keys that each query reads. */
function chosen(xs: readonly Vector[], latents: readonly Vector[], at: Layer): ReadonlySet<number>[] {
  const keys = xs.map((x, t) => {
    const raw = joined([through(x, at("k_turned")), through(x, at("k"))]);
    const normed = layerNorm(raw, at("k_norm.weight"), at("k_norm.bias"), 1e-6);
    return joined([turned(normed.slice(0, B), t), normed.slice(B)]);
  });
  return xs.map((x, t) => {
    const moving = through(latents[t]!, at("q_turned"));
    const still = through(latents[t]!, at("q"));
    const weights = through(x, at("w"));
    const scores = keys.slice(0, t + 1).map((key) =>
      sum(
        Array.from({ length: J }, (_, j) => {
          const query = joined([turned(part(moving, j, B), t), part(still, j, A)]);
          return Math.max(0, dot(query, key)) * weights[j]!;
        }),
      ),
    );
    return new Set(best(scores, KEEP));
  });
}

function attention(xs: readonly Vector[], at: Layer): Vector[] {
  const queries = xs.map((x) => rms(through(x, at("q_down")), at("q_norm.weight"), 1e-6));
  const latents = xs.map((x) => rms(through(x, at("kv_down")), at("kv_norm.weight"), 1e-6));
  const shares = xs.map((x, t) => turned(through(x, at("k_turned")), t, true));
  const read = chosen(xs, queries, (name) => at(`indexer.${name}`));
  return xs.map((_, t) => {
    const still = through(queries[t]!, at("q_up"));
    const moving = through(queries[t]!, at("q_turned"));
    const heads = Array.from({ length: H }, (_, h) => {
      const query = joined([part(still, h, C), turned(part(moving, h, P), t, true)]);
      const keys = latents.map((z, s) => joined([part(through(z, at("k_up")), h, C), shares[s]!]));
      const values = latents.map((z) => part(through(z, at("v_up")), h, C));
      return attended(query, keys, values, 1 / Math.sqrt(C + P), (s) => s <= t && read[t]!.has(s));
    });
    return through(joined(heads), at("o"));
  });
}

function experts(x: Vector, at: Layer): Vector {
  const scores = through(x, at("route.w")).map(sigmoid);
  const two = best(add(scores, at("route.bias")), 2);
  const total = sum(two.map((e) => scores[e]!));
  const own = mixed(
    x,
    at,
    E,
    two.map((e) => [e, (2.5 * scores[e]!) / total]),
  );
  return add(own, gated(x, { gate: at("shared.gate"), up: at("shared.up"), down: at("shared.down") }));
}

export const deepseekV32: Model = (xs, _layer, at) => {
  const seen = attention(
    xs.map((x) => rms(x, at("norm1.weight"), 1e-6)),
    (name) => at(`attn.${name}`),
  );
  const h = xs.map((x, t) => add(x, seen[t]!));
  return h.map((x) => add(x, experts(rms(x, at("norm2.weight"), 1e-6), at)));
};
