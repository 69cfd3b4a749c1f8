/** Llama 3.1's stretched positions as a table of divisors, which GGUF stores in place of their numbers. */
import type { FamilyConfig } from "../families/types.js";

/** What of a config says how positions turn. */
export type StretchedPositions = Pick<FamilyConfig, "headWidth" | "ropeTheta" | "ropeScaling">;

/**
 * One divisor for each pair of rotary channels, [headWidth / 2]: 1 for waves that fit often into the original context,
 * `factor` for those that hardly do, and between them a blend of the two frequencies (Dubey et al. 2024, arXiv:2407.21783;
 * the blend is that of the released code).
 *
 * @param config with `ropeScaling` of kind `llama3`.
 */
export function llama3Factors({ headWidth, ropeTheta, ropeScaling }: StretchedPositions): Float32Array {
  if (ropeScaling?.kind !== "llama3") throw new Error("positions are not scaled as in Llama 3.1");
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContext } = ropeScaling;
  return Float32Array.from({ length: headWidth / 2 }, (_, i) => {
    const wave = 2 * Math.PI * ropeTheta ** ((2 * i) / headWidth);
    if (wave < originalContext / high) return 1;
    if (wave > originalContext / low) return factor;
    const blend = (originalContext / wave - low) / (high - low);
    return 1 / ((1 - blend) / factor + blend);
  });
}
