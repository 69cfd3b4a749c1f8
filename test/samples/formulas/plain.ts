/** Plain loops over f64 that formulas of papers are made of: nothing of the language or its evaluator is used. */
export type Vector = Float64Array<ArrayBuffer>;

export const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);
export const dot = (a: Vector, b: Vector): number => a.reduce((total, value, i) => total + value * b[i]!, 0);
export const add = (a: Vector, b: Vector): Vector => a.map((value, i) => value + b[i]!);
export const scaled = (a: Vector, by: number): Vector => a.map((value) => value * by);
export const times = (a: Vector, b: Vector): Vector => a.map((value, i) => value * b[i]!);
export const part = (x: Vector, index: number, size: number): Vector => x.slice(index * size, (index + 1) * size);
export const joined = (parts: readonly Vector[]): Vector => Float64Array.from(parts.flatMap((each) => [...each]));
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const silu = (x: number): number => x * sigmoid(x);
export const softplus = (x: number): number => Math.log(1 + Math.exp(x));

/** x of width D times a matrix [D, N]. */
export function through(x: Vector, matrix: Vector): Vector {
  const columns = matrix.length / x.length;
  return Float64Array.from({ length: columns }, (_, c) =>
    x.reduce((total, value, i) => total + value * matrix[i * columns + c]!, 0),
  );
}

export function rms(x: Vector, gain: Vector | undefined, epsilon: number): Vector {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + epsilon);
  return x.map((value, i) => value * scale * (gain?.[i] ?? 1));
}

export function layerNorm(x: Vector, gain: Vector, bias: Vector, epsilon: number): Vector {
  const mean = sum(x) / x.length;
  return add(
    rms(
      x.map((value) => value - mean),
      gain,
      epsilon,
    ),
    bias,
  );
}

/** The places of the `count` greatest, ties to the lower place. */
export const best = (scores: ArrayLike<number>, count: number): number[] =>
  Array.from(scores)
    .map((_, i) => i)
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, count);

export function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = sum(powers);
  return powers.map((value) => value / total);
}

/** A head whose entries turn with its position: entry i with i + half, or neighbours. */
export function turned(head: Vector, position: number, neighbours = false, theta = 10_000): Vector {
  const half = head.length / 2;
  const out = head.slice();
  for (let i = 0; i < half; i++) {
    const [a, b] = neighbours ? [2 * i, 2 * i + 1] : [i, i + half];
    const angle = position * theta ** ((-2 * i) / head.length);
    out[a] = head[a]! * Math.cos(angle) - head[b]! * Math.sin(angle);
    out[b] = head[b]! * Math.cos(angle) + head[a]! * Math.sin(angle);
  }
  return out;
}

/** The weighted sum of the values of the keys that `sees` allows; scores are scaled. */
export function attended(
  query: Vector,
  keys: readonly Vector[],
  values: readonly Vector[],
  scale: number,
  sees: (key: number) => boolean,
): Vector {
  const open = keys.map((_, key) => key).filter(sees);
  const weights = softmax(open.map((key) => dot(query, keys[key]!) * scale));
  return open.reduce<Vector>(
    (total, key, i) => add(total, scaled(values[key]!, weights[i]!)),
    new Float64Array(values[0]!.length),
  );
}

export interface Gated {
  readonly gate: Vector;
  readonly up: Vector;
  readonly down: Vector;
}

/** SwiGLU with matrices whose inputs come first. */
export const gated = (x: Vector, { gate, up, down }: Gated): Vector =>
  through(times(through(x, gate).map(silu), through(x, up)), down);

/** Parameters of a layer by name. */
export type Layer = (name: string) => Vector;

/** A weighted sum of chosen SwiGLU experts, of `count` in all. */
export function mixed(
  x: Vector,
  layer: Layer,
  count: number,
  chosen: readonly (readonly [expert: number, weight: number])[],
): Vector {
  const of = (name: string, expert: number): Vector => {
    const all = layer(`experts.${name}`);
    return part(all, expert, all.length / count);
  };
  return chosen.reduce<Vector>(
    (total, [expert, weight]) =>
      add(
        total,
        scaled(gated(x, { gate: of("gate", expert), up: of("up", expert), down: of("down", expert) }), weight),
      ),
    new Float64Array(x.length),
  );
}
