/**
 * Four pre-tokenizers whose JavaScript versions treat non-ASCII text otherwise than the original (`\w` and `\d` of
 * ASCII only, U+FEFF as white space, runs of punctuation kept together). Each is the same as a `Split` by a pattern,
 * and for patterns the library follows Unicode as the original does; so they are rewritten to that.
 */
import type { Step } from "./schema.js";

const isolated = (regex: string): Step => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior: "Isolated",
  invert: false,
});

/** GPT-2's pattern, which a ByteLevel step applies by itself unless `use_regex` is false. */
export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The same step, or the one to give to the library instead. */
export function rewritePreTokenizer(step: Step): Step {
  switch (step.type) {
    case "Sequence":
      return { ...step, pretokenizers: (step.pretokenizers ?? []).map(rewritePreTokenizer) };
    case "Whitespace":
      return { type: "Split", pattern: { Regex: "\\w+|[^\\w\\s]+" }, behavior: "Removed", invert: true };
    case "WhitespaceSplit":
      return { type: "Split", pattern: { Regex: "\\s+" }, behavior: "Removed", invert: false };
    case "Digits":
      return isolated(step.individual_digits === true ? "\\p{N}" : "\\p{N}+");
    case "Punctuation":
      return isolated(`[\\p{P}!-/:-@\\[-\`{-~]${step.behavior === "Contiguous" ? "+" : ""}`);
    case "ByteLevel": {
      // A prefix space comes before the split, so that form is left to the library.
      if (step.use_regex === false || step.add_prefix_space === true) return step;
      return { type: "Sequence", pretokenizers: [isolated(GPT2_PATTERN), { ...step, use_regex: false }] };
    }
    default:
      return step;
  }
}
