/** Kimi Linear by its formulas (Kimi Team 2025, arXiv:2510.26692): sizes are those of the sample. */
import { add, attended, best, gated, joined, mixed, part, rms, scaled, sigmoid, silu, softplus, sum } from "./plain.js";
import { dot, through, times, type Layer, type Vector } from "./plain.js";
import type { Model } from "./models.js";

const [H, K, C, P, E] = [2, 8, 8, 4, 8];

/** Depthwise and causal, four taps. */
const convolved = (xs: readonly Vector[], taps: Vector): Vector[] =>
  xs.map((x, t) =>
    x.map((_, n) => sum([0, 1, 2, 3].map((i) => (t < i ? 0 : xs[t - i]![n]! * taps[i * x.length + n]!)))),
  );

function deltaAttention(xs: readonly Vector[], at: Layer): Vector[] {
  const mapped = (name: string): Vector[] =>
    convolved(
      xs.map((x) => through(x, at(name))),
      at(`${name}_conv.w`),
    ).map((row) => row.map(silu));
  const [qs, ks, vs] = [mapped("q"), mapped("k"), mapped("v")];
  const memory = Array.from({ length: H }, () => Array.from({ length: K }, () => new Float64Array(K)));
  return xs.map((x, t) => {
    const beta = through(x, at("beta")).map(sigmoid);
    const slow = add(through(through(x, at("decay_in")), at("decay_out")), at("decay_bias"));
    const gate = through(through(x, at("gate_in")), at("gate_out")).map(sigmoid);
    const heads = memory.map((state, h) => {
      const unit = (row: Vector): Vector => scaled(row, 1 / Math.sqrt(dot(row, row) + 1e-6));
      const q = scaled(unit(part(qs[t]!, h, K)), 1 / Math.sqrt(K));
      const k = unit(part(ks[t]!, h, K));
      const v = part(vs[t]!, h, K);
      // Diag(a), then I - beta k k', then beta k v'.
      for (let i = 0; i < K; i++) {
        const a = Math.exp(-Math.exp(at("rate")[h]!) * softplus(slow[h * K + i]!));
        state[i] = scaled(state[i]!, a);
      }
      const held = v.map((_, j) => sum(state.map((row, i) => k[i]! * row[j]!)));
      for (let i = 0; i < K; i++) state[i] = state[i]!.map((s, j) => s + beta[h]! * k[i]! * (v[j]! - held[j]!));
      return rms(
        v.map((_, j) => sum(state.map((row, i) => q[i]! * row[j]!))),
        at("outer.weight"),
        1e-5,
      );
    });
    return through(times(joined(heads), gate), at("o"));
  });
}

function latentAttention(xs: readonly Vector[], at: Layer): Vector[] {
  const latents = xs.map((x) => rms(through(x, at("kv_down")), at("kv_norm.weight"), 1e-6));
  const shares = xs.map((x) => through(x, at("k_share")));
  return xs.map((x, t) => {
    const query = through(x, at("q"));
    const heads = Array.from({ length: H }, (_, h) => {
      const keys = latents.map((z, s) => joined([part(through(z, at("k_up")), h, C), shares[s]!]));
      const values = latents.map((z) => part(through(z, at("v_up")), h, C));
      return attended(part(query, h, C + P), keys, values, 1 / Math.sqrt(C + P), (s) => s <= t);
    });
    return through(joined(heads), at("o"));
  });
}

function experts(x: Vector, at: Layer): Vector {
  const scores = through(x, at("route.w")).map(sigmoid);
  const chosen = best(add(scores, at("route.bias")), 2);
  const total = sum(chosen.map((e) => scores[e]!));
  const own = mixed(
    x,
    at,
    E,
    chosen.map((e) => [e, (2.446 * scores[e]!) / total]),
  );
  return add(own, gated(x, { gate: at("shared.gate"), up: at("shared.up"), down: at("shared.down") }));
}

export const kimiLinear: Model = (xs, layer, at) => {
  const normed = xs.map((x) => rms(x, at("norm1.weight"), 1e-5));
  const inner: Layer = (name) => at(`mix.${name}`);
  const seen = layer % 4 === 3 ? latentAttention(normed, inner) : deltaAttention(normed, inner);
  const h = xs.map((x, t) => add(x, seen[t]!));
  return h.map((x) => {
    const z = rms(x, at("norm2.weight"), 1e-5);
    if (layer > 0) return add(x, experts(z, at));
    return add(x, gated(z, { gate: at("ffn.gate"), up: at("ffn.up"), down: at("ffn.down") }));
  });
};
