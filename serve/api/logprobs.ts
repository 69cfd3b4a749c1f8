/** Likelihoods of tokens in the two shapes that clients know. */
import type { GenerationStep, Tokenizer } from "../../runtime/node/index.js";

type Step = Pick<GenerationStep, "chosen" | "likelihoods">;
type Json = Readonly<Record<string, unknown>>;

/** `logprobs` of a completion: four lists of the same length. @param offset Characters of the answer before. */
export function textLogprobs(tokenizer: Tokenizer, steps: readonly Step[], offset: number): Json {
  const text = (id: number): string => tokenizer.decode([id]);
  let at = offset;
  return {
    tokens: steps.map(({ chosen }) => text(chosen)),
    token_logprobs: steps.map(({ likelihoods }) => likelihoods?.chosen ?? null),
    top_logprobs: steps.map(({ likelihoods }) =>
      Object.fromEntries((likelihoods?.top ?? []).map(({ id, logprob }) => [text(id), logprob])),
    ),
    text_offset: steps.map(({ chosen }) => {
      const begin = at;
      at += text(chosen).length;
      return begin;
    }),
  };
}

/** `logprobs` of a message: an entry for each token, each with its bytes. */
export function chatLogprobs(tokenizer: Tokenizer, steps: readonly Step[]): Json {
  const entry = (id: number, logprob: number): Json => {
    const token = tokenizer.decode([id]);
    return { token, logprob, bytes: [...new TextEncoder().encode(token)] };
  };
  const content = steps.map(({ chosen, likelihoods }) => ({
    ...entry(chosen, likelihoods?.chosen ?? 0),
    top_logprobs: (likelihoods?.top ?? []).map(({ id, logprob }) => entry(id, logprob)),
  }));
  return { content, refusal: null };
}
