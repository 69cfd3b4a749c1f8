/** How likely the model found its tokens: natural logarithms of probabilities, before temperature and other choices. */

export interface TokenLikelihood {
  readonly id: number;
  readonly logprob: number;
}

export interface Likelihoods {
  /** Of the token that was chosen. */
  readonly chosen: number;
  /** The most likely tokens, best first; equal ones by their ids. */
  readonly top: readonly TokenLikelihood[];
}

/** @param count How many of the most likely tokens are wanted. */
export function likelihoods(logits: Float32Array, chosen: number, count: number): Likelihoods {
  let most = -Infinity;
  for (const logit of logits) if (logit > most) most = logit;
  let sum = 0;
  for (const logit of logits) if (logit > -Infinity) sum += Math.exp(logit - most);
  const total = most + Math.log(sum);
  const top: TokenLikelihood[] = [];
  if (count > 0) {
    logits.forEach((logit, id) => {
      const logprob = logit - total;
      if (Number.isNaN(logprob) || (top.length === count && logprob <= top.at(-1)!.logprob)) return;
      const at = top.findIndex((other) => other.logprob < logprob);
      top.splice(at < 0 ? top.length : at, 0, { id, logprob });
      if (top.length > count) top.pop();
    });
  }
  return { chosen: logits[chosen]! - total, top };
}
