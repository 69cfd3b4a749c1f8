/** What a spec itself says about running it: its `tokenizer` and `generate` settings. `moec.yaml` goes before them. */
import { dirname, resolve } from "node:path";
import type { Program } from "../compiler/2-graph/ir.js";
import type { ManifestGeneration } from "../compiler/6-bundle/index.js";
import type { Project } from "./project.js";

/** Names of the language, in the language's spelling, and those of the runtime. */
const GENERATION: Readonly<Record<string, keyof ManifestGeneration>> = {
  temperature: "temperature",
  top_k: "topK",
  top_p: "topP",
  min_p: "minP",
  repetition_penalty: "repetitionPenalty",
  max_tokens: "maxTokens",
};

export interface RunSettings {
  /** Absolute path of the tokenizer file. */
  readonly tokenizer?: string;
  readonly generation: ManifestGeneration;
}

export function runSettings(program: Program, project: Project): RunSettings {
  const named = program.settings["tokenizer"];
  const tokenizer =
    project.tokenizer ?? (typeof named === "string" ? resolve(dirname(project.spec), named) : undefined);
  const generation = { ...fromSpec(program.settings["generate"]), ...definedOnly(project.generate) };
  return { ...(tokenizer === undefined ? {} : { tokenizer }), generation };
}

function fromSpec(settings: unknown): ManifestGeneration {
  if (typeof settings !== "object" || settings === null) return {};
  const entries = Object.entries(settings).flatMap(([name, value]) => {
    const key = GENERATION[name];
    return key !== undefined && typeof value === "number" ? [[key, value] as const] : [];
  });
  const stop = (settings as { readonly stop?: unknown }).stop;
  const stops = Array.isArray(stop) ? { stop: stop.map(String) } : {};
  return { ...Object.fromEntries(entries), ...stops };
}

function definedOnly<T extends object>(source: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(source).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
