/**
 * The parameters of requests, by the names that clients of the OpenAI API use. What is here is carried out; what would
 * change an answer and is not here is refused; what says nothing about the answer is left alone.
 */
import { randomInt } from "node:crypto";
import * as z from "zod";
import { moecError } from "../../compiler/errors/raise.js";
import { SAMPLING_RANGES, WHOLE_RANGES } from "../../runtime/generate/ranges.js";

const count = (most: number): z.ZodNumber => z.number().int().min(0).max(most);
const within = ([least, most]: readonly [number, number]) => z.number().min(least).max(most);
const whole = (range: readonly [number, number]) => within(range).int();
const MOST_PROMPTS = 64;
const tokens = z.array(z.number().int().min(0)).min(1);
const stop = z.union([z.string().min(1), z.array(z.string().min(1)).max(8)]);

/** Accepted and without effect: they say who asks, not what. */
const UNRELATED = {
  user: z.unknown().optional(),
  metadata: z.unknown().optional(),
  store: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  safety_identifier: z.unknown().optional(),
  prompt_cache_key: z.unknown().optional(),
  parallel_tool_calls: z.unknown().optional(),
};

/** Accepted at the value that is no wish. */
const NO_WISH = {
  presence_penalty: z.literal(0).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  logit_bias: z.strictObject({}).nullish(),
  tools: z.array(z.never()).nullish(),
  tool_choice: z.literal("none").nullish(),
  response_format: z.strictObject({ type: z.literal("text") }).nullish(),
  best_of: z.literal(1).nullish(),
  echo: z.literal(false).nullish(),
  suffix: z.null().optional(),
};

const sampling = {
  model: z.string().min(1).max(200).optional(),
  temperature: within(SAMPLING_RANGES.temperature).nullish(),
  top_p: within(SAMPLING_RANGES.topP).nullish(),
  top_k: whole(WHOLE_RANGES.topK).nullish(),
  min_p: within(SAMPLING_RANGES.minP).nullish(),
  repetition_penalty: within(SAMPLING_RANGES.repetitionPenalty).nullish(),
  seed: whole(WHOLE_RANGES.seed).nullish(),
  stop: stop.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .nullish(),
  n: z.number().int().min(1).max(8).nullish(),
  ...UNRELATED,
  ...NO_WISH,
};

const completion = z.strictObject({
  ...sampling,
  prompt: z.union([
    z.string(),
    z.array(z.string()).min(1).max(MOST_PROMPTS),
    tokens,
    z.array(tokens).min(1).max(MOST_PROMPTS),
  ]),
  max_tokens: whole(WHOLE_RANGES.maxTokens).nullish(),
  logprobs: count(5).nullish(),
});

const device = z.strictObject({ device: z.string().min(1).max(20) });

const part = z.strictObject({ type: z.literal("text"), text: z.string() });
const message = z.strictObject({
  role: z.enum(["system", "developer", "user", "assistant"]),
  content: z.union([z.string(), z.array(part)]),
  name: z.string().optional(),
  refusal: z.null().optional(),
});

const chat = z.strictObject({
  ...sampling,
  messages: z.array(message).min(1).max(10_000),
  max_tokens: whole(WHOLE_RANGES.maxTokens).nullish(),
  max_completion_tokens: whole(WHOLE_RANGES.maxTokens).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: count(20).nullish(),
  modalities: z.tuple([z.literal("text")]).nullish(),
});

const embeddings = z.strictObject({
  model: z.string().min(1).max(200).optional(),
  input: z.union([z.string(), z.array(z.string()).min(1).max(2048), tokens, z.array(tokens).min(1).max(2048)]),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.null().optional(),
  ...UNRELATED,
});

/** What the page asks: its own names, since no other client does. */
const page = z.strictObject({
  prompt: z.string().min(1),
  maxTokens: whole(WHOLE_RANGES.maxTokens).min(1),
  temperature: within(SAMPLING_RANGES.temperature),
  seed: whole(WHOLE_RANGES.seed).optional(),
});

export type CompletionParameters = z.infer<typeof completion>;
export type ChatParameters = z.infer<typeof chat>;
export type EmbeddingParameters = z.infer<typeof embeddings>;
export type PageParameters = z.infer<typeof page>;
export type SamplingParameters = Pick<CompletionParameters, Exclude<keyof typeof sampling, keyof typeof UNRELATED>>;

/** @throws MoecError MOE5515 */
export const readCompletion = (body: unknown): CompletionParameters => read(completion, body);
/** @throws MoecError MOE5515 */
export const readChat = (body: unknown): ChatParameters => read(chat, body);
/** @throws MoecError MOE5515 */
export const readEmbeddings = (body: unknown): EmbeddingParameters => read(embeddings, body);

/** @throws MoecError MOE5515 */
export const readDevice = (body: unknown): { readonly device: string } => read(device, body);

/** @throws MoecError MOE5515 */
export const readPage = (body: unknown): PageParameters => read(page, body);

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message, unknown } = deepest(parsed.error.issues[0]!);
  const [parameter] = path;
  if (typeof parameter === "string" && Object.hasOwn(NO_WISH, parameter)) {
    throw moecError("MOE5515", { name: parameter, reason: "this server can't carry it out; leave it out" });
  }
  const name = (path.length === 0 && unknown === undefined ? ["body"] : [...path, ...(unknown ?? [])]).map(String);
  const reason = unknown ? "this server does not know it" : message.charAt(0).toLowerCase() + message.slice(1);
  throw moecError("MOE5515", { name: name.join(".").slice(0, 100), reason });
}

interface Wrong {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The first key that the schema lacks. */
  readonly unknown?: readonly [string];
}

/** Of what may be several things, the one that the value comes closest to being. */
function deepest(issue: z.core.$ZodIssue): Wrong {
  const { path, message } = issue;
  if (issue.code === "unrecognized_keys") return { path, message, unknown: [issue.keys[0] ?? ""] };
  if (issue.code !== "invalid_union") return { path, message };
  const choices = issue.errors.flatMap(([first]) => (first ? [deepest(first)] : []));
  const best = choices.reduce<Wrong | undefined>(
    (before, one) => (before && before.path.length >= one.path.length ? before : one),
    undefined,
  );
  return best && best.path.length > 0 ? { ...best, path: [...path, ...best.path] } : { path, message };
}

/** Who asks for no seed gets another text each time. */
export const drawnSeed = (): number => randomInt(2 ** 48 - 1);

/** What of the parameters the model's own `generate` takes. */
export function generationOptions(
  given: SamplingParameters,
  choice: number,
  logprobs?: number,
): Record<string, unknown> {
  const options = {
    temperature: given.temperature,
    topP: given.top_p,
    topK: given.top_k,
    minP: given.min_p,
    repetitionPenalty: given.repetition_penalty,
    logprobs,
    stop: typeof given.stop === "string" ? [given.stop] : given.stop,
    // Several answers to one prompt are different answers; towards 0 all seeds stay in their range.
    seed: typeof given.seed === "number" ? given.seed - choice * (Math.sign(given.seed) || 1) : drawnSeed(),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}
