/** `POST /v1/completions` and `POST /v1/chat/completions`: the same work in two shapes. */
import { randomUUID } from "node:crypto";
import { moecError } from "../../compiler/errors/raise.js";
import type { GenerationStep, Tokenizer } from "../../runtime/node/index.js";
import type { Written } from "../writer.js";
import { EventStream, sendJson } from "../http.js";
import type { Exchange, Served } from "../served.js";
import { chatLogprobs, textLogprobs } from "./logprobs.js";
import { generationOptions, readChat, readCompletion, type SamplingParameters } from "./parameters.js";

/** What the two shapes differ in. */
interface Shape {
  readonly id: string;
  /** `object` of a whole answer and of a piece of it. */
  readonly whole: string;
  readonly piece: string;
  choice(index: number, text: string, reason: string | null, logprobs: unknown): Readonly<Record<string, unknown>>;
  delta(index: number, text: string, reason: string | null, logprobs: unknown): Readonly<Record<string, unknown>>;
  /** @param offset Characters of the answer before these tokens. */
  logprobs(tokenizer: Tokenizer, steps: readonly GenerationStep[], offset: number): unknown;
  /** Pieces before the first text. */
  readonly opening: (index: number) => Readonly<Record<string, unknown>> | undefined;
}

const textShape = (): Shape => {
  const choice: Shape["choice"] = (index, text, reason, logprobs) => ({ index, text, logprobs, finish_reason: reason });
  return {
    id: `cmpl-${randomUUID()}`,
    whole: "text_completion",
    piece: "text_completion",
    choice,
    delta: choice,
    logprobs: textLogprobs,
    opening: () => undefined,
  };
};

const chatShape = (): Shape => ({
  id: `chatcmpl-${randomUUID()}`,
  whole: "chat.completion",
  piece: "chat.completion.chunk",
  choice: (index, content, reason, logprobs) => ({
    index,
    message: { role: "assistant", content, refusal: null },
    logprobs,
    finish_reason: reason,
  }),
  delta: (index, content, reason, logprobs) => ({
    index,
    delta: content === "" ? {} : { content },
    logprobs,
    finish_reason: reason,
  }),
  logprobs: chatLogprobs,
  opening: (index) => ({ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }),
});

/** Tokens of a completion when the request does not say; the API's own default. */
const DEFAULT_COMPLETION_TOKENS = 16;

export async function completions(served: Served, exchange: Exchange): Promise<void> {
  const given = readCompletion(await exchange.body());
  served.checkModel(given.model);
  requireLanguage(served);
  const { prompt } = given;
  const isList = Array.isArray(prompt) && typeof prompt[0] !== "number";
  const prompts = (isList ? prompt : [prompt]) as readonly (string | readonly number[])[];
  const ids = prompts.map((one) => served.writer.encode(one));
  const wishes = { ...given, top: given.logprobs ?? undefined };
  await answer(served, exchange, textShape(), ids, wishes, given.max_tokens ?? DEFAULT_COMPLETION_TOKENS);
}

export async function chatCompletions(served: Served, exchange: Exchange): Promise<void> {
  const given = readChat(await exchange.body());
  served.checkModel(given.model);
  requireLanguage(served);
  const messages = given.messages.map(({ role, content }) => ({
    role: role === "developer" ? "system" : role,
    content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
  }));
  // A template writes the special tokens itself.
  const ids = served.writer.encode(served.chat.render(messages), served.chat.source === "default");
  const room = served.writer.context - ids.length + 1;
  const limit = given.max_completion_tokens ?? given.max_tokens ?? room;
  const stop = served.chat.source === "default" ? ["\nuser:", "\nassistant:"] : [];
  const own = typeof given.stop === "string" ? [given.stop] : (given.stop ?? []);
  if (given.logprobs !== true && (given.top_logprobs ?? 0) > 0) {
    throw moecError("MOE5515", { name: "top_logprobs", reason: "it needs `logprobs: true`" });
  }
  const top = given.logprobs === true ? (given.top_logprobs ?? 0) : undefined;
  await answer(served, exchange, chatShape(), [ids], { ...given, top, stop: [...own, ...stop] }, limit);
}

