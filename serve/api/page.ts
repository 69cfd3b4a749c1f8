/** What the page asks beyond the public API: what the model is, and text with the experts that each token took. */
import { layerNames, type GenerationStep, type RouteTrace } from "../../runtime/node/index.js";
import { EventStream, sendJson } from "../http.js";
import type { Exchange, Served } from "../served.js";
import { readPage } from "./parameters.js";

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
    texts: textCount,
  });
}

/** Events: `{piece, tokens}` as tokens are read and written, the first one with the names of `layers`; then `{done, …}`. */
export async function writeTraced(served: Served, exchange: Exchange): Promise<void> {
  const { prompt, maxTokens, temperature, seed } = readPage(await exchange.body());
  const { tokenizer } = served.model;
  const ids = served.writer.encode(prompt);
  const events = new EventStream(exchange.response, served.limits.patience);
  const steps: GenerationStep[] = [];
  const begun = performance.now();
  let firstAt = 0;
  let isNamed = false;
  const flush = async (piece: string): Promise<void> => {
    const layers = isNamed || steps.length === 0 ? {} : { layers: namesOf(steps[0]!.routes) };
    isNamed ||= steps.length > 0;
    const tokens = steps
      .splice(0)
      .flatMap((step) =>
        step.read.map((id, at) => ({ text: tokenizer.decode([id]), layers: layersOf(step.routes, at) })),
      );
    await events.send({ piece, tokens, ...layers });
  };
  const written = await served.writer.write({
    ids,
    maxTokens,
    options: { temperature, ...(seed === undefined ? {} : { seed }) },
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

/** The layers that route tokens, as people know them. */
export function namesOf(routes: readonly RouteTrace[]): readonly string[] {
  return routes.filter(({ byToken }) => byToken).flatMap(layerNames);
}

/** For each layer that routes tokens the experts of the token at place `at`, and their weights. */
export function layersOf(
  routes: readonly RouteTrace[],
  at: number,
): readonly (readonly (readonly [number, number])[])[] {
  return routes
    .filter(({ byToken }) => byToken)
    .flatMap(({ layers, tokens, slots, index, weight }) =>
      Array.from({ length: layers }, (_, layer) =>
        Array.from({ length: slots }, (_, slot) => {
          const place = (layer * tokens + at) * slots + slot;
          return [index[place]!, Math.round(weight[place]! * 1000) / 1000] as const;
        }).filter(([expert]) => expert >= 0),
      ),
    );
}
