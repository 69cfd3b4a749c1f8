/**
 * `moec.yaml`: which model, which weights, how small, and where the bundle goes. What is wrong with it is said as
 * diagnostics that point into the file.
 */
import { isMap, isScalar, parseDocument, type Document } from "yaml";
import { z } from "zod";
import type { Diagnostic, SourceSpan } from "../compiler/errors/diagnostic.js";
import { ENCODABLE_TYPES } from "../compiler/checkpoints/encodable.js";
import { CACHES } from "../compiler/4-schedule/options.js";
import { closest } from "../compiler/errors/closest.js";
import { errors } from "../compiler/errors/errors.generated.js";
import { SAMPLING_RANGES, WHOLE_RANGES } from "../runtime/generate/ranges.js";

const size = z.number().int().positive();
const within = ([least, most]: readonly [number, number]) => z.number().min(least).max(most).optional();
const whole = ([least, most]: readonly [number, number]) => z.number().int().min(least).max(most).optional();

const generation = z.strictObject({
  temperature: within(SAMPLING_RANGES.temperature),
  topK: whole(WHOLE_RANGES.topK),
  topP: within(SAMPLING_RANGES.topP),
  minP: within(SAMPLING_RANGES.minP),
  repetitionPenalty: within(SAMPLING_RANGES.repetitionPenalty),
  maxTokens: whole(WHOLE_RANGES.maxTokens),
  stop: z.array(z.string()).optional(),
});

export const TARGETS = ["wasm", "native", "webgpu", "cuda"] as const;
/** Formats of matrices; `file` keeps each in the format that it has in the checkpoint. */
export const QUANTIZATIONS = [...ENCODABLE_TYPES, "file"] as const;

/** The form of the file; `docs/cli.md` says what each key means. */
export const projectSchema = z.strictObject({
  model: z.string().min(1),
  name: z.string().min(1).optional(),
  sizes: z.record(z.string(), size).optional(),
  weights: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  tokenizer: z.string().min(1).optional(),
  quantization: z.enum(QUANTIZATIONS).optional(),
  cache: z.enum(CACHES).optional(),
  context: size.optional(),
  prefill: size.optional(),
  targets: z.array(z.enum(TARGETS)).min(1).optional(),
  out: z.string().min(1).optional(),
  generate: generation.optional(),
});

export type ProjectFile = z.infer<typeof projectSchema>;
export type TargetName = (typeof TARGETS)[number];
export type Quantization = (typeof QUANTIZATIONS)[number];

export type ProjectFileResult =
  | { readonly ok: true; readonly project: ProjectFile }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Aliases can make a small file huge; a project has no use for many. */
const MAX_ALIASES = 20;

/** Reads the text of a project file. */
export function readProjectFile(text: string, file: string): ProjectFileResult {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) {
    const diagnostics = document.errors.map((error) => {
      const span = { file, start: error.pos[0], end: Math.max(error.pos[1], error.pos[0] + 1) };
      return errors.projectFileSyntax({ reason: firstLine(error.message) }, clip(span, text));
    });
    return { ok: false, diagnostics };
  }
  const value = toValue(document);
  if (value instanceof Error) {
    const span = { file, start: 0, end: Math.min(1, text.length) };
    return { ok: false, diagnostics: [errors.projectFileSyntax({ reason: firstLine(value.message) }, span)] };
  }
  const parsed = projectSchema.safeParse(value ?? {});
  if (parsed.success) return { ok: true, project: parsed.data };
  const diagnostics = parsed.error.issues.flatMap((issue) => describe(issue, document, text, file));
  diagnostics.sort((a, b) => a.span.start - b.span.start);
  return { ok: false, diagnostics };
}

function toValue(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function describe(issue: z.core.$ZodIssue, document: Document, text: string, file: string): readonly Diagnostic[] {
  const path = issue.path.filter((key) => typeof key !== "symbol");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const known = closest(key.replaceAll("_", ""), knownKeys(path));
      const reason = known[0] === undefined ? "there is no such key" : `there is no such key; \`${known[0]}\`?`;
      const span = keySpan(document, [...path, key], text, file);
      return errors.projectFileKey({ at: [...path, key].join("."), reason }, span);
    });
  }
  const at = path.length === 0 ? "the file" : path.join(".");
  return [errors.projectFileKey({ at, reason: sentence(issue) }, valueSpan(document, path, text, file))];
}

function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(projectSchema.shape);
  return path[0] === "generate" ? Object.keys(generation.shape) : [];
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.input === undefined && issue.path.length > 0) return "it is missing";
  if (issue.code === "invalid_value") return `it must be one of ${issue.values.map(String).join(", ")}`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

function keySpan(document: Document, path: readonly (string | number)[], text: string, file: string): SourceSpan {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1));
    const range = isScalar(pair?.key) ? pair.key.range : undefined;
    if (range) return clip({ file, start: range[0], end: range[1] }, text);
  }
  return clip({ file, start: 0, end: 1 }, text);
}

/** The value, or the nearest thing around it that is there. */
function valueSpan(document: Document, path: readonly (string | number)[], text: string, file: string): SourceSpan {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      { range?: readonly [number, number, number] } | undefined;
    if (node?.range) return clip({ file, start: node.range[0], end: node.range[1] }, text);
  }
  return clip({ file, start: 0, end: 1 }, text);
}

function clip(span: SourceSpan, text: string): SourceSpan {
  const start = Math.min(Math.max(0, span.start), text.length);
  return { file: span.file, start, end: Math.min(Math.max(span.end, start), text.length) };
}

function firstLine(message: string): string {
  return message.split("\n")[0]!.replace(/:$/, "");
}
