/** What the page asks beyond the public API: what the model is, and text with the experts that each token took. */
import { deviceText, whyNotText } from "../../runtime/device-text.js";
import type { GenerationStep, RouteTrace } from "../../runtime/node/index.js";
import { EventStream, sendJson } from "../http.js";
import type { Exchange, Served } from "../served.js";
import { drawnSeed, readPage } from "./parameters.js";

export function describeModel(served: Served, exchange: Exchange): void {
  const { manifest, report, textCount } = served.model;
  const { name, compiler, memory, parameters: stored, limits, language, generation } = manifest;
  sendJson(exchange.response, 200, {
    name,
    compiler,
    memory,
    parameters: stored,
    limits,
    generation,
    writes: language !== undefined,
    devices: served.devices,
    report,
    device: deviceText(report),
    whyNot: whyNotText(report),
    // No number when it is endless.
    context: served.writer.context,
    texts: textCount,
  });
}

/**
 * Events: `{piece, tokens}` as tokens are read and written, the first with the place of its `first` token in the text, and
 * with the names of all `layers` so far when there are more than before; then `{done, …}`.
 */
export async function writeTraced(served: Served, exchange: Exchange): Promise<void> {
  const { prompt, maxTokens, temperature, seed } = readPage(await exchange.body());
  const { tokenizer } = served.model;
  const ids = served.writer.encode(prompt);
  const events = new EventStream(exchange.response, served.limits.patience);
  const steps: GenerationStep[] = [];
  const begun = performance.now();
  let firstAt = 0;
  const names: string[] = [];
  // What the text shares with the one before is not read again, and so has no experts here.
  let first: number | undefined;
  const flush = async (piece: string): Promise<void> => {
    const taken = steps.splice(0);
    const isFirst = first === undefined;
    first ??= ids.length - (taken[0]?.read.length ?? 0);
    const isMore = addNames(names, taken);
    const tokens = taken.flatMap(({ read, routes }) =>
      read.map((id, at) => ({ text: tokenizer.decode([id]), layers: layersOf(routes, at, names) })),
    );
    await events.send({ piece, tokens, ...(isFirst ? { first } : {}), ...(isMore ? { layers: names } : {}) });
  };
  const written = await served.writer.write({
    ids,
    maxTokens,
    options: { temperature, seed: seed ?? drawnSeed() },
    signal: exchange.signal,
    trace: true,
    onStep: (step) => {
      if (firstAt === 0) firstAt = performance.now();
      steps.push(step);
    },
    onPiece: flush,
  });
  if (steps.length > 0) await flush("");
  const seconds = (performance.now() - firstAt) / 1000;
  const tokensPerSecond = written.tokens > 1 && seconds > 0 ? (written.tokens - 1) / seconds : 0;
  const promptMilliseconds = firstAt - begun;
  await events.send({ done: true, ...written, tokensPerSecond, promptMilliseconds });
  events.end();
}

/** Adds the names of layers that steps have and those before them had not, in the order of layers; whether there were any. */
export function addNames(names: string[], steps: readonly Pick<GenerationStep, "routes">[]): boolean {
  const traces = steps.flatMap(({ routes }) => routes).filter(({ byToken }) => byToken);
  const more = new Set(traces.flatMap((trace) => trace.names).filter((name) => !names.includes(name)));
  names.push(...inLayerOrder([...more]));
  return more.size > 0;
}

/** Layers of one stack by their numbers, wherever kinds of layers take turns; all else as it comes. */
function inLayerOrder(names: readonly string[]): readonly string[] {
  const parts = names.map((name) => name.split("."));
  const groups = new Map<string, number>();
  // Numbers are ordered as such, other names by the first that goes on from there.
  const keys = parts.map((own) =>
    own.map((part, at) => {
      if (/^\d+$/.test(part)) return Number(part);
      const group = own.slice(0, at + 1).join(".");
      if (!groups.has(group)) groups.set(group, groups.size);
      return groups.get(group)!;
    }),
  );
  const order = names.map((_, index) => index);
  order.sort((a, b) => {
    const at = keys[a]!.findIndex((key, depth) => key !== keys[b]![depth]);
    return at < 0 ? keys[a]!.length - keys[b]!.length : keys[a]![at]! - (keys[b]![at] ?? -1);
  });
  return order.map((index) => names[index]!);
}

/**
 * For each layer of these names the experts of the token at place `at`, and their weights: none of layers that its call
 * does not have.
 */
export function layersOf(
  routes: readonly RouteTrace[],
  at: number,
  names: readonly string[],
): readonly (readonly (readonly [number, number])[])[] {
  const taken = new Map(
    routes
      .filter(({ byToken }) => byToken)
      .flatMap((trace) => trace.names.map((name, layer) => [name, expertsOf(trace, layer, at)] as const)),
  );
  return names.map((name) => taken.get(name) ?? []);
}

function expertsOf(
  { tokens, slots, index, weight }: RouteTrace,
  layer: number,
  at: number,
): readonly (readonly [number, number])[] {
  return Array.from({ length: slots }, (_, slot) => {
    const place = (layer * tokens + at) * slots + slot;
    return [index[place]!, Math.round(weight[place]! * 1000) / 1000] as const;
  }).filter(([expert]) => expert >= 0);
}
