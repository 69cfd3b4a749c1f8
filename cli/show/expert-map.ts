/**
 * A small picture of which expert took which token: one column per token, one line per layer and slot, one letter and
 * colour per expert, and beside it how the tokens were shared among the experts. Above the layers of a mixture stands the
 * path of its experts, beside each the number that tells it from the others.
 *
 * ```text
 *           In the beginning
 * layers.moe.experts
 * layer 0   A C C F A ·   A 41%  C 22%
 * ```
 */
import type { RouteTrace } from "../../runtime/exports.js";
import { printable } from "./printable.js";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Colours that can be told apart on dark and on light grounds, from the 256 that terminals have. */
const COLORS = [39, 208, 76, 170, 220, 45, 203, 141, 113, 215, 81, 177];

export interface MapOptions {
  readonly colors: boolean;
  /** Cells that a line may have. */
  readonly columns: number;
}

/** What the lines and columns of the map of these routes are. */
export function mapTitle(routes: readonly RouteTrace[]): string {
  const [first] = routes;
  const row = routes.every(({ byToken }) => byToken) ? "token" : "row of routes";
  // The choices of several heads are no number of experts.
  const experts = first && (first.axes?.length ?? 1) === 1 ? `${first.slots} experts` : "experts";
  return `Which ${experts} took which ${row}: a column is a ${row}, a letter is an expert.`;
}

/**
 * @param routes Traces of the same mixtures over consecutive calls.
 * @param tokens Text of each token, in the order of the traces.
 */
export function expertMap(routes: readonly RouteTrace[], tokens: readonly string[], options: MapOptions): string[] {
  const lines: string[] = [];
  const titles = routes.map(({ names }) => titleOf(names));
  const margin = Math.max(0, ...titles.flatMap(({ layers }) => layers.map(({ length }) => length))) + 2;
  const shareCells = 22;
  const most = Math.max(8, options.columns - margin - shareCells - 3);
  for (const [mixture, trace] of routes.entries()) {
    const { path, layers } = titles[mixture]!;
    lines.push(printable(path));
    const first = Math.max(0, trace.tokens - most);
    for (let layer = 0; layer < trace.layers; layer++) {
      for (let slot = 0; slot < trace.slots; slot++) {
        const head = slot === 0 ? layers[layer]!.padEnd(margin) : " ".repeat(margin);
        let cells = "";
        for (let token = first; token < trace.tokens; token++)
          cells += cell(expertAt(trace, layer, token, slot), options);
        const tail = slot === 0 ? `   ${shareBar(trace, layer, options)}` : "";
        lines.push(`${head}${cells}${tail}`);
      }
    }
    if (first > 0)
      lines.push(
        `${" ".repeat(margin)}(the last ${trace.tokens - first} of ${trace.tokens} ${trace.byToken ? "tokens" : "rows"})`,
      );
  }
  return tokens.length === 0 ? lines : [...header(tokens, most, margin), ...lines];
}

/** What the names of layers share, and of each the numbers in which it differs: `layers.moe.experts` and `layer 3`. */
function titleOf(names: readonly string[]): { readonly path: string; readonly layers: readonly string[] } {
  const parts = names.map((name) => name.split(/[. ]/));
  const shared = (parts[0] ?? []).map((part, at) => parts.every((other) => other[at] === part));
  const numbers = parts.map((own) => own.filter((_, at) => !shared[at]).join("."));
  return {
    path: (parts[0] ?? []).filter((_, at) => shared[at]).join("."),
    layers: numbers.map((number) => (number === "" ? "" : `layer ${number}`)),
  };
}

/** Where the text begins and ends, so that the columns can be found in it. */
function header(tokens: readonly string[], most: number, margin: number): string[] {
  const shown = tokens.slice(-most).map((token) => oneLine(token));
  const first = shown[0] ?? "";
  const last = shown.at(-1) ?? "";
  const width = shown.length;
  if (width < first.length + last.length + 3) return [`${" ".repeat(margin)}${first.slice(0, Math.max(1, width))}`];
  const gap = " ".repeat(width - first.length - last.length - 2);
  return [`${" ".repeat(margin)}┌${first}${gap}${last}┐`];
}

function oneLine(text: string): string {
  return printable(text.replace(/\s/g, "␣"));
}

function expertAt(trace: RouteTrace, layer: number, token: number, slot: number): number {
  return trace.index[(layer * trace.tokens + token) * trace.slots + slot] ?? -1;
}

function cell(expert: number, options: MapOptions): string {
  if (expert < 0) return "·";
  return paint(LETTERS[expert % LETTERS.length]!, expert, options);
}

function paint(text: string, expert: number, { colors }: MapOptions): string {
  return colors ? `\u001b[38;5;${COLORS[expert % COLORS.length]}m${text}\u001b[0m` : text;
}

/** The busiest experts of a layer with their share of its slots. */
function shareBar(trace: RouteTrace, layer: number, options: MapOptions): string {
  const counts = expertCounts(trace, layer);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const best = counts
    .map((count, expert) => ({ count, expert }))
    .sort((a, b) => b.count - a.count || a.expert - b.expert)
    .slice(0, 3)
    .filter(({ count }) => count > 0);
  return best
    .map(({ count, expert }) => {
      const share = `${Math.round((100 * count) / Math.max(1, total))}%`;
      return `${paint(LETTERS[expert % LETTERS.length]!, expert, options)} ${share}`;
    })
    .join("  ");
}

/** How often each expert of a layer was chosen. */
export function expertCounts(trace: RouteTrace, layer: number): number[] {
  const counts = new Array<number>(trace.experts).fill(0);
  const row = trace.tokens * trace.slots;
  for (const expert of trace.index.subarray(layer * row, (layer + 1) * row)) {
    if (expert >= 0) counts[expert]!++;
  }
  return counts;
}
