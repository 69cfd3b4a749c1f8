/** Import of damaged and hostile configs: a spec that checks, or a coded error; never anything else. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { memorySource, openCheckpoint, type Checkpoint, type MetadataValue } from "../../compiler/checkpoints/index.js";
import { importModel, modelName, fileStem } from "../../compiler/checkpoints/import/index.js";
import { numberText } from "../../compiler/checkpoints/import/text.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { formatText } from "../../cli/format.js";
import { testHost } from "../check/host.js";
import { configs, ggufBytes, hfOf, variants } from "./configs.js";

const names = Object.keys(configs);
const RUNS = 150;

/** Values that configs of other tools, later versions and vandals have. */
const value = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 2, 3, 1.5, 64, 1e9, 1e300, -0, NaN, "", "silu", "gelu", [], {}),
  fc.constantFrom<unknown>(
    "32",
    [1],
    [0, 1],
    ["full_attention"],
    { rope_type: "linear", factor: 0 },
    { rope_type: "yarn" },
  ),
  fc.constantFrom<unknown>({ rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 1 }),
  fc.integer({ min: -5, max: 600 }),
  fc.double(),
  fc.string({ maxLength: 12 }),
);

const extraKeys = [
  ...["rope_scaling", "sliding_window", "mlp_only_layers", "decoder_sparse_step", "clip_qkv", "head_dim"],
  // What every config has and no reader asks for.
  ...["torch_dtype", "transformers_version", "use_cache", "initializer_range", "bos_token_id", "pad_token_id"],
];

interface Mutation {
  readonly model: string;
  readonly changes: readonly (readonly [at: number, value: unknown])[];
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  model: fc.constantFrom(...names),
  changes: fc.array(fc.tuple(fc.nat(60), value), { minLength: 1, maxLength: 3 }),
});

/** Imports; what is not refused with a code must format and check. */
async function importOrRefuse(checkpoint: Checkpoint, config: unknown): Promise<"imported" | "refused"> {
  let spec: string;
  try {
    spec = importModel({ checkpoint, config, name: "Fuzzed", source: "fuzz" }).spec;
  } catch (error) {
    if (error instanceof MoecError) return "refused";
    throw error;
  }
  const formatted = await formatText(spec, "fuzzed.moe");
  expect(formatted.ok, spec).toBe(true);
  const text = formatted.ok ? formatted.text : "";
  expect(check("fuzzed.moe", testHost({ "fuzzed.moe": text })).diagnostics, text).toEqual([]);
  return "imported";
}

describe("configs with changed values", () => {
  const sources = new Map(names.map((name) => [name, hfOf(configs[name]!)]));

  it("are imported or refused", async () => {
    const counts = { imported: 0, refused: 0 };
    const property = fc.asyncProperty(mutation, async ({ model, changes }) => {
      const { checkpoint, config } = sources.get(model)!;
      const changed: Record<string, unknown> = { ...config };
      const keys = [...Object.keys(config), ...extraKeys];
      for (const [at, to] of changes) changed[keys[at % keys.length]!] = to;
      counts[await importOrRefuse(checkpoint, changed)]++;
    });
    await fc.assert(property, { numRuns: RUNS, verbose: 1 });
    // Both ways are taken: the mutations are neither all deadly nor all harmless.
    expect(counts.imported).toBeGreaterThan(RUNS / 20);
    expect(counts.refused).toBeGreaterThan(RUNS / 5);
  }, 240_000);
});

describe("GGUF metadata with changed values", () => {
  const files = new Map(names.map((name) => [name, openCheckpoint(memorySource(ggufBytes(configs[name]!)))]));
  const entry: fc.Arbitrary<MetadataValue> = fc.oneof(
    fc.integer({ min: 0, max: 600 }).map((number): MetadataValue => ({ type: "u32", value: number })),
    fc.double().map((number): MetadataValue => ({ type: "f32", value: number })),
    fc.string({ maxLength: 8 }).map((text): MetadataValue => ({ type: "string", value: text })),
    fc.boolean().map((is): MetadataValue => ({ type: "bool", value: is })),
    fc.constant<MetadataValue>({ type: "array", of: "i32", values: Int32Array.of(1, 2) }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((number): MetadataValue => ({ type: "u64", value: number })),
  );

  it("is imported or refused", async () => {
    const property = fc.asyncProperty(fc.constantFrom(...names), fc.nat(30), entry, async (name, at, changed) => {
      const checkpoint = files.get(name)!;
      const keys = [...checkpoint.metadata.keys()].filter((key) => !key.startsWith("tokenizer"));
      const metadata = new Map(checkpoint.metadata).set(keys[at % keys.length]!, changed);
      await importOrRefuse({ ...checkpoint, metadata }, undefined);
    });
    await fc.assert(property, { numRuns: RUNS, verbose: 1 });
  }, 240_000);
});

describe("text of foreign files", () => {
  it("becomes names and numbers of the language", async () => {
    const property = fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(modelName(text, "Model")).toMatch(/^[A-Z]\w*$/);
      expect(fileStem(text, "model")).toMatch(/^[a-z0-9][a-z0-9-]*$/);
    });
    fc.assert(property);
    const numbers = fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(Number(numberText(number).replaceAll("_", ""))).toBe(number === 0 ? 0 : number);
    });
    fc.assert(numbers);
    await Promise.resolve();
  });

  it("cannot leave its comment or its string", async () => {
    const { checkpoint, config } = hfOf({ ...variants["qwen3-moe with every other layer dense"]! });
    const property = fc.asyncProperty(fc.string({ unit: "binary", maxLength: 40 }), async (text) => {
      const source = `${text}\n} model Evil {`;
      const { spec } = importModel({ checkpoint, config, name: "Fuzzed", source, tokenizer: text });
      const formatted = await formatText(spec, "fuzzed.moe");
      expect(formatted.ok, spec).toBe(true);
      expect(spec.split("\n").filter((line) => line.startsWith("model "))).toHaveLength(1);
    });
    await fc.assert(property, { numRuns: 40 });
  }, 120_000);
});
