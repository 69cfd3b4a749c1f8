/** The form of `moec.yaml` as JSON Schema, with a sentence for each key: for editors and other checkers. */
import { z } from "zod";
import type { Diagnostic } from "../compiler/errors/diagnostic.js";
import { projectSchema, readProjectFile } from "./project-file.js";

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  model: "The spec: a `.moe` file, from the folder of this file. The only key that must be there.",
  name: "Which model, when the spec declares several.",
  sizes: "Sizes and numbers of the model that replace the spec's defaults, such as `L: 4`.",
  weights: "A checkpoint: a safetensors or GGUF file, a folder with shards, or a list of shards.",
  tokenizer: "A `tokenizer.json`, with `tokenizer_config.json` beside it. A GGUF file has its own.",
  quantization:
    "How matrices are stored. `file` keeps each in the format that it has in the checkpoint. Default `f16`.",
  cache: "How numbers in caches are stored: half as many bytes for `f16`, near a quarter for `q8_0`. Default `f32`.",
  context: "Positions that the caches hold. Default 512.",
  prefill: "Tokens read in one go. Default 256.",
  targets: "What kernels are made for. Default `[wasm]`.",
  out: "The folder that `moec build` writes.",
  generate: "Defaults of `generate`; they go before the spec's own.",
  "generate.temperature": "0 always takes the most likely token.",
  "generate.topK": "Choose among the k most likely tokens.",
  "generate.topP": "Choose among the most likely tokens that make up this share.",
  "generate.minP": "Drop tokens less likely than this share of the best.",
  "generate.repetitionPenalty": "Makes tokens that occurred less likely; 1 is off.",
  "generate.maxTokens": "Most tokens to write.",
  "generate.stop": "Texts before which writing ends.",
};

/** What is read of JSON Schema here: objects, arrays, choices, and sentences about them. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly [key: string]: unknown;
}

/** Generated from what `moec` itself reads the file with. */
export function projectJsonSchema(): JsonSchema {
  return described(z.toJSONSchema(projectSchema) as JsonSchema, "");
}

function described(schema: JsonSchema, path: string): JsonSchema {
  const description = DESCRIPTIONS[path];
  const properties = Object.entries(schema.properties ?? {}).map(([key, inner]) => {
    return [key, described(inner, path === "" ? key : `${path}.${key}`)] as const;
  });
  return {
    ...schema,
    ...(description === undefined ? {} : { description }),
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
  };
}

/** What the language server asks about such files. */
export function projectFiles(): {
  readonly check: (text: string, file: string) => readonly Diagnostic[];
  readonly schema: JsonSchema;
} {
  return {
    check: (text, file) => {
      const read = readProjectFile(text, file);
      return read.ok ? [] : read.diagnostics;
    },
    schema: projectJsonSchema(),
  };
}
