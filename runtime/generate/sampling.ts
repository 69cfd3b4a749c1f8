/**
 * Choosing the next token from logits. The steps run in this order: repetition penalty, temperature, top-k, top-p,
 * min-p, draw. Each is a plain function of numbers; temperature 0 is greedy and draws nothing.
 */
import type { RandomSource } from "./random.js";
import { randomSource } from "./random.js";
import { inRange, SAMPLING_RANGES, WHOLE_RANGES } from "./ranges.js";

export interface SamplingOptions {
  /** 0 (the default) always takes the most likely token. */
  readonly temperature?: number;
  /** Keep only the k most likely tokens; 0 keeps all. */
  readonly topK?: number;
  /** Keep the smallest set of most likely tokens whose probabilities sum to at least this (Holtzman et al. 2020). */
  readonly topP?: number;
  /** Keep tokens at least this times as likely as the most likely one (Nguyen et al. 2024). */
  readonly minP?: number;
  /** Divide positive and multiply negative logits of tokens that occurred by this (Keskar et al. 2019); 1 is off. */
  readonly repetitionPenalty?: number;
  /** How many of the last tokens the penalty looks at. */
  readonly repetitionWindow?: number;
  /** Equal seeds and inputs give equal text; 0 when it is not given, so that a call without one gives the same again. */
  readonly seed?: number;
}

/** Picks a token id. `history` is what came before, oldest first. */
export type Sampler = (logits: Float32Array, history: readonly number[]) => number;

interface Candidate {
  readonly id: number;
  /** Logit first, probability later. */
  readonly weight: number;
}

/**
 * A sampler with its own random state.
 *
 * @throws MoecError MOE5323 when an option is outside its range.
 */
export function makeSampler(options: SamplingOptions = {}): Sampler {
  const temperature = inRange("temperature", options.temperature ?? 0, ...SAMPLING_RANGES.temperature);
  const topK = inRange("topK", options.topK ?? 0, ...WHOLE_RANGES.topK, true);
  const topP = inRange("topP", options.topP ?? 1, ...SAMPLING_RANGES.topP);
  const minP = inRange("minP", options.minP ?? 0, ...SAMPLING_RANGES.minP);
  const penalty = inRange("repetitionPenalty", options.repetitionPenalty ?? 1, ...SAMPLING_RANGES.repetitionPenalty);
  const window = inRange("repetitionWindow", options.repetitionWindow ?? 64, ...WHOLE_RANGES.repetitionWindow, true);
  const random = randomSource(inRange("seed", options.seed ?? 0, ...WHOLE_RANGES.seed, true));
  return (logits, history) => {
    const scores =
      penalty === 1 ? logits : penalizeRepetition(logits, history.slice(-window || history.length), penalty);
    if (temperature === 0) return greedy(scores);
    const sorted = mostLikely(scores, topK);
    const kept = keepMinP(keepTopP(probabilities(sorted, temperature), topP), minP);
    return draw(kept, random);
  };
}

/** The id of the largest logit, the lowest id among equals; NaN is never chosen. */
export function greedy(logits: Float32Array): number {
  let best = 0;
  let value = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    if (logits[id]! > value) {
      value = logits[id]!;
      best = id;
    }
  }
  return best;
}

/** A copy of the logits with the tokens of `recent` made less likely, each once. */
export function penalizeRepetition(logits: Float32Array, recent: readonly number[], penalty: number): Float32Array {
  const result = logits.slice();
  for (const id of new Set(recent)) {
    const value = logits[id];
    if (value !== undefined) result[id] = value > 0 ? value / penalty : value * penalty;
  }
  return result;
}

/** Tokens by falling logit (ties: lowest id first), the first `count` of them, all when `count` is 0. */
export function mostLikely(logits: Float32Array, count: number): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (let id = 0; id < logits.length; id++) {
    if (logits[id]! > -Infinity) candidates.push({ id, weight: logits[id]! });
  }
  if (candidates.length === 0) return [{ id: 0, weight: 0 }];
  candidates.sort((a, b) => b.weight - a.weight || a.id - b.id);
  return count > 0 ? candidates.slice(0, count) : candidates;
}

/** Softmax of the logits at a temperature; `sorted` best first. */
export function probabilities(sorted: readonly Candidate[], temperature: number): readonly Candidate[] {
  const top = sorted[0]!.weight;
  const raised = sorted.map(({ id, weight }) => ({
    id,
    // Infinite logits would give NaN: the equal ones share, the others vanish.
    weight: weight === top ? 1 : Math.exp((weight - top) / temperature),
  }));
  const sum = raised.reduce((total, { weight }) => total + weight, 0);
  return raised.map(({ id, weight }) => ({ id, weight: weight / sum }));
}

/** The shortest prefix whose probabilities sum to at least `share`; never empty. */
export function keepTopP(sorted: readonly Candidate[], share: number): readonly Candidate[] {
  if (share >= 1) return sorted;
  let sum = 0;
  const end = sorted.findIndex(({ weight }) => (sum += weight) >= share);
  return end === -1 ? sorted : sorted.slice(0, end + 1);
}

/** Those at least `share` times as likely as the first; never empty. */
export function keepMinP(sorted: readonly Candidate[], share: number): readonly Candidate[] {
  const least = share * sorted[0]!.weight;
  return share === 0 ? sorted : sorted.filter(({ weight }, rank) => rank === 0 || weight >= least);
}

/** One of the candidates, in proportion to its weight. */
export function draw(candidates: readonly Candidate[], random: RandomSource): number {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  let rest = random() * total;
  for (const { id, weight } of candidates) {
    rest -= weight;
    if (rest < 0) return id;
  }
  // Rounding can leave a crumb beyond the last one.
  return candidates.at(-1)!.id;
}
