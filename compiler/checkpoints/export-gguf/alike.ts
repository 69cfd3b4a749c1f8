/**
 * Whether a GGUF file says the same math as the checkpoint that it is made of: the import reads the metadata of the file to
 * be, and the two specs are held against each other. What no key says, and what a reader takes from the architecture, shows
 * as a line that differs.
 */
import type { Design } from "../import/designs/index.js";

/** Two lines that say different things. */
export interface Difference {
  readonly said: string;
  readonly read: string;
}

/**
 * What Hugging Face files hold otherwise, by the names of what GGUF files hold: experts in one matrix, and Llama 3.1's
 * positions as the numbers that the table of divisors is computed from.
 */
const OTHERWISE: readonly (readonly [from: RegExp, to: string])[] = [
  [/\bJoinedSwiGLU\b/g, "SwiGLU"],
  [/\bFusedSwiGLU\b/g, "ClampedSwiGLU"],
  [/\bPairedLlama3RoPE\[C\]\((theta: [^,]+),[^)]*\)/g, "PairedFactorRoPE[C]($1)"],
  [/\bPairedLlama3RoPE\b/g, "PairedFactorRoPE"],
];

/** Declarations of these, which differ by what they read. */
const DECLARED = /^(expert (Joined|Fused)SwiGLU|block Paired(Llama3|Factor)RoPE)\b/m;

/** Lines about matrices that the two formats cut otherwise. */
const CUT = /\b(kv_up|k_up|v_up)\b|\bkv\[/;

/** The first line of the math that the two do not share. */
export function firstDifference(checkpoint: Design, file: Design): Difference | undefined {
  const [one, other] = [linesOf(checkpoint), linesOf(file)];
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const [said = "", read = ""] = [one[at], other[at]];
    if (!isSame(said, read)) return { said, read };
  }
  return undefined;
}

function linesOf({ axes, k, context, declarations, members }: Design): readonly string[] {
  const own = declarations.filter((text) => !DECLARED.test(text));
  const text = OTHERWISE.reduce((all, [from, to]) => all.replace(from, to), [...own, members].join("\n"));
  const math = text.split("\n").map((line) => line.trim());
  return [
    ...Object.entries({ ...axes, k, context }).map(([name, size]) => `${name} = ${size}`),
    ...math.filter((line) => line !== "" && !line.startsWith("///") && !CUT.test(line)),
  ];
}

const NUMBER = /(?<![\w.])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?/g;

/** Files keep numbers as f32, so equal ones may differ by half a unit of its last place on each side. */
const ROUNDING = 2 ** -23;

function isSame(one: string, other: string): boolean {
  if (one.replace(NUMBER, "#") !== other.replace(NUMBER, "#")) return false;
  const numbers = (line: string): readonly number[] =>
    (line.match(NUMBER) ?? []).map((text) => Number(text.replaceAll("_", "")));
  const second = numbers(other);
  return numbers(one).every((value, at) => Math.abs(value - second[at]!) <= ROUNDING * Math.abs(value));
}
