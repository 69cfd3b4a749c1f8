/** From text to a checked `tokenizer.json`: JSON, form, known parts, sound vocabulary, in this order. */
import * as z from "zod/mini";
import { badForm, notJson, unsupportedPart } from "./errors.js";
import { configSchema, type PostProcessor, type Step, SUPPORTED, type TokenizerConfig } from "./schema.js";
import { type TokenizerJson, tokenizerSchema } from "./schema.js";

/** Sequences of sequences are no use to anybody; the bound keeps a forged file from overflowing the stack. */
const MAX_DEPTH = 8;

function parseJson(input: unknown, file: string): unknown {
  if (typeof input !== "string") return input;
  try {
    return JSON.parse(input);
  } catch (error) {
    throw notJson(file, error instanceof Error ? error.message : "");
  }
}

function checkForm<T>(schema: z.ZodMiniType<T>, input: unknown, file: string): T {
  const value = parseJson(input, file);
  checkDepth(value, file);
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw badForm(file, issue.path.join(".") || "the top", issue.message);
}

/** Before the schema, which walks nested steps by recursion. */
function checkDepth(root: unknown, file: string): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > 4 * MAX_DEPTH) throw badForm(file, "the top", "its parts are nested too deep");
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      for (const child of Object.values(value)) if (typeof child === "object" && child !== null) next.push(child);
    }
    level = next;
  }
}

/**
 * Parse and check the form of a `tokenizer.json`.
 *
 * @param input the text of the file, or its parsed JSON.
 * @throws MoecError MOE5201 (not JSON), MOE5202 (another form), MOE5203 (a part that is not supported).
 */
export function parseTokenizerJson(input: unknown, file = "tokenizer.json"): TokenizerJson {
  const json = checkForm(tokenizerSchema, input, file);
  checkStep("normalizer", json.normalizer);
  checkStep("pre_tokenizer", json.pre_tokenizer);
  checkStep("decoder", json.decoder);
  checkPostProcessor(json.post_processor);
  checkModel(json);
  for (const { content, single_word: singleWord } of json.added_tokens) {
    if (singleWord === true) throw unsupportedPart(`an added token that matches whole words only (${content})`);
  }
  return json;
}

/**
 * Parse and check a `tokenizer_config.json`.
 *
 * @throws MoecError MOE5201 (not JSON), MOE5202 (another form).
 */
export function parseTokenizerConfig(input: unknown, file = "tokenizer_config.json"): TokenizerConfig {
  return checkForm(configSchema, input, file);
}

type StepPart = "normalizer" | "pre_tokenizer" | "decoder";

/** Fields without which a step has no meaning; the library would go on with `undefined`. */
const REQUIRED: Readonly<Record<string, keyof Step>> = {
  Replace: "pattern",
  Split: "pattern",
  Prepend: "prepend",
  FixedLength: "length",
};

function checkStep(part: StepPart, step: Step | null | undefined): void {
  if (step === null || step === undefined) return;
  const { type } = step;
  if (!(SUPPORTED[part] as readonly string[]).includes(type)) {
    throw unsupportedPart(`the ${part} ${type}`, SUPPORTED[part]);
  }
  const required = REQUIRED[type];
  if (required !== undefined && step[required] === undefined) {
    throw badForm("tokenizer.json", part, `${type} needs \`${required}\``);
  }
  if (type === "Split" && !isPlainSplit(step)) {
    throw unsupportedPart(`a Split with behavior ${step.behavior} (invert ${step.invert})`, ["Isolated", "Removed"]);
  }
  if (type === "Punctuation" && !["Isolated", "Contiguous", undefined].includes(step.behavior)) {
    throw unsupportedPart(`a Punctuation with behavior ${step.behavior}`, ["Isolated", "Contiguous"]);
  }
  const key = ({ normalizer: "normalizers", pre_tokenizer: "pretokenizers", decoder: "decoders" } as const)[part];
  for (const inner of step[key] ?? []) checkStep(part, inner);
}

/** The library knows pieces kept apart, matches removed, and matches kept alone. */
function isPlainSplit({ behavior, invert }: Step): boolean {
  return behavior === "Removed" || (behavior === "Isolated" && invert !== true);
}

function checkPostProcessor(processor: PostProcessor | null | undefined): void {
  if (processor === null || processor === undefined) return;
  const { type } = processor;
  if (!(SUPPORTED.post_processor as readonly string[]).includes(type)) {
    throw unsupportedPart(`the post_processor ${type}`, SUPPORTED.post_processor);
  }
  if (type === "TemplateProcessing" && processor.single === undefined) {
    throw badForm("tokenizer.json", "post_processor", "TemplateProcessing needs `single`");
  }
  if ((type === "BertProcessing" || type === "RobertaProcessing") && !(processor.sep && processor.cls)) {
    throw badForm("tokenizer.json", "post_processor", `${type} needs \`sep\` and \`cls\``);
  }
  for (const inner of processor.processors ?? []) checkPostProcessor(inner);
}

function checkModel({ model }: TokenizerJson): void {
  const type = model.type ?? "of no type";
  if (!(SUPPORTED.model as readonly string[]).includes(type))
    throw unsupportedPart(`the model ${type}`, SUPPORTED.model);
  if (type === "BPE" && (model.continuing_subword_prefix ?? "") !== "") {
    throw unsupportedPart("a BPE model with `continuing_subword_prefix`");
  }
  if (type === "Unigram" && model.byte_fallback === true) throw unsupportedPart("a Unigram model with `byte_fallback`");
  if ((model.dropout ?? 0) > 0) throw unsupportedPart("a BPE model with `dropout`");
}
