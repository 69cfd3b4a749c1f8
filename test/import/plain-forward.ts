/**
 * The families' math once more, as plain loops over f64 straight from a config, without the language, its library or
 * its evaluator: what imported specs are compared with. Slow and obvious on purpose.
 */
import type { FamilyConfig, FamilyTensor } from "../../compiler/checkpoints/families/index.js";
import { familyTensors } from "../../compiler/checkpoints/families/index.js";

type Vector = Float64Array;

export class PlainModel {
  /**
   * For each choice of experts how narrow it was: the distance between the last chosen and the best of the others,
   * divided by the root mean square of the logits.
   */
  readonly gaps: { readonly layer: number; readonly position: number; readonly gap: number }[] = [];
  private readonly tensors = new Map<string, Float64Array>();

  constructor(
    private readonly config: FamilyConfig,
    values: (tensor: FamilyTensor) => Float32Array,
  ) {
    for (const tensor of familyTensors(config)) this.tensors.set(tensor.key, Float64Array.from(values(tensor)));
  }

  /** Logits (or an encoder's vectors) after every position of `ids`. */
  forward(ids: readonly number[], types: readonly number[] = ids.map(() => 0)): Vector[] {
    return this.config.family === "bert" ? this.encode(ids, types) : this.decode(ids);
  }

  private get(key: string): Float64Array {
    const found = this.tensors.get(key);
    if (!found) throw new Error(`no tensor ${key}`);
    return found;
  }

  private row(key: string, at: number): Vector {
    const { width } = this.config;
    return this.get(key).slice(at * width, (at + 1) * width);
  }

  private decode(ids: readonly number[]): Vector[] {
    const { layers, tied, normEps } = this.config;
    let stream = ids.map((id) => this.row("embed", id));
    for (let layer = 0; layer < layers; layer++) {
      const at = (name: string): string => `layers.${layer}.${name}`;
      const seen = this.attention(
        layer,
        stream.map((x) => rms(x, this.get(at("attention_norm")), normEps)),
      );
      stream = stream.map((x, t) => add(x, seen[t]!));
      stream = stream.map((x, t) => add(x, this.network(layer, rms(x, this.get(at("ffn_norm")), normEps), t)));
    }
    return stream.map((x) => product(this.get(tied ? "embed" : "output"), rms(x, this.get("norm"), normEps)));
  }

  private encode(ids: readonly number[], types: readonly number[]): Vector[] {
    const { layers, normEps, activation } = this.config;
    const norm = (x: Vector, key: string): Vector => layerNorm(x, this.get(key), this.get(`${key}_bias`), normEps);
    const linear = (x: Vector, key: string): Vector => add(product(this.get(key), x), this.get(`${key}_bias`));
    let stream = ids.map((id, t) =>
      norm(
        add(add(this.row("embed", id), this.row("position_embed", t)), this.row("type_embed", types[t]!)),
        "embed_norm",
      ),
    );
    for (let layer = 0; layer < layers; layer++) {
      const at = (name: string): string => `layers.${layer}.${name}`;
      const seen = this.attention(layer, stream);
      stream = stream.map((x, t) => norm(add(x, seen[t]!), at("attention_norm")));
      stream = stream.map((x) => {
        const hidden = linear(x, at("up")).map(ACTIVATIONS[activation]);
        return norm(add(x, linear(hidden, at("down"))), at("ffn_norm"));
      });
    }
    return stream;
  }

  private attention(layer: number, stream: readonly Vector[]): Vector[] {
    const { heads, kvHeads, headWidth, slidingWindow, family, outputBias } = this.config;
    const queries = stream.map((x, t) => this.project(layer, "query", x, t));
    const keys = stream.map((x, t) => this.project(layer, "key", x, t));
    const values = stream.map((x, t) => this.project(layer, "value", x, t));
    return stream.map((_, q) => {
      const joined = new Float64Array(heads * headWidth);
      for (let head = 0; head < heads; head++) {
        const group = Math.floor(head / (heads / kvHeads));
        const query = part(queries[q]!, head, headWidth);
        const scores = keys.map((key, k) => {
          const isSeen = family === "bert" || (k <= q && q - k < (slidingWindow ?? Infinity));
          return isSeen ? dot(query, part(key, group, headWidth)) / Math.sqrt(headWidth) : -Infinity;
        });
        softmax(scores).forEach((weight, k) => {
          const value = part(values[k]!, group, headWidth);
          for (let c = 0; c < headWidth; c++) joined[head * headWidth + c]! += weight * value[c]!;
        });
      }
      const out = product(this.get(`layers.${layer}.attention_output`), joined);
      return outputBias ? add(out, this.get(`layers.${layer}.attention_output_bias`)) : out;
    });
  }

