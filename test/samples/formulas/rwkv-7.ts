/** RWKV-7 by its formulas (Peng et al. 2025, arXiv:2503.14456): sizes are those of the sample. */
import {
  add,
  dot,
  joined,
  layerNorm,
  part,
  scaled,
  sigmoid,
  through,
  times,
  type Layer,
  type Vector,
} from "./plain.js";
import type { Model } from "./models.js";

const [H, C] = [2, 8];
const OFF = Math.exp(-0.5);

/** x and what the token before it has more. */
const shifted = (xs: readonly Vector[]): Vector[] =>
  xs.map((x, t) => add(xs[t - 1] ?? new Float64Array(x.length), scaled(x, -1)));

/** The values of the first layer are those that all others mix in. */
function timeMix(xs: readonly Vector[], at: Layer, first: Vector[], isFirst: boolean): Vector[] {
  const change = shifted(xs);
  const memory = Array.from({ length: H }, () => Array.from({ length: C }, () => new Float64Array(C)));
  return xs.map((x, t) => {
    const [xr, xw, xk, xv, xa, xg] = [0, 1, 2, 3, 4, 5].map((m) =>
      add(x, times(change[t]!, part(at("mix"), m, x.length))),
    ) as [Vector, Vector, Vector, Vector, Vector, Vector];
    const low = (name: string, row: Vector, bend = (v: number): number => v): Vector =>
      add(through(through(row, at(`${name}.a`)).map(bend), at(`${name}.b`)), at(`${name}.bias`));
    const r = through(xr, at("r"));
    const w = low("decay", xw, Math.tanh).map((v) => Math.exp(-OFF * sigmoid(v)));
    const k = through(xk, at("k"));
    const plain = through(xv, at("v"));
    if (isFirst) first[t] = plain;
    const share = low("old", xv).map(sigmoid);
    const v = isFirst ? plain : plain.map((value, i) => value + (first[t]![i]! - value) * share[i]!);
    const a = low("rate", xa).map(sigmoid);
    const g = through(through(xg, at("gate_in")).map(sigmoid), at("gate_out"));
    const heads = memory.map((state, h) => {
      const of = (row: Vector): Vector => part(row, h, C);
      const key = of(k);
      const own = of(a);
      const dir = times(key, of(at("xi")));
      const n = scaled(dir, 1 / Math.sqrt(dot(dir, dir) + 1e-12));
      const kept = key.map((value, i) => value * (1 + (own[i]! - 1) * of(at("alpha"))[i]!));
      for (let i = 0; i < C; i++) {
        const held = dot(state[i]!, n);
        state[i] = state[i]!.map((s, j) => s * of(w)[j]! - held * own[j]! * n[j]! + of(v)[i]! * kept[j]!);
      }
      const y = of(v).map((_, i) => dot(state[i]!, of(r)));
      const normed = layerNorm(y, of(at("gain")), of(at("bias")), 64e-5);
      return add(normed, scaled(of(v), dot(times(of(r), kept), of(at("bonus")))));
    });
    return through(times(joined(heads), g), at("o"));
  });
}

function channelMix(xs: readonly Vector[], at: Layer): Vector[] {
  const change = shifted(xs);
  return xs.map((x, t) =>
    through(
      through(add(x, times(change[t]!, at("mix"))), at("up")).map((v) => Math.max(0, v) ** 2),
      at("down"),
    ),
  );
}

export function rwkv7(): Model {
  const first: Vector[] = [];
  return (xs, layer, at) => {
    const normed = (rows: readonly Vector[], name: string): Vector[] =>
      rows.map((x) => layerNorm(x, at(`${name}.weight`), at(`${name}.bias`), 1e-5));
    const seen = timeMix(normed(xs, "norm1"), (name) => at(`time.${name}`), first, layer === 0);
    const h = xs.map((x, t) => add(x, seen[t]!));
    const changed = channelMix(normed(h, "norm2"), (name) => at(`channels.${name}`));
    return h.map((x, t) => add(x, changed[t]!));
  };
}
