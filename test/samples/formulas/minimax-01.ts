/** MiniMax-01 by its formulas (MiniMax 2025, arXiv:2501.08313): sizes are those of the sample. */
import { add, attended, best, dot, joined, mixed, part, rms, scaled, sigmoid, silu, softmax, sum } from "./plain.js";
import { through, times, turned, type Layer, type Vector } from "./plain.js";
import type { Model } from "./models.js";

const [L, H, G, C, P, E] = [4, 4, 2, 8, 4, 4];
const ALPHA = 3.5565588200778455;

/** In the form of all pairs: sum over s <= t of a^(t - s) (q_t k_s) v_s. */
function lightning(xs: readonly Vector[], layer: number, at: Layer): Vector[] {
  const [qs, ks, vs] = ["q", "k", "v"].map((name) => xs.map((x) => through(x, at(name)).map(silu)));
  const slope = 1 - layer / (L - 1) + 1e-5;
  return xs.map((x, t) => {
    const heads = Array.from({ length: H }, (_, h) => {
      const decay = Math.exp(-slope * 2 ** ((-8 * (h + 1)) / H));
      const weights = ks!.slice(0, t + 1).map((k, s) => decay ** (t - s) * dot(part(qs![t]!, h, C), part(k, h, C)));
      return weights.reduce<Vector>(
        (total, weight, s) => add(total, scaled(part(vs![s]!, h, C), weight)),
        new Float64Array(C),
      );
    });
    const normed = rms(joined(heads), at("gain"), 1e-6);
    return through(times(normed, through(x, at("gate")).map(sigmoid)), at("o"));
  });
}

/** The first P entries of each head turn. */
const partly = (row: Vector, heads: number, position: number): Vector =>
  joined(
    Array.from({ length: heads }, (_, h) => {
      const head = part(row, h, C);
      return joined([turned(head.slice(0, P), position), head.slice(P)]);
    }),
  );

function grouped(xs: readonly Vector[], at: Layer): Vector[] {
  const keys = xs.map((x, t) => partly(through(x, at("k")), G, t));
  const values = xs.map((x) => through(x, at("v")));
  return xs.map((x, t) => {
    const query = partly(through(x, at("q")), H, t);
    const heads = Array.from({ length: H }, (_, h) => {
      const of = (rows: readonly Vector[]): Vector[] => rows.map((row) => part(row, Math.floor((h * G) / H), C));
      return attended(part(query, h, C), of(keys), of(values), 1 / Math.sqrt(C), (s) => s <= t);
    });
    return through(joined(heads), at("o"));
  });
}

function experts(x: Vector, at: Layer): Vector {
  const chances = softmax([...through(x, at("route.w"))]);
  const two = best(chances, 2);
  const total = sum(two.map((e) => chances[e]!));
  return mixed(
    x,
    at,
    E,
    two.map((e) => [e, chances[e]! / total]),
  );
}

export const minimax01: Model = (xs, layer, at) => {
  const normed = xs.map((x) => rms(x, at("norm1.weight"), 1e-5));
  const inner: Layer = (name) => at(`mix.${name}`);
  const seen = layer % 4 === 3 ? grouped(normed, inner) : lightning(normed, layer, inner);
  return normed.map((n, t) => {
    const m = rms(add(scaled(n, ALPHA), seen[t]!), at("norm2.weight"), 1e-5);
    return add(
      scaled(m, ALPHA),
      experts(m, (name) => at(`moe.${name}`)),
    );
  });
};
