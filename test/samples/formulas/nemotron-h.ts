/** Nemotron-H by its formulas (NVIDIA 2025, arXiv:2504.03624; Mamba-2: arXiv:2405.21060): sizes are those of the sample. */
import {
  add,
  attended,
  dot,
  joined,
  part,
  rms,
  silu,
  softplus,
  sum,
  through,
  times,
  type Layer,
  type Vector,
} from "./plain.js";
import type { Model } from "./models.js";

const [H, P, G, N, J] = [4, 8, 2, 6, 4];
const [HEADS, GROUPS, C] = [4, 2, 8];

function mamba2(xs: readonly Vector[], at: Layer): Vector[] {
  const raw = xs.map((x) => through(x, at("xbc")));
  const width = raw[0]!.length;
  const memory = Array.from({ length: H }, () => Array.from({ length: P }, () => new Float64Array(N)));
  return xs.map((x, t) => {
    // The last tap is the token's own.
    const u = Float64Array.from({ length: width }, (_, a) => {
      const taps = Array.from({ length: J }, (_, j) => (raw[t - (J - 1) + j]?.[a] ?? 0) * at("kernel")[a * J + j]!);
      return silu(sum(taps) + at("conv_bias")[a]!);
    });
    const step = add(through(x, at("dt")), at("dt_bias")).map(softplus);
    const z = through(x, at("z"));
    const y = memory.map((state, h) => {
      const group = Math.floor((h * G) / H);
      const own = u.slice(h * P, (h + 1) * P);
      const write = u.slice(H * P + group * N, H * P + (group + 1) * N);
      const read = u.slice(H * P + (G + group) * N, H * P + (G + group + 1) * N);
      const kept = Math.exp(-Math.exp(at("rate")[h]!) * step[h]!);
      for (let p = 0; p < P; p++) state[p] = state[p]!.map((s, n) => s * kept + step[h]! * own[p]! * write[n]!);
      return own.map((value, p) => dot(state[p]!, read) + at("skip")[h]! * value);
    });
    const gatedRow = times(joined(y), z.map(silu));
    const size = (H * P) / G;
    const normed = joined(Array.from({ length: G }, (_, g) => rms(part(gatedRow, g, size), undefined, 1e-5)));
    return through(times(normed, at("gain")), at("out"));
  });
}

function attention(xs: readonly Vector[], at: Layer): Vector[] {
  const keys = xs.map((x) => through(x, at("k")));
  const values = xs.map((x) => through(x, at("v")));
  return xs.map((x, t) => {
    const query = through(x, at("q"));
    const heads = Array.from({ length: HEADS }, (_, h) => {
      const group = Math.floor((h * GROUPS) / HEADS);
      const of = (rows: readonly Vector[]): Vector[] => rows.map((row) => part(row, group, C));
      return attended(part(query, h, C), of(keys), of(values), 1 / Math.sqrt(C), (s) => s <= t);
    });
    return through(joined(heads), at("o"));
  });
}

export const nemotronH: Model = (xs, layer, at) => {
  const normed = xs.map((x) => rms(x, at("norm.weight"), 1e-5));
  const inner: Layer = (name) => at(`mixer.${name}`);
  const feed = (x: Vector): Vector =>
    through(
      through(x, inner("up")).map((value) => Math.max(0, value) ** 2),
      inner("down"),
    );
  const mixedRows = layer % 2 === 0 ? mamba2(normed, inner) : layer === 3 ? attention(normed, inner) : normed.map(feed);
  return xs.map((x, t) => add(x, mixedRows[t]!));
};
