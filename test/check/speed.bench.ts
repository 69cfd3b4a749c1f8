/**
 * How long the checker takes on a file of 1,000 lines: cold, after an edit of one line, and with nothing changed.
 * Run: npx tsx test/check/speed.bench.ts, or compiled: node dist/… (a bench script, not a test: machines differ).
 */
import { check, type CheckedProject } from "../../compiler/1-check/index.js";
import { testHost } from "./host.js";

/** Blocks, routers and a model in the manner of real specs, a thousand lines of them. */
export function longFile(lines: number): string {
  const parts = ['import { RMSNorm, Attention, SwiGLU, TopK, Causal } from "std"', ""];
  for (let n = 0; parts.join("\n").split("\n").length < lines; n++) {
    parts.push(
      [
        `/// Layer number ${n}.`,
        `router Gate${n}[D, E](k: int = 2, scale: float = 1.0) {`,
        "  param w: [D, E]",
        "  param bias: [E] = 0",
        "  (x: [D]) => {",
        "    let s = sigmoid(x @ w)",
        "    let g = split(s + bias, E -> [G = 4, M])",
        "    let best = top_mask(sum(top(g, 2, over: M), over: M), 2, over: G)",
        "    choose(s, by: merge(where(best, g, -inf), [G, M] -> E), top: k, renormalize: true) * scale",
        "  }",
        "}",
        "",
        `block Layer${n}[D, H, G, C, F, E](k: int) {`,
        "  use norm1 = RMSNorm[D]",
        "  use attn = Attention[D, H, G, C](mask: Causal)",
        "  use norm2 = RMSNorm[D]",
        `  use route = Gate${n}[D, E](k)`,
        "  use experts = E of SwiGLU[D, F]",
        "  (x: [T, D]) => {",
        "    let h = x + attn(norm1(x))",
        "    h + mixture(norm2(h), route, experts)",
        "  }",
        "}",
        "",
      ].join("\n"),
    );
  }
  return parts.join("\n");
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

export function measure(): Record<string, number> {
  const file = "long.moe";
  const text = longFile(1000);
  let previous: CheckedProject | undefined;
  const once = (body: string): number => {
    const start = performance.now();
    previous = check(file, testHost({ [file]: body }), previous ? { previous } : {});
    const took = performance.now() - start;
    if (previous.diagnostics.length > 0) throw new Error(JSON.stringify(previous.diagnostics[0]));
    return took;
  };
  const cold = once(text);
  const edits = Array.from({ length: 15 }, (_, n) => once(text.replace("Layer number 3.", `Layer number 3${n}.`)));
  const same = Array.from({ length: 5 }, () => once(text));
  previous = undefined;
  const full = Array.from({ length: 5 }, () => {
    previous = undefined;
    return once(text);
  });
  return {
    lines: text.split("\n").length,
    cold,
    "after an edit": median(edits),
    unchanged: median(same.slice(1)),
    "all anew": median(full),
  };
}

console.log(measure());
