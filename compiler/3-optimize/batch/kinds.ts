/**
 * What the nodes of a call for several texts have to do with the texts. A value is the `same` for all of them, or has a
 * row for each along one axis, or is one text's `own` (its keys, say, whose number is its own).
 */
import { Size } from "../../axes/size.js";
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import type { ValueType } from "../../ops/types.js";
import { hasEffect } from "../graph.js";
import type { RegionEditor } from "../rewrite.js";
import { crossing } from "../row-wise.js";
import { mentions, typeMentions } from "./sizes.js";

export type Kind =
  { readonly kind: "same" } | { readonly kind: "rows"; readonly axis: string } | { readonly kind: "own" };

/** How a node is run: once for all texts, for each text apart, or once with a body that is split in turn. */
export type Way =
  | { readonly run: "once"; readonly results: readonly Kind[] }
  | { readonly run: "each"; readonly results: readonly Kind[] }
  | { readonly run: "split"; readonly results: readonly Kind[]; readonly body: Region };

export const same: Kind = { kind: "same" };

/** The one axis of `type` along which tokens lie, when all else in it is of fixed size. */
export function rowsOf(type: ValueType, tokens: string): Kind {
  const axes = type.kind === "tensor" ? type.axes : type.tokens;
  const along = axes.filter(({ size }) => size.key === tokens);
  const others = axes.filter(({ size }) => size.key !== tokens);
  const fixed = others.every(({ size }) => size.constant !== undefined);
  return along.length === 1 && fixed ? { kind: "rows", axis: along[0]!.name } : { kind: "own" };
}

/** The axis of the rows when the node treats each row of its result alone. */
function rowAxis(node: Node, editor: RegionEditor, kinds: readonly Kind[], tokens: string): string | undefined {
  const results = node.results.map(({ type }) => rowsOf(type, tokens));
  const [first] = results;
  if (first?.kind !== "rows" || results.some((each) => each.kind !== "rows" || each.axis !== first.axis)) return;
  const { axis } = first;
  if (hasEffect(node) || kinds.some(({ kind }) => kind === "own")) return;
  // An axis that is not that of the rows is cut without touching them.
  const crossed =
    node.op === "slice" && node.attrs["axis"] !== axis
      ? { operands: [axis] }
      : crossing(node, editor, { axis, from: Size.zero, to: Size.one });
  if (!crossed || (crossed.attrs !== undefined && node.op !== "expand")) return;
  const repeats = node.op === "expand" && node.attrs["axis"] === axis;
  if (!repeats && mentions(node, [tokens, "past"])) return;
  const fits = kinds.every((kind, index) => {
    const along = crossed.operands[index];
    return kind.kind === "rows" ? along === kind.axis : along === undefined;
  });
  return fits ? axis : undefined;
}

/**
 * @param kinds Of the operands.
 * @param split Splits the body of a loop whose operands have these kinds; undefined when that does not work.
 */
export function wayOf(
  node: Node,
  editor: RegionEditor,
  kinds: readonly Kind[],
  tokens: string,
  split: (node: Node, kinds: readonly Kind[]) => Way | undefined,
): Way {
  const names = [tokens, "past"];
  const free = !mentions(node, names) && !node.results.some(({ type }) => typeMentions(type, names));
  if (free && !hasEffect(node) && kinds.every(({ kind }) => kind === "same")) {
    return { run: "once", results: node.results.map(() => same) };
  }
  const axis = rowAxis(node, editor, kinds, tokens);
  if (axis !== undefined) return { run: "once", results: node.results.map(() => ({ kind: "rows", axis })) };
  // A loop over the tokens of a call is one of a single turn for each text.
  const splits = (node.op === "stack" || node.op === "fold") && !mentions({ attrs: node.attrs, regions: [] }, names);
  const loop = splits ? split(node, kinds) : undefined;
  return loop ?? { run: "each", results: node.results.map(({ type }) => rowsOf(type, tokens)) };
}

/** Kinds of the parameters of a loop's body, from those of its operands. */
export function bodyKinds(node: Node, kinds: readonly Kind[]): readonly Kind[] {
  return node.op === "fold" ? [same, ...kinds] : kinds;
}

/** The number of values that a loop carries. */
export function carriedOf(node: Node): number {
  return typeof node.attrs["carried"] === "number" ? node.attrs["carried"] : 0;
}

export type Kinds = Map<ValueId, Kind>;
