/**
 * Attention over a cache as one node, com.microsoft `GroupQueryAttention`: a causal mask, or a causal window. What the
 * model appends to its caches is given to the operator as new rows; the caches that it gives back are the new states.
 */
import { Size } from "../../../axes/size.js";
import type { Node, Region, ValueId } from "../../../2-graph/ir.js";
import type { Axis } from "../../../ops/types.js";
import type { Use } from "../use.js";
import type { Tensor } from "../values.js";

const OPERATOR = "GroupQueryAttention";
/** The operator's kernels read heads by eight numbers. */
const HEAD_MULTIPLE = 8;

/** Positions that a query sees: all up to its own, or the last `window` of them. */
interface Causal {
  readonly window?: number;
}

/** Reads a mask's region `(query, key) -> bool`; undefined for one that is not causal. */
function causalMask(region: Region): Causal | undefined {
  const nodes = new Map<ValueId, Node>(region.nodes.flatMap((node) => node.results.map(({ id }) => [id, node])));
  const [query, key] = region.params.map(({ id }) => id);
  const read = (id: ValueId): Causal | undefined => {
    const node = nodes.get(id);
    const [a, b] = node?.operands ?? [];
    if ((node?.op === "le" && a === key && b === query) || (node?.op === "ge" && a === query && b === key)) return {};
    if (node?.op === "lt") return windowOf(nodes.get(a!), nodes.get(b!));
    if (node?.op === "gt") return windowOf(nodes.get(b!), nodes.get(a!));
    if (node?.op !== "and") return undefined;
    const [left, right] = [read(a!), read(b!)];
    // A window alone also lets later positions through.
    const isCausal = (part: Causal | undefined): boolean => part !== undefined && part.window === undefined;
    if (!left || !right || !(isCausal(left) || isCausal(right))) return undefined;
    const windows = [left.window, right.window].filter((window) => window !== undefined);
    return windows.length === 0 ? {} : { window: Math.min(...windows) };
  };
  /** `query - key < n`. */
  const windowOf = (distance: Node | undefined, limit: Node | undefined): Causal | undefined => {
    const [a, b] = distance?.operands ?? [];
    if (distance?.op !== "sub" || a !== query || b !== key || limit?.op !== "constant") return undefined;
    return { window: limit.attrs.value as number };
  };
  const found = read(region.results[0]!);
  const isWindowAlone = found?.window !== undefined && nodes.get(region.results[0]!)?.op !== "and";
  return isWindowAlone ? undefined : found;
}

export function groupQueryAttention(use: Use): Tensor {
  const { graph, attrs, around } = use;
  const refuse = (reason: string): never => use.refuse(reason, OPERATOR);
  if (attrs.hasSinks === true) return refuse("sinks");
  if (attrs.hasKeep === true) return refuse("pairs that are listed by a tensor");
  const mask = attrs.hasMask === true ? causalMask(use.node.regions[0]!) : undefined;
  if (!mask) return refuse("a mask that is neither causal nor a causal window");
  const [q, k, v] = [use.tensor(0), use.tensor(1), use.tensor(2)];
  const [keys, values] = [around.appended(k.name), around.appended(v.name)];
  if (!keys || !values || !(attrs.queryOffset as Size).equals(Size.of("past"))) {
    return refuse("keys or values that are not the rows of a cache as they were appended");
  }
  const [query, over] = [attrs.queryAxis as string, attrs.keyAxis as string];
  const [width, out] = [attrs.contracted as string, attrs.valueAxis as string];
  const groups = k.axes.filter(({ name }) => name !== over && name !== width);
  const heads = q.axes.filter(({ name }) => name !== query && name !== width);
  const own = heads.filter(({ name }) => !groups.some((group) => group.name === name));
  const isShared = groups.every(({ name }) => heads.some((head) => head.name === name) && v.axes.some((axis) => axis.name === name)); // prettier-ignore
  if (!isShared || v.axes.length !== groups.length + 2) return refuse("heads of keys that queries do not share");
  const size = k.axes.find(({ name }) => name === width)!.size.constant;
  const valueAxis = v.axes.find(({ name }) => name === out)!;
  if (size === undefined || size % HEAD_MULTIPLE !== 0 || valueAxis.size.constant !== size) {
    return refuse(`heads of ${String(size)} numbers for keys and ${valueAxis.size.key} for values`);
  }
  const count = (axes: readonly Axis[]): number =>
    axes.reduce((product, axis) => product * (axis.size.constant ?? Number.NaN), 1);
  const tokens = q.axes.find(({ name }) => name === query)!;
  const one = { name: "'batch", size: Size.one };

  /** `[1, rows, heads * width]`. */
  const flat = (x: Tensor, row: string, inner: readonly Axis[], last: string): string => {
    const ordered = graph.order(x, [row, ...inner.map(({ name }) => name), last]);
    const all = { name: "'all", size: Size.of(count(inner) * size) };
    return graph.reshape(ordered, [one, ordered.axes[0]!, all]).name;
  };
  /** A cache `[rows, heads…, width]` as `[1, heads, rows, width]`. */
  const past = (cache: Tensor, last: string): string => {
    const [rows] = cache.axes;
    const inner = groups.map(({ name }) => name);
    const ordered = graph.order(cache, [...inner, rows!.name, last]);
    const head = { name: "'head", size: Size.of(count(groups)) };
    return graph.reshape(ordered, [one, head, rows!, cache.axes.find(({ name }) => name === last)!]).name;
  };
  const total = Size.of("past").plus(tokens.size);
  const length = graph.cast({ kind: "tensor", name: graph.size(total), type: "i64", axes: [one] }, "i32");
  const before = graph.apply("Sub", [length, graph.number("i32", 1)], "i32");
  const attributes = {
    num_heads: { int: count(heads) },
    kv_num_heads: { int: count(groups) },
    scale: { float: attrs.scale as number },
    do_rotary: { int: 0 },
    ...(mask.window === undefined ? {} : { local_window_size: { int: mask.window } }),
  };
  const inputs = [
    flat(q, query, [...groups, ...own], width),
    flat(keys.rows, keys.rowAxis, groups, width),
    flat(values.rows, values.rowAxis, groups, out),
    past(keys.past, width),
    past(values.past, out),
    before.name,
    length.name,
  ];
  const [seen, presentKeys, presentValues] = graph.nodeMany(OPERATOR, inputs, 3, attributes, "com.microsoft");
  const rows = { name: over, size: total };
  /** Back to the layout of the state. */
  const present = (name: string, cache: Tensor, last: string): Tensor => {
    const inner = cache.axes.filter((axis) => axis.name !== cache.axes[0]!.name && axis.name !== last);
    const wide: Tensor = { kind: "tensor", name, type: "f32", axes: [one, { name: "'head", size: Size.of(count(groups)) }, rows, cache.axes.find((axis) => axis.name === last)!] }; // prettier-ignore
    const split = graph.reshape(wide, [...groups, rows, wide.axes[3]!]);
    return graph.order(split, [over, ...inner.map((axis) => axis.name), last]);
  };
  keys.replace(present(presentKeys!, keys.past, width));
  values.replace(present(presentValues!, values.past, out));
  const result: Tensor = { kind: "tensor", name: seen!, type: "f32", axes: [one, tokens, { name: "'all", size: Size.of(count(heads) * size) }] }; // prettier-ignore
  return graph.reshape(result, [tokens, ...groups, ...own, valueAxis]);
}