  private project(layer: number, key: "query" | "key" | "value", x: Vector, position: number): Vector {
    const { qkvBias, qkNorm, clipQkv, headWidth, normEps, family } = this.config;
    const at = `layers.${layer}.${key}`;
    let y = product(this.get(at), x);
    if (qkvBias) y = add(y, this.get(`${at}_bias`));
    const turned = key !== "value";
    if (turned && qkNorm === "full") y = rms(y, this.get(`${at}_norm`), normEps);
    const heads = Array.from({ length: y.length / headWidth }, (_, head) => part(y, head, headWidth));
    const normed =
      turned && qkNorm === "head" ? heads.map((head) => rms(head, this.get(`${at}_norm`), normEps)) : heads;
    const clipped = normed.map((head) => head.map((v) => (clipQkv ? Math.min(clipQkv, Math.max(-clipQkv, v)) : v)));
    const placed = turned && family !== "bert" ? clipped.map((head) => this.rotate(head, position)) : clipped;
    return Float64Array.from(placed.flatMap((head) => [...head]));
  }

  private rotate(head: Vector, position: number): Vector {
    const half = head.length / 2;
    const out = head.slice();
    for (let i = 0; i < half; i++) {
      const angle = position * this.frequency(i);
      out[i] = head[i]! * Math.cos(angle) - head[i + half]! * Math.sin(angle);
      out[i + half] = head[i + half]! * Math.cos(angle) + head[i]! * Math.sin(angle);
    }
    return out;
  }

  private frequency(i: number): number {
    const { ropeTheta, headWidth, ropeScaling: scaling } = this.config;
    const plain = ropeTheta ** ((-2 * i) / headWidth);
    if (scaling?.kind === "linear") return plain / scaling.factor;
    if (scaling?.kind === "factors") return plain / this.get("rope_factors")[i]!;
    if (scaling?.kind !== "llama3") return plain;
    // As Llama 3.1's own code has it: by wavelength.
    const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContext } = scaling;
    const wave = (2 * Math.PI) / plain;
    if (wave < originalContext / high) return plain;
    if (wave > originalContext / low) return plain / factor;
    const smooth = (originalContext / wave - low) / (high - low);
    return ((1 - smooth) * plain) / factor + smooth * plain;
  }

  private network(layer: number, z: Vector, position: number): Vector {
    const { experts, expertsPerToken, normalizeTopK, denseLayers, sharedWidth, width, expertWidth } = this.config;
    const at = (name: string): Float64Array => this.get(`layers.${layer}.${name}`);
    if (experts === 0 || denseLayers.includes(layer)) return gated(at("gate"), at("up"), at("down"), z);
    const logits = product(at("router"), z);
    const chances = softmax([...logits]);
    const order = chances.map((_, e) => e).sort((a, b) => chances[b]! - chances[a]! || a - b);
    const chosen = order.slice(0, expertsPerToken);
    const distance = logits[order[expertsPerToken - 1]!]! - (logits[order[expertsPerToken]!] ?? -Infinity);
    this.gaps.push({ layer, position, gap: distance / Math.sqrt(dot(logits, logits) / logits.length) });
    const total = normalizeTopK ? chosen.reduce((sum, e) => sum + chances[e]!, 0) : 1;
    const size = width * expertWidth;
    const own = (name: string, e: number): Float64Array => at(name).subarray(e * size, (e + 1) * size);
    let sum: Vector = new Float64Array(width);
    for (const e of chosen) {
      const y = gated(own("experts.gate", e), own("experts.up", e), own("experts.down", e), z);
      sum = add(sum, scaled(y, chances[e]! / total));
    }
    if (sharedWidth === 0) return sum;
    const shared = gated(at("shared.gate"), at("shared.up"), at("shared.down"), z);
    return add(sum, scaled(shared, 1 / (1 + Math.exp(-dot(at("shared.scale"), z)))));
  }
}

const part = (x: Vector, index: number, size: number): Vector => x.subarray(index * size, (index + 1) * size);
const add = (a: Vector, b: Vector): Vector => a.map((value, i) => value + b[i]!);
const scaled = (a: Vector, by: number): Vector => a.map((value) => value * by);
const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const silu = (x: number): number => x / (1 + Math.exp(-x));

/** The rows of `matrix` times `x`. */
function product(matrix: Float64Array, x: Vector): Vector {
  const rows = matrix.length / x.length;
  return Float64Array.from({ length: rows }, (_, row) => dot(matrix.subarray(row * x.length, (row + 1) * x.length), x));
}

function gated(gate: Float64Array, up: Float64Array, down: Float64Array, z: Vector): Vector {
  const right = product(up, z);
  return product(
    down,
    product(gate, z).map((value, i) => silu(value) * right[i]!),
  );
}

function rms(x: Vector, gain: Float64Array, epsilon: number): Vector {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + epsilon);
  return x.map((value, i) => value * scale * gain[i]!);
}

function layerNorm(x: Vector, gain: Float64Array, bias: Float64Array, epsilon: number): Vector {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const centred = x.map((value) => value - mean);
  return add(rms(centred, gain, epsilon), bias);
}

function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

/** The error function by its series, to the last bits of f64 for the arguments that occur. */
function erf(x: number): number {
  if (Math.abs(x) > 5.9) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const ACTIVATIONS: Readonly<Record<FamilyConfig["activation"], (x: number) => number>> = {
  silu,
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  gelu_tanh: (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2,
  relu: (x) => Math.max(0, x),
};
