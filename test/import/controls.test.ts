/** The comparison with the plain math can fail: specs that say something else are far away from it. */
import { describe, expect, it } from "vitest";
import { configs, ggufOf, hfOf, testValues, variants } from "./configs.js";
import { imported, referenceRows, relativeError } from "./imported.js";
import { PlainModel } from "./plain-forward.js";

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128];

/** A hundred times what the comparison allows. */
const FAR = 1e-3;

/** Model, and a change of its spec that keeps it a valid one. */
const changes: readonly (readonly [name: string, from: string, to: string])[] = [
  ["mixtral", "renormalize: true", "renormalize: false"],
  ["olmoe", "renormalize: false", "renormalize: true"],
  ["olmoe", "use q_norm = RMSNorm[H * C](epsilon)", "use q_norm = RMSNorm[H * C](epsilon: 1.0)"],
  ["qwen2-moe", "x @ q + q_bias", "x @ q"],
  ["qwen3-moe", "q_norm(x @ q)", "x @ q"],
  ["mixtral", "theta: 1_000_000", "theta: 10_000"],
  ["llama with Llama 3 positions", "factor: 8", "factor: 1"],
  ["llama with linear positions", "factor: 4", "factor: 1"],
  ["mixtral with a window", "Causal & Window(4)", "Causal"],
  ["olmoe that clips", "clip: 0.5", "clip: 500.0"],
  ["bert", "norm1(x + attn(x))", "x + norm1(attn(x))"],
  ["bert", "types[Y: token_types]", "0"],
];

describe("a spec that was changed", () => {
  it.each(changes)("%s: %s to %s", async (name, from, to) => {
    const config = { ...configs, ...variants }[name]!;
    const hf = hfOf(config);
    const made = await imported(hf.checkpoint, hf.config, (text) => {
      expect(text).toContain(from);
      return text.replaceAll(from, to).replaceAll(", Window", "");
    });
    const expected = new PlainModel(config, testValues).forward(IDS).flatMap((row) => [...row]);
    expect(relativeError(referenceRows(made, IDS), expected)).toBeGreaterThan(FAR);
  });
});

describe("interleaved rotary rows", () => {
  it("are another model when they are read as halves", async () => {
    const config = configs["mixtral"]!;
    const made = await imported(ggufOf(config), undefined, (text) =>
      text.replace(/interleaved\((".*?"\[.*?\])\)/g, "$1"),
    );
    expect(made.text).not.toContain("interleaved");
    const expected = new PlainModel(config, testValues).forward(IDS).flatMap((row) => [...row]);
    expect(relativeError(referenceRows(made, IDS), expected)).toBeGreaterThan(FAR);
  });
});
