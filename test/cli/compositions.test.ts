/**
 * Random small models put together from the library's modules check without an error, and the compiled model is what the
 * reference evaluator says, choice by choice. What the library names for composing takes any block of a stream.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

/** Modules of attention, as layers of a decoder use them. */
const ATTENTION = [
  "Attention",
  "NormedAttention",
  "SinkAttention",
  "GatedAttention",
  "HeadGatedAttention",
  "PlainAttention",
];
const MASKS = ["Causal", "Causal & Window(3)", "Causal & (Window(2) | Sinks(1))", "Causal & Chunked(4)"];
const FEED = [
  "SwiGLU[D, F]",
  "MLP[D, F]",
  "ReLU2[D, F]",
  "MoE[D, F, E](k: 2)",
  "MoE[D, F, E](k: 3, renormalize: false)",
  "SharedMoE[D, F, E, F](k: 2)",
  "GatedSharedMoE[D, F, E, F](k: 1)",
  "LatentMixture[D, 8, F, 8, E](k: 2)",
  "InputWeightedMoE[D, F, E](k: 1)",
  "HalfSharedMoE[D, F, E](k: 2)",
  "ResidualMoE[D, F, E](k: 1)",
  "FilterMixture[D, 4, E](k: 2)",
  "Autonomy[D, 4, F, E](k: 2)",
];
const AROUND = ["PreNorm", "PostNorm", "SandwichNorm"];

const layer = fc.record({
  attention: fc.constantFrom(...ATTENTION),
  mask: fc.constantFrom(...MASKS),
  feed: fc.constantFrom(...FEED),
  around: fc.constantFrom(...AROUND),
});
type Layer = typeof layer extends fc.Arbitrary<infer L> ? L : never;

const architecture = fc.record({
  layers: fc.array(layer, { minLength: 1, maxLength: 2 }),
  turns: fc.integer({ min: 1, max: 3 }),
  norm: fc.constantFrom("RMSNorm", "LayerNorm"),
  groups: fc.constantFrom(1, 2, 4),
});

/** The names that a text uses of the library. */
const namesIn = (text: string): readonly string[] => [...new Set(text.match(/\b[A-Z][A-Za-z0-9]{2,}\b/g))];

function spec({ layers, turns, norm, groups }: typeof architecture extends fc.Arbitrary<infer A> ? A : never): string {
  const kinds = layers.map(({ attention, mask, feed, around }: Layer) => ({
    attention: `${around}[D](${attention}[D, H, G, C](mask: ${mask}))`,
    feed: `${around}[D](${feed})`,
  }));
  const blocks = kinds.map(
    ({ attention, feed }, index) => `block L${index}[D, H, G, C, F, E] {
  use attn = ${attention}
  use feed = ${feed}
  (x: [T, D]) => feed(attn(x))
}
`,
  );
  const [first, second] = kinds.map((_, index) => `L${index}[D, H, G, C, F, E]`);
  const stack = second === undefined ? `L of ${first}` : `l in 0..L of if l % 2 == 0 then ${first} else ${second}`;
  const model = `model M[V = 32, L = ${turns * kinds.length}, D = 16, H = 4, G = ${groups}, C = 4, F = 8, E = 4] {
  param tok: [V, D]
  stack layers = ${stack}
  use norm = ${norm}[D]
  forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ tok
}
`;
  const used = namesIn(kinds.map(({ attention, feed }) => `${attention} ${feed}`).join(" ") + norm);
  return `import { ${used.join(", ")} } from "std"\n\n${blocks.join("\n")}\n${model}`;
}

it("any attention, feed-forward network and residual form of the library make a model", async () => {
  await fc.assert(
    fc.asyncProperty(architecture, fc.integer({ min: 1, max: 12 }), async (chosen, tokens) => {
      const folder = folderOf({ "m.moe": spec(chosen) });
      try {
        const args = ["--random", "5", "--quantization", "f32", "--threads", "1", "--tokens", String(tokens), "--json"];
        const { code, out, err } = await moec(["verify", "m.moe", ...args], { cwd: folder.path });
        expect(err).toBe("");
        expect(code, out).toBe(0);
        const { routes } = JSON.parse(out) as { routes: readonly { same: number; all: number }[] };
        for (const { same, all } of routes) expect(same).toBe(all);
      } finally {
        folder.remove();
      }
    }),
    { seed: Number(process.env["SEED"] ?? 20261122), numRuns: Number(process.env["RUNS"] ?? 4), endOnFailure: true },
  );
}, 600_000);
