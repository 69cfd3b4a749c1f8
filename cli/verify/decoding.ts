/** A text whose first half is read in one call, the rest token by token through the caches, as generation goes on. */
import type { Program } from "../../compiler/2-graph/ir.js";
import { StateStore } from "../../compiler/2-graph/index.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import type { CacheStorage } from "../../compiler/4-schedule/options.js";
import { cacheRounding } from "../../compiler/checkpoints/cache-rounding.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import type { Model } from "../../runtime/node/index.js";
import { acrossCalls } from "../show/across-calls.js";
import type { LayerRoutes } from "./compare.js";
import { runDevice, runReference, routesAs, type EntryRun } from "./runs.js";

/** The entries that generation calls: for the tokens of a prompt and for a token behind a text. */
export interface DecodingEntries {
  readonly prompt: string;
  readonly token: string;
  /** The entry of the spec that says what a token behind a text gives. */
  readonly spec: string;
  readonly input: string;
  readonly output: string;
}

/** Undefined for models that write no text or keep nothing between calls. */
export function decodingEntries(
  program: Program,
  plan: Plan,
  language: string | undefined,
): DecodingEntries | undefined {
  const written = plan.entries.find(({ name }) => name === language);
  if (!written || plan.states.length === 0) return undefined;
  const prompt = plan.entries.find(({ name }) => name === written.derived?.from) ?? written;
  // A spec may say how a single token differs: `decode { … }`.
  const own = plan.entries.find(({ derived }) => derived?.form === "decode" && derived.from === prompt.name);
  const token = own ?? written;
  const spec = own && program.entries.some(({ name }) => name === own.name) ? own.name : prompt.name;
  return {
    prompt: prompt.name,
    token: token.name,
    spec,
    input: prompt.inputs[0]!.name,
    output: prompt.outputs[0]!.name,
  };
}

/** The results of both runs: a row for each token behind the prompt, and the routes of all tokens. */
export interface Decoding {
  readonly found: EntryRun;
  readonly expected: EntryRun;
  /** Tokens of the prompt. */
  readonly prompt: number;
}

/**
 * @param tokens Two ids or more as an input of the entry; the first half of them is the prompt.
 * @param params Parameters as the device has them.
 */
export async function runDecoding(
  model: Model,
  program: Program,
  entries: DecodingEntries,
  tokens: ReferenceTensor,
  params: (path: string) => ReferenceTensor,
  cache: CacheStorage,
): Promise<Decoding> {
  const states = new StateStore(cacheRounding(cache));
  const found: CallRun[] = [];
  const expected: CallRun[] = [];
  const prompt = Math.ceil(tokens.data.length / 2);
  await model.reset();
  for (const { from, to } of callsOf(tokens.data.length, prompt)) {
    const isPrompt = from === 0;
    const inputs = { [entries.input]: slice(tokens, from, to) };
    const device = await runDevice(model, isPrompt ? entries.prompt : entries.token, inputs, "extend");
    const name = isPrompt ? entries.prompt : entries.spec;
    const reference = runReference(program, name, inputs, params, states);
    const count = to - from;
    found.push({ ...device, tokens: count });
    const routes = routesAs(reference.traces, device.routes);
    expected.push({ outputs: reference.outputs, routes, tokens: count });
  }
  return { found: joined(found, entries.output), expected: joined(expected, entries.output), prompt };
}

/** The places of the tokens of each call: a prompt, then one by one. */
function callsOf(count: number, prompt: number): readonly { readonly from: number; readonly to: number }[] {
  const single = Array.from({ length: count - prompt }, (_, at) => ({ from: prompt + at, to: prompt + at + 1 }));
  return [{ from: 0, to: prompt }, ...single];
}

function slice(tokens: ReferenceTensor, from: number, to: number): ReferenceTensor {
  const [axis] = tokens.axes;
  return { ...tokens, axes: [{ name: axis!.name, size: to - from }], data: tokens.data.slice(from, to) };
}

interface CallRun extends EntryRun {
  /** Tokens of the call. */
  readonly tokens: number;
}

/** Consecutive calls as one: rows behind rows, without those of the prompt. */
function joined(runs: readonly CallRun[], output: string): EntryRun {
  return {
    outputs: { [output]: concatenated(runs.slice(1).map(({ outputs }) => Object.values(outputs)[0]!)) },
    routes: joinedRoutes(runs),
  };
}

/**
 * Each layer is joined by its name, and tokens of calls without it have empty slots, so that rows stay those of the text.
 */
function joinedRoutes(runs: readonly CallRun[]): readonly LayerRoutes[] {
  const key = ({ name, slots }: LayerRoutes): string => `${name} ${slots}`;
  const calls = runs.map(({ routes }) => routes);
  return acrossCalls(calls, key).map(({ one, parts }, layer) => {
    const index = parts.map((part, call) => part?.index ?? new Int32Array(runs[call]!.tokens * one.slots).fill(-1));
    const byToken = parts.every((part) => part === undefined || part.byToken === true);
    return { ...one, layer, byToken, index: concatenated(index) };
  });
}

function concatenated(parts: readonly ArrayLike<number>[]): number[] {
  return parts.flatMap((part) => Array.from(part));
}
