/** How many tokens of a text each expert gets. */
import { moecError } from "../../compiler/errors/raise.js";
import type { Model, RouteTrace } from "../../runtime/node/index.js";
import { expertCounts } from "../show/expert-map.js";

/** One mixture of the spec, in all its layers. */
export interface MixtureUsage {
  /** As traces call it: the path of its experts. */
  readonly label: string;
  /** What each layer is called. */
  readonly names: readonly string[];
  /** Tokens by layer and expert. */
  readonly layers: readonly (readonly number[])[];
}

export interface Usage {
  /** Tokens that were read, with those that begin texts. */
  readonly tokens: number;
  /** In the order in which a token meets them. */
  readonly mixtures: readonly MixtureUsage[];
}

/**
 * Reads a text in pieces that fit one call, each from an empty context.
 *
 * @param note Is told the share of the text that was read.
 * @throws MoecError MOE5444 for a model without mixtures, MOE5321 for an empty text, MOE5330 for a model of no text.
 */
export async function expertUsage(
  model: Model,
  text: string,
  { signal, note }: { readonly signal: AbortSignal; readonly note: (done: number) => void },
): Promise<Usage> {
  const ids = model.tokenizer.encode(text);
  const most = Math.min(...Object.values(model.manifest.limits));
  let mixtures: readonly MixtureUsage[] | undefined;
  let tokens = 0;
  for (const piece of piecesOf(ids, most, model.tokenizer.bos)) {
    const { routes } = await model.read(piece, { trace: true, signal });
    if (routes.length === 0) throw moecError("MOE5444", { name: model.manifest.name });
    mixtures = added(mixtures, routes);
    tokens += piece.length;
    note(Math.min(1, tokens / ids.length));
  }
  return { tokens, mixtures: mixtures! };
}

/** Pieces of at most `most` ids; where the text begins with the id that begins texts, every piece does. */
function piecesOf(ids: readonly number[], most: number, bos: number | undefined): readonly (readonly number[])[] {
  const head = bos !== undefined && ids[0] === bos && most > 1 ? [bos] : [];
  const body = ids.slice(head.length);
  if (body.length === 0) throw moecError("MOE5321", { name: "text", entry: "usage", reason: "it has no tokens" });
  const step = most - head.length;
  return Array.from({ length: Math.ceil(body.length / step) }, (_, at) => [
    ...head,
    ...body.slice(at * step, (at + 1) * step),
  ]);
}

function added(before: readonly MixtureUsage[] | undefined, routes: readonly RouteTrace[]): readonly MixtureUsage[] {
  return routes.map((trace, mixture) => ({
    label: trace.label,
    names: trace.names,
    layers: Array.from({ length: trace.layers }, (_, layer) => {
      const known = before?.[mixture]?.layers[layer];
      return expertCounts(trace, layer).map((count, expert) => count + (known?.[expert] ?? 0));
    }),
  }));
}