function requireLanguage(served: Served): void {
  const { name, language } = served.model.manifest;
  if (language === undefined) throw moecError("MOE5520", { name, reason: "gives no logits of a next token" });
}

async function answer(
  served: Served,
  exchange: Exchange,
  shape: Shape,
  prompts: readonly (readonly number[])[],
  given: SamplingParameters & { readonly top: number | undefined },
  maxTokens: number,
): Promise<void> {
  const base = { id: shape.id, created: Math.floor(Date.now() / 1000), model: served.model.manifest.name };
  const choices = given.n ?? 1;
  const jobs = prompts.flatMap((ids) => Array.from({ length: choices }, (_, choice) => ({ ids, choice })));
  const { tokenizer } = served.model;
  const isEnd = (id: number): boolean => tokenizer.eos.includes(id);
  /** Tokens of each answer whose likelihoods were not sent yet, and characters of those that were. */
  const untold = jobs.map(() => ({ steps: [] as GenerationStep[], sent: 0 }));
  const logprobs = (index: number): unknown => {
    const own = untold[index]!;
    if (given.top === undefined) return null;
    const steps = own.steps.splice(0);
    const told = shape.logprobs(tokenizer, steps, own.sent);
    own.sent += steps.reduce((sum, { chosen }) => sum + tokenizer.decode([chosen]).length, 0);
    return told;
  };
  const write = (index: number, onPiece: (text: string) => Promise<void> | void): Promise<Written> => {
    const { ids, choice } = jobs[index]!;
    const options = generationOptions(given, choice, given.top);
    const onStep = (step: GenerationStep): void => {
      if (given.top !== undefined && !isEnd(step.chosen)) untold[index]!.steps.push(step);
    };
    return served.writer.write({ ids, maxTokens, options, signal: exchange.signal, onStep, onPiece });
  };
  if (given.stream !== true) {
    const texts = jobs.map(() => "");
    const all = await everyOrNone(jobs, exchange, (index) => write(index, (text) => void (texts[index] += text)));
    const body = all.map(({ reason }, index) => shape.choice(index, texts[index]!, reason, logprobs(index)));
    sendJson(exchange.response, 200, { ...base, object: shape.whole, choices: body, usage: usageOf(all, choices) });
    return;
  }
  const events = new EventStream(exchange.response, served.limits.patience);
  const wantsUsage = given.stream_options?.include_usage === true;
  const send = (one: Readonly<Record<string, unknown>>): Promise<void> =>
    events.send({ ...base, object: shape.piece, choices: [one], ...(wantsUsage ? { usage: null } : {}) });
  const all = await everyOrNone(jobs, exchange, async (index) => {
    let isFirst = true;
    const open = async (): Promise<void> => {
      const opening = isFirst ? shape.opening(index) : undefined;
      isFirst = false;
      if (opening) await send(opening);
    };
    const written = await write(index, async (text) => {
      await open();
      await send(shape.delta(index, text, null, logprobs(index)));
    });
    await open();
    await send(shape.delta(index, "", written.reason, untold[index]!.steps.length > 0 ? logprobs(index) : null));
    return written;
  });
  if (wantsUsage) await events.send({ ...base, object: shape.piece, choices: [], usage: usageOf(all, choices) });
  await events.send("[DONE]");
  events.end();
}

/** Runs all jobs of a request; when one fails the others stop, and the request has failed. */
async function everyOrNone<T>(
  jobs: readonly unknown[],
  exchange: Exchange,
  run: (index: number) => Promise<T>,
): Promise<readonly T[]> {
  const results = await Promise.allSettled(
    jobs.map((_, index) =>
      run(index).catch((error: unknown) => {
        exchange.abort(error);
        throw error;
      }),
    ),
  );
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

function usageOf(all: readonly Written[], choices: number): Readonly<Record<string, number>> {
  const prompt = all.reduce((sum, { promptTokens }, index) => sum + (index % choices === 0 ? promptTokens : 0), 0);
  const completion = all.reduce((sum, { tokens }) => sum + tokens, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
