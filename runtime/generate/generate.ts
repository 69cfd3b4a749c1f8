/** The loop that writes text: read the prompt, choose a token, show what is certain of it, go on. */
import type { ManifestGeneration } from "../../compiler/6-bundle/manifest.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { Host } from "../host.js";
import type { PieceResult } from "../model/runner.js";
import type { RouteTrace } from "../model/tensor.js";
import type { Tokenizer } from "../tokenizer/types.js";
import { likelihoods, type Likelihoods } from "./likelihood.js";
import { inRange, WHOLE_RANGES } from "./ranges.js";
import { makeSampler, type SamplingOptions } from "./sampling.js";
import { StopStrings } from "./stop-strings.js";

/** One call of the model inside a generation. */
export interface GenerationStep {
  /** Ids that were read: the prompt in the first step, then one token. */
  readonly read: readonly number[];
  /** The id that was chosen; undefined when the text ended without one. */
  readonly chosen: number;
  /** How many texts went on by the same call of the device. */
  readonly texts: number;
  readonly routes: readonly RouteTrace[];
  /** How likely the model found the chosen token and the best others, when `logprobs` asks for it. */
  readonly likelihoods?: Likelihoods;
}

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens to write; default 256, or what the bundle says. */
  readonly maxTokens?: number;
  /** Text that ends the generation; it is not shown. */
  readonly stop?: readonly string[];
  /** Ends the generation with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Say for each step how likely the chosen token and so many of the most likely ones are, 0 to 20. */
  readonly logprobs?: number;
  /** Read routes at each step for `onStep`. */
  readonly trace?: boolean;
  /** Told after each call of the model, before its text is shown. */
  readonly onStep?: (step: GenerationStep) => void;
}

/** What the loop asks of the model. */
export interface TextModel {
  readonly host: Host;
  readonly tokenizer: Tokenizer | undefined;
  readonly defaults: ManifestGeneration;
  /** Most positions. */
  readonly context: number;
  advance(ids: readonly number[], trace: boolean, signal?: AbortSignal): Promise<PieceResult>;
  /** Keeps what the caches share with `ids` and says how many ids that is. */
  rewindTo(ids: readonly number[]): Promise<number>;
  used(): number;
}

export async function* generateText(
  model: TextModel,
  prompt: string | readonly number[],
  given: GenerateOptions,
): AsyncGenerator<string, void> {
  const options = { ...model.defaults, ...given };
  const sample = makeSampler(options);
  const most = inRange("maxTokens", options.maxTokens ?? 256, ...WHOLE_RANGES.maxTokens, true);
  const top = options.logprobs;
  if (top !== undefined && !(Number.isInteger(top) && top >= 0 && top <= 20)) {
    throw moecError("MOE5323", { name: "logprobs", value: String(top), expected: "a whole number from 0 to 20" });
  }
  const { tokenizer, host } = model;
  if (!tokenizer) throw moecError("MOE5313", {});
  const ids = typeof prompt === "string" ? tokenizer.encode(prompt) : [...prompt];
  if (ids.length === 0) {
    throw moecError("MOE5321", { name: "prompt", entry: "generate", reason: "it has no tokens" });
  }
  const { signal } = options;
  signal?.throwIfAborted();
  const ends = new Set(tokenizer.eos);
  const decoder = tokenizer.streamDecoder({ skipSpecial: true });
  const stops = new StopStrings(options.stop ?? []);
  let next = ids.slice(await model.rewindTo(ids));
  for (let written = 0; written < most; written++) {
    // The last token of a full context can still be chosen; it needs no position of its own.
    if (written > 0 && model.used() + next.length > model.context) break;
    const { outputs, routes, texts = 1 } = await model.advance(next, options.trace ?? false, signal);
    const logits = lastLogits(outputs).subarray(0, tokenizer.vocabSize);
    const chosen = sample(logits, ids);
    options.onStep?.({
      read: next,
      chosen,
      texts,
      routes,
      ...(top === undefined ? {} : { likelihoods: likelihoods(logits, chosen, top) }),
    });
    if (ends.has(chosen)) break;
    ids.push(chosen);
    next = [chosen];
    const { text, stopped } = stops.push(decoder.push(chosen));
    if (text !== "") yield text;
    if (stopped) return;
    // Timers, input and the abort signal get their turn between tokens.
    await host.breathe();
    signal?.throwIfAborted();
  }
  const rest = stops.push(decoder.flush());
  const end = rest.text + (rest.stopped ? "" : stops.finish());
  if (end !== "") yield end;
}

/** Logits of all rows: tables are often padded, and rows beyond the vocabulary stand for no token. */
function lastLogits(outputs: PieceResult["outputs"]): Float32Array {
  const first = Object.values(outputs)[0]?.data;
  if (first instanceof Float32Array) return first;
  throw moecError("MOE5322", { name: "forward", available: Object.keys(outputs).join(", ") });
}
