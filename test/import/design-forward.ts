/**
 * The math of the families with designs as plain loops over f64, straight from `config.json` and the Hugging Face tensors:
 * nothing of the language, its library or its specs is used. What imported specs are compared with.
 */
import type { Json, NamedTensor } from "./designs.js";

type Vector = Float64Array;
type Turn = (head: Vector, position: number) => Vector;

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const add = (a: Vector, b: Vector): Vector => a.map((value, i) => value + b[i]!);
const scaled = (a: Vector, by: number): Vector => a.map((value) => value * by);
const part = (x: Vector, index: number, size: number): Vector => x.slice(index * size, (index + 1) * size);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const silu = (x: number): number => x * sigmoid(x);
const best = (scores: readonly number[], count: number): number[] =>
  scores
    .map((_, i) => i)
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, count);

function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

/** Rows of a matrix times x. */
function times(matrix: Vector, x: Vector): Vector {
  const rows = matrix.length / x.length;
  return Float64Array.from({ length: rows }, (_, row) => dot(part(matrix, row, x.length), x));
}

/** x times a matrix stored input first. */
function timesTransposed(matrix: Vector, x: Vector): Vector {
  const columns = matrix.length / x.length;
  return Float64Array.from({ length: columns }, (_, c) =>
    x.reduce((sum, value, i) => sum + value * matrix[i * columns + c]!, 0),
  );
}

const rms = (x: Vector, gain: Vector | undefined, epsilon: number): Vector => {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + epsilon);
  return x.map((value, i) => value * scale * (gain?.[i] ?? 1));
};

const layerNorm = (x: Vector, gain: Vector, bias: Vector | undefined, epsilon: number): Vector => {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const y = rms(
    x.map((value) => value - mean),
    gain,
    epsilon,
  );
  return bias ? add(y, bias) : y;
};

/** Frequencies of pairs, with YaRN's mixture as its authors' code has it. */
function frequencies(
  config: Json,
  width: number,
  truncate: boolean,
): { readonly of: Vector; readonly size: number; readonly score: number } {
  const theta = config["rope_theta"] as number;
  const plain = Float64Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width));
  const scaling = config["rope_scaling"] as Record<string, number | string> | undefined;
  if ((scaling?.["rope_type"] ?? scaling?.["type"]) !== "yarn") return { of: plain, size: 1, score: 1 };
  const {
    factor,
    original_max_position_embeddings: context,
    beta_fast: fast,
    beta_slow: slow,
    mscale,
    mscale_all_dim: whole,
  } = scaling as Record<string, number>;
  const find = (turns: number): number => (width * Math.log(context! / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  let low = find(fast!);
  let high = find(slow!);
  if (truncate) [low, high] = [Math.floor(low), Math.ceil(high)];
  low = Math.max(low, 0);
  high = Math.min(high, width - 1);
  if (low === high) high += 0.001;
  const m = (scale: number): number => 0.1 * scale * Math.log(factor!) + 1;
  const of = plain.map((frequency, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return (frequency / factor!) * ramp + frequency * (1 - ramp);
  });
  return { of, size: mscale && whole ? m(mscale) / m(whole) : m(1), score: whole ? m(whole) ** 2 : 1 };
}

/** Turns pairs (i, i + half) or (2i, 2i + 1). */
function turner(of: Vector, size: number, inPairs: boolean): Turn {
  return (head, position) => {
    const out = head.slice();
    of.forEach((frequency, i) => {
      const [a, b] = inPairs ? [2 * i, 2 * i + 1] : [i, i + of.length];
      const [c, s] = [Math.cos(position * frequency) * size, Math.sin(position * frequency) * size];
      out[a] = head[a]! * c - head[b]! * s;
      out[b] = head[b]! * c + head[a]! * s;
    });
    return out;
  };
}

interface Heads {
  readonly q: readonly (readonly Vector[])[];
  readonly k: readonly (readonly Vector[])[];
  readonly v: readonly (readonly Vector[])[];
}

/** Softmax attention of all positions; heads of queries in runs on those of keys, or going around. */
function attend(
  { q, k, v }: Heads,
  options: {
    readonly scale: number;
    readonly sees: (q: number, k: number) => boolean;
    readonly sinks?: Vector;
    readonly tiled?: boolean;
  },
): Vector[] {
  return q.map((heads, at) => {
    const out = heads.map((query, head) => {
      const groups = k[0]!.length;
      const group = options.tiled ? head % groups : Math.floor(head / (heads.length / groups));
      const scores = k.map((keys, t) =>
        t <= at && options.sees(at, t) ? dot(query, keys[group]!) * options.scale : -Infinity,
      );
      const weights = softmax([...scores, ...(options.sinks ? [options.sinks[head]!] : [])]);
      let seen: Vector = new Float64Array(v[0]![0]!.length);
      v.forEach((values, t) => (seen = add(seen, scaled(values[group]!, weights[t]!))));
      return seen;
    });
    return Float64Array.from(out.flatMap((head) => [...head]));
  });
}

/** Logits after every position of `ids`. */
export function designForward(config: Json, tensors: readonly NamedTensor[], ids: readonly number[]): number[] {
  const all = new Map(tensors.map(({ name, values }) => [name, Float64Array.from(values)] as const));
  const get = (name: string): Vector => {
    const found = all.get(name);
    if (!found) throw new Error(`no tensor ${name}`);
    return found;
  };
  const has = (name: string): boolean => all.has(name);
  const number = (key: string): number => {
    const value = key.split(".").reduce<unknown>((record, name) => (record as Record<string, unknown>)[name], config);
    if (typeof value !== "number") throw new Error(`no ${key}`);
    return value;
  };
  const type = config["model_type"] as string;
  const isDbrx = type === "dbrx";
  const width = number(isDbrx ? "d_model" : "hidden_size");
  const layers = number(isDbrx ? "n_layers" : "num_hidden_layers");
  const epsilon = isDbrx ? 1e-5 : number(type === "lfm2_moe" ? "norm_eps" : "rms_norm_eps");
  const linear = (name: string, x: Vector): Vector => {
    const y = times(get(`${name}.weight`), x);
    return has(`${name}.bias`) ? add(y, get(`${name}.bias`)) : y;
  };
  const norm = (name: string, x: Vector): Vector =>
    isDbrx || type === "phimoe"
      ? layerNorm(x, get(`${name}.weight`), has(`${name}.bias`) ? get(`${name}.bias`) : undefined, epsilon)
      : rms(x, get(`${name}.weight`), epsilon);
  const gated = (names: readonly [string, string, string], x: Vector, act = silu): Vector => {
    const up = times(get(`${names[1]}.weight`), x);
    return times(
      get(`${names[2]}.weight`),
      times(get(`${names[0]}.weight`), x).map((value, i) => act(value) * up[i]!),
    );
  };
  const named = (prefix: string, [gate, up, down]: readonly [string, string, string]): [string, string, string] => [
    `${prefix}.${gate}`,
    `${prefix}.${up}`,
    `${prefix}.${down}`,
  ];
  const PROJ = ["gate_proj", "up_proj", "down_proj"] as const;
  const W = ["w1", "w3", "w2"] as const;
  const mix = (weights: ReadonlyMap<number, number>, expert: (e: number) => Vector): Vector => {
    let sum: Vector = new Float64Array(width);
    for (const [e, weight] of weights) sum = add(sum, scaled(expert(e), weight));
    return sum;
  };
  /** The best by some scores with the weights of others, divided by their sum or not. */
  const pick = (
    scores: readonly number[],
    weights: readonly number[],
    count: number,
    divide: number | undefined,
    scale = 1,
  ): Map<number, number> => {
    const chosen = best(scores, count);
    const total = divide === undefined ? 1 : chosen.reduce((sum, e) => sum + weights[e]!, 0) + divide;
    return new Map(chosen.map((e) => [e, (weights[e]! / total) * scale]));
  };

  const grouped = (
    at: string,
    stream: readonly Vector[],
    options: {
      readonly turn?: Turn;
      readonly headWidth: number;
      readonly sees?: (q: number, k: number) => boolean;
      readonly scale?: number;
      readonly headNorm?: readonly [string, string];
      readonly after?: (head: Vector) => Vector;
      readonly query?: (head: Vector, position: number) => Vector;
      readonly output?: string;
      readonly sinks?: Vector;
    },
  ): Vector[] => {
    const size = options.headWidth;
    const heads = (y: Vector): Vector[] => Array.from({ length: y.length / size }, (_, head) => part(y, head, size));
    const prepare = (name: "q" | "k", x: Vector, t: number): Vector[] =>
      heads(linear(`${at}.${name}_proj`, x)).map((head) => {
        const normed = options.headNorm
          ? rms(head, get(`${at}.${options.headNorm[name === "q" ? 0 : 1]}.weight`), epsilon)
          : head;
        const turned = options.turn ? options.turn(normed, t) : normed;
        const after = options.after ? options.after(turned) : turned;
        return name === "q" && options.query ? options.query(after, t) : after;
      });
    const seen = attend(
      {
        q: stream.map((x, t) => prepare("q", x, t)),
        k: stream.map((x, t) => prepare("k", x, t)),
        v: stream.map((x) => heads(linear(`${at}.v_proj`, x))),
      },
      {
        scale: options.scale ?? 1 / Math.sqrt(size),
        sees: options.sees ?? (() => true),
        ...(options.sinks ? { sinks: options.sinks } : {}),
      },
    );
    return seen.map((x) => linear(`${at}.${options.output ?? "o_proj"}`, x));
  };
  const heads = (): number => number("num_attention_heads");
  const plain = (size: number, inPairs = false): Turn => turner(frequencies(config, size, true).of, 1, inPairs);
  const steps = (
    at: string,
    stream: readonly Vector[],
    names: readonly [string, string],
    attention: (normed: readonly Vector[]) => readonly Vector[],
    network: (z: Vector) => Vector,
    by = 1,
  ): Vector[] => {
    const seen = attention(stream.map((x) => norm(`${at}.${names[0]}`, x)));
    const h = stream.map((x, t) => add(x, scaled(seen[t]!, by)));
    return h.map((x) => add(x, scaled(network(norm(`${at}.${names[1]}`, x)), by)));
  };
  const USUAL = ["input_layernorm", "post_attention_layernorm"] as const;

  const layer = (index: number, stream: readonly Vector[]): readonly Vector[] => {
    const at = `model.layers.${index}`;
    switch (type) {
      case "deepseek_v2":
      case "deepseek_v3": {
        const [C, P, V, K] = [
          number("qk_nope_head_dim"),
          number("qk_rope_head_dim"),
          number("v_head_dim"),
          number("kv_lora_rank"),
        ];
        const { of, size, score } = frequencies(config, P, true);
        const turn = turner(of, size, true);
        const own = `${at}.self_attn`;
        const attention = (xs: readonly Vector[]): Vector[] => {
          const q = xs.map((x, t) => {
            const whole = config["q_lora_rank"]
              ? linear(`${own}.q_b_proj`, rms(linear(`${own}.q_a_proj`, x), get(`${own}.q_a_layernorm.weight`), 1e-6))
              : linear(`${own}.q_proj`, x);
            return Array.from({ length: heads() }, (_, head) => {
              const one = part(whole, head, C + P);
              return Float64Array.from([...one.slice(0, C), ...turn(one.slice(C), t)]);
            });
          });
          const low = xs.map((x) => linear(`${own}.kv_a_proj_with_mqa`, x));
          const wide = low.map((x) =>
            linear(`${own}.kv_b_proj`, rms(x.slice(0, K), get(`${own}.kv_a_layernorm.weight`), 1e-6)),
          );
          const k = wide.map((x, t) =>
            Array.from({ length: heads() }, (_, head) =>
              Float64Array.from([...part(x, head, C + V).slice(0, C), ...turn(low[t]!.slice(K), t)]),
            ),
          );
          const v = wide.map((x) => Array.from({ length: heads() }, (_, head) => part(x, head, C + V).slice(C)));
          return attend({ q, k, v }, { scale: score / Math.sqrt(C + P), sees: () => true }).map((x) =>
            linear(`${own}.o_proj`, x),
          );
        };
        return steps(at, stream, USUAL, attention, (z) => {
          if (index < number("first_k_dense_replace")) return gated(named(`${at}.mlp`, PROJ), z);
          const logits = [...linear(`${at}.mlp.gate`, z).slice(0, number("n_routed_experts"))];
          const k = number("num_experts_per_tok");
          const [groups, keep, scale] = [number("n_group"), number("topk_group"), number("routed_scaling_factor")];
          const members = (scores: readonly number[], group: number): number[] =>
            scores.slice((group * scores.length) / groups, ((group + 1) * scores.length) / groups);
          let weights: Map<number, number>;
          if (type === "deepseek_v3") {
            const s = logits.map(sigmoid);
            const choice = s.map((value, e) => value + get(`${at}.mlp.gate.e_score_correction_bias`)[e]!);
            const ranks = Array.from({ length: groups }, (_, g) =>
              members(choice, g)
                .sort((a, b) => b - a)
                .slice(0, 2)
                .reduce((a, b) => a + b, 0),
            );
            const open = best(ranks, keep);
            weights = pick(
              choice.map((value, e) => (open.includes(Math.floor((e * groups) / choice.length)) ? value : -Infinity)),
              s,
              k,
              0,
              scale,
            );
          } else {
            const p = softmax(logits);
            const ranks = Array.from({ length: groups }, (_, g) => Math.max(...members(p, g)));
            const open = config["topk_method"] === "greedy" ? ranks.map((_, g) => g) : best(ranks, keep);
            weights = pick(
              p.map((value, e) => (open.includes(Math.floor((e * groups) / p.length)) ? value : -Infinity)),
              p,
              k,
              undefined,
              scale,
            );
          }
          return add(
            mix(weights, (e) => gated(named(`${at}.mlp.experts.${e}`, PROJ), z)),
            gated(named(`${at}.mlp.shared_experts`, PROJ), z),
          );
        });
      }
      case "gpt_oss": {
        const size = number("head_dim");
        const { of, size: grown } = frequencies(config, size, false);
        const window = index % 2 === 0 ? number("sliding_window") : Infinity;
        return steps(
          at,
          stream,
          USUAL,
          (xs) =>
            grouped(`${at}.self_attn`, xs, {
              headWidth: size,
              turn: turner(of, grown, false),
              sees: (q, k) => q - k < window,
              sinks: get(`${at}.self_attn.sinks`),
            }),
          (z) => {
            const logits = [...linear(`${at}.mlp.router`, z)];
            const chosen = best(logits, number("num_experts_per_tok"));
            const weights = softmax(chosen.map((e) => logits[e]!));
            const F = number("intermediate_size");
            const expert = (e: number): Vector => {
              const both = add(
                timesTransposed(part(get(`${at}.mlp.experts.gate_up_proj`), e, width * 2 * F), z),
                part(get(`${at}.mlp.experts.gate_up_proj_bias`), e, 2 * F),
              );
              const hidden = Float64Array.from({ length: F }, (_, f) => {
                const g = Math.min(both[2 * f]!, 7);
                const u = Math.min(7, Math.max(-7, both[2 * f + 1]!));
                return (u + 1) * g * sigmoid(1.702 * g);
              });
              return add(
                timesTransposed(part(get(`${at}.mlp.experts.down_proj`), e, F * width), hidden),
                part(get(`${at}.mlp.experts.down_proj_bias`), e, width),
              );
            };
            return mix(new Map(chosen.map((e, i) => [e, weights[i]!])), expert);
          },
        );
      }
      case "glm4_moe": {
        const size = number("head_dim");
        const half = plain(size / 2);
        const turn: Turn = (head, t) =>
          Float64Array.from([...half(head.slice(0, size / 2), t), ...head.slice(size / 2)]);
        return steps(
          at,
          stream,
          USUAL,
          (xs) => grouped(`${at}.self_attn`, xs, { headWidth: size, turn, headNorm: ["q_norm", "k_norm"] }),
          (z) => {
            if (index < number("first_k_dense_replace")) return gated(named(`${at}.mlp`, PROJ), z);
            const s = [...times(get(`${at}.mlp.gate.weight`), z)].map(sigmoid);
            const bias = get(`${at}.mlp.gate.e_score_correction_bias`);
            const weights = pick(
              s.map((value, e) => value + bias[e]!),
              s,
              number("num_experts_per_tok"),
              1e-20,
              number("routed_scaling_factor"),
            );
            return add(
              mix(weights, (e) => gated(named(`${at}.mlp.experts.${e}`, PROJ), z)),
              gated(named(`${at}.mlp.shared_experts`, PROJ), z),
            );
          },
        );
      }
      case "granitemoe":
      case "granitemoeshared": {
        const size = width / heads();
        const joined = (input: Vector, output: Vector, F: number, z: Vector): Vector => {
          const both = times(input, z);
          return times(
            output,
            both.slice(0, F).map((value, f) => silu(value) * both[F + f]!),
          );
        };
        const moe = `${at}.block_sparse_moe`;
        return steps(
          at,
          stream,
          USUAL,
          (xs) =>
            grouped(`${at}.self_attn`, xs, {
              headWidth: size,
              turn: plain(size),
              scale: number("attention_multiplier"),
            }),
          (z) => {
            const logits = [...linear(`${moe}.router.layer`, z)];
            const chosen = best(logits, number("num_experts_per_tok"));
            const weights = softmax(chosen.map((e) => logits[e]!));
            const F = number("intermediate_size");
            const y = mix(new Map(chosen.map((e, i) => [e, weights[i]!])), (e) =>
              joined(
                part(get(`${moe}.input_linear.weight`), e, 2 * F * width),
                part(get(`${moe}.output_linear.weight`), e, F * width),
                F,
                z,
              ),
            );
            return type === "granitemoe"
              ? y
              : add(
                  y,
                  joined(
                    get(`${at}.shared_mlp.input_linear.weight`),
                    get(`${at}.shared_mlp.output_linear.weight`),
                    number("shared_intermediate_size"),
                    z,
                  ),
                );
          },
          number("residual_multiplier"),
        );
      }
      case "phimoe": {
        const size = width / heads();
        const grown = number("rope_scaling.short_mscale");
        const turn = turner(frequencies(config, size, true).of, grown, false);
        return steps(
          at,
          stream,
          USUAL,
          (xs) => grouped(`${at}.self_attn`, xs, { headWidth: size, turn }),
          (z) => {
            const logits = [...linear(`${at}.block_sparse_moe.gate`, z)];
            const round = (open: readonly number[]): readonly [number, number] => {
              const top = Math.max(...open);
              // The distance is measured on the logits as they were, the experts that are gone count as gone.
              const kept = open.map((l, e) =>
                (top - logits[e]!) / Math.max(Math.abs(logits[e]!), top) > 2 * number("router_jitter_noise")
                  ? -Infinity
                  : l,
              );
              const p = softmax(kept);
              const [e = 0] = best(open, 1);
              return [e, p[e]!];
            };
            const [first, w1] = round(logits);
            const [second, w2] = round(logits.map((l, e) => (e === first ? -Infinity : l)));
            return mix(
              new Map([
                [first, w1],
                [second, w2],
              ]),
              (e) => gated(named(`${at}.block_sparse_moe.experts.${e}`, W), z),
            );
          },
        );
      }
      case "llama4_text": {
        const size = number("head_dim");
        const isWide = (config["no_rope_layers"] as number[])[index] === 0;
        const chunk = number("attention_chunk_size");
        const options = isWide
          ? {
              query: (head: Vector, t: number) =>
                scaled(head, Math.log(Math.floor((t + 1) / number("floor_scale")) + 1) * number("attn_scale") + 1),
            }
          : {
              turn: plain(size, true),
              after: (head: Vector) => rms(head, undefined, epsilon),
              sees: (q: number, k: number) => Math.floor(q / chunk) === Math.floor(k / chunk),
            };
        return steps(
          at,
          stream,
          USUAL,
          (xs) => grouped(`${at}.self_attn`, xs, { headWidth: size, ...options }),
          (z) => {
            const ffn = `${at}.feed_forward`;
            if ((index + 1) % number("interleave_moe_layer_step") !== 0) return gated(named(ffn, PROJ), z);
            const logits = [...linear(`${ffn}.router`, z)];
            const [e = 0] = best(logits, 1);
            const input = scaled(z, sigmoid(logits[e]!));
            const F = number("intermediate_size");
            const both = timesTransposed(part(get(`${ffn}.experts.gate_up_proj`), e, width * 2 * F), input);
            const y = timesTransposed(
              part(get(`${ffn}.experts.down_proj`), e, F * width),
              both.slice(0, F).map((value, f) => silu(value) * both[F + f]!),
            );
            return add(y, gated(named(`${ffn}.shared_expert`, PROJ), z));
          },
        );
      }
      case "lfm2_moe": {
        const size = width / heads();
        const isConv = (config["layer_types"] as string[])[index] === "conv";
        const conv = (xs: readonly Vector[]): Vector[] => {
          const J = number("conv_L_cache");
          const all = xs.map((x) => linear(`${at}.conv.in_proj`, x));
          const kernel = get(`${at}.conv.conv.weight`);
          return all.map((own, t) => {
            const y = Float64Array.from({ length: width }, (_, d) => {
              let sum = 0;
              for (let j = 0; j < J; j++) {
                const from = all[t - (J - 1) + j];
                if (from) sum += kernel[d * J + j]! * from[d]! * from[2 * width + d]!;
              }
              return sum * own[width + d]!;
            });
            return linear(`${at}.conv.out_proj`, y);
          });
        };
        const attention = (xs: readonly Vector[]): Vector[] =>
          grouped(`${at}.self_attn`, xs, {
            headWidth: size,
            turn: plain(size),
            headNorm: ["q_layernorm", "k_layernorm"],
            output: "out_proj",
          });
        return steps(at, stream, ["operator_norm", "ffn_norm"], isConv ? conv : attention, (z) => {
          const ffn = `${at}.feed_forward`;
          if (index < number("num_dense_layers")) return gated(named(ffn, W), z);
          const s = [...linear(`${ffn}.gate`, z)].map(sigmoid);
          const bias = get(`${ffn}.expert_bias`);
          return mix(
            pick(
              s.map((value, e) => value + bias[e]!),
              s,
              number("num_experts_per_tok"),
              1e-6,
            ),
            (e) => gated(named(`${ffn}.experts.${e}`, W), z),
          );
        });
      }
      case "smallthinker": {
        const size = number("head_dim");
        const isNear = (config["sliding_window_layout"] as number[])[index] === 1;
        const moe = `${at}.block_sparse_moe`;
        const weights = stream.map((x) => {
          const p = [...linear(`${moe}.primary_router`, x)].map(sigmoid);
          return pick(p, p, number("moe_num_active_primary_experts"), 0);
        });
        const seen = grouped(
          `${at}.self_attn`,
          stream.map((x) => norm(`${at}.input_layernorm`, x)),
          {
            headWidth: size,
            ...(isNear
              ? { turn: plain(size), sees: (q: number, k: number) => q - k < number("sliding_window_size") }
              : {}),
          },
        );
        return stream.map((x, t) => {
          const h = add(x, seen[t]!);
          const z = norm(`${at}.post_attention_layernorm`, h);
          return add(
            h,
            mix(weights[t]!, (e) =>
              gated(named(`${moe}.experts.${e}`, ["gate", "up", "down"]), z, (v) => Math.max(v, 0)),
            ),
          );
        });
      }
      case "dbrx": {
        const own = `transformer.blocks.${index}`;
        const [H, G] = [number("n_heads"), number("attn_config.kv_n_heads")];
        const size = width / H;
        const clip = number("attn_config.clip_qkv");
        const turn = turner(
          Float64Array.from({ length: size / 2 }, (_, i) => number("attn_config.rope_theta") ** ((-2 * i) / size)),
          1,
          false,
        );
        const attention = (xs: readonly Vector[]): Vector[] => {
          const all = xs.map((x) =>
            linear(`${own}.norm_attn_norm.attn.Wqkv`, x).map((v) => Math.min(clip, Math.max(-clip, v))),
          );
          const from = (start: number, count: number, turned: boolean): Vector[][] =>
            all.map((x, t) =>
              Array.from({ length: count }, (_, i) =>
                turned ? turn(part(x, start + i, size), t) : part(x, start + i, size),
              ),
            );
          return attend(
            { q: from(0, H, true), k: from(H, G, true), v: from(H + G, G, false) },
            { scale: 1 / Math.sqrt(size), sees: () => true },
          ).map((x) => linear(`${own}.norm_attn_norm.attn.out_proj`, x));
        };
        return steps(`${own}.norm_attn_norm`, stream, ["norm_1", "norm_2"], attention, (z) => {
          const p = softmax([...linear(`${own}.ffn.router.layer`, z)]);
          const F = number("ffn_config.ffn_hidden_size");
          const matrix = (name: string, e: number): Vector => part(get(`${own}.ffn.experts.mlp.${name}`), e, F * width);
          return mix(pick(p, p, number("ffn_config.moe_top_k"), 0), (e) => {
            const up = times(matrix("v1", e), z);
            return timesTransposed(
              matrix("w2", e),
              times(matrix("w1", e), z).map((value, f) => silu(value) * up[f]!),
            );
          });
        });
      }
      case "arctic": {
        const size = width / heads();
        const seen = grouped(
          `${at}.self_attn`,
          stream.map((x) => norm(`${at}.input_layernorm`, x)),
          { headWidth: size, turn: plain(size) },
        );
        return stream.map((x, t) => {
          const h = add(x, seen[t]!);
          const z = norm(`${at}.post_attention_layernorm`, x);
          const p = softmax([...linear(`${at}.block_sparse_moe.gate`, z)]);
          const experts = mix(pick(p, p, number("num_experts_per_tok"), 0), (e) =>
            gated(named(`${at}.block_sparse_moe.experts.${e}`, W), z),
          );
          return add(add(h, gated(named(`${at}.residual_mlp`, W), norm(`${at}.residual_layernorm`, h))), experts);
        });
      }
      case "PanguProMoE": {
        const size = width / heads();
        return steps(
          at,
          stream,
          USUAL,
          (xs) => grouped(`${at}.self_attn`, xs, { headWidth: size, turn: plain(size) }),
          (z) => {
            const p = softmax([...times(get(`${at}.mlp.gate.weight`), z)]);
            const groups = number("num_expert_groups");
            const each = p.length / groups;
            const chosen = Array.from(
              { length: groups },
              (_, g) => g * each + best(p.slice(g * each, (g + 1) * each), 1)[0]!,
            );
            const scale = get(`${at}.mlp.router_scale`);
            const routed = mix(new Map(chosen.map((e) => [e, p[e]! * scale[e]!])), (e) =>
              gated(named(`${at}.mlp.experts.${e}`, PROJ), z),
            );
            return add(routed, gated(named(`${at}.mlp.shared_expert`, PROJ), z));
          },
        );
      }
      case "jetmoe": {
        const [G, C, k] = [number("num_key_value_heads"), number("kv_channels"), number("num_experts_per_tok")];
        const turn = plain(C);
        const route = (logits: readonly number[]): Map<number, number> => {
          const chosen = best(logits, k);
          const weights = softmax(chosen.map((e) => logits[e]!));
          return new Map(chosen.map((e, i) => [e, weights[i]!]));
        };
        const own = `${at}.self_attention`;
        const attention = (xs: readonly Vector[]): Vector[] => {
          const routes = xs.map((x) => route([...linear(`${own}.experts.router.layer`, x)]));
          const split = (x: Vector, start: number): Vector[] =>
            Array.from({ length: G }, (_, g) => part(x, start + g, C));
          const kv = xs.map((x) => linear(`${own}.kv_proj`, x));
          const q = xs.map((x, t) =>
            [...routes[t]!.keys()].flatMap((e) =>
              split(times(part(get(`${own}.experts.input_linear.weight`), e, G * C * width), x), 0).map((head) =>
                turn(head, t),
              ),
            ),
          );
          const seen = attend(
            { q, k: kv.map((x, t) => split(x, 0).map((head) => turn(head, t))), v: kv.map((x) => split(x, G)) },
            { scale: 1 / Math.sqrt(C), sees: () => true, tiled: true },
          );
          return seen.map((x, t) => {
            let sum: Vector = get(`${own}.experts.bias`);
            [...routes[t]!].forEach(
              ([e, weight], slot) =>
                (sum = add(
                  sum,
                  scaled(
                    times(part(get(`${own}.experts.output_linear.weight`), e, G * C * width), part(x, slot, G * C)),
                    weight,
                  ),
                )),
            );
            return sum;
          });
        };
        return steps(at, stream, USUAL, attention, (z) => {
          const F = number("intermediate_size");
          const y = mix(route([...linear(`${at}.mlp.router.layer`, z)]), (e) => {
            const both = times(part(get(`${at}.mlp.input_linear.weight`), e, 2 * F * width), z);
            return times(
              part(get(`${at}.mlp.output_linear.weight`), e, F * width),
              both.slice(0, F).map((value, f) => silu(value) * both[F + f]!),
            );
          });
          return add(y, get(`${at}.mlp.bias`));
        });
      }
      default:
        throw new Error(`no ${type}`);
    }
  };

  const table = get(isDbrx ? "transformer.wte.weight" : "model.embed_tokens.weight");
  const start = "embedding_multiplier" in config ? number("embedding_multiplier") : 1;
  const end = "logits_scaling" in config ? number("logits_scaling") : 1;
  let stream: readonly Vector[] = ids.map((id) => scaled(part(table, id, width), start));
  for (let index = 0; index < layers; index++) stream = layer(index, stream);
  const last = isDbrx ? "transformer.norm_f" : type === "lfm2_moe" ? "model.embedding_norm" : "model.norm";
  return stream.flatMap((x) => {
    const y = norm(last, x);
    const logits = has("lm_head.weight") ? linear("lm_head", y) : times(table, y);
    return [...scaled(logits, 1 / end)];
  });
}
