/**
 * What is drawn of a graph: boxes for uses of modules and for single ops, and what flows between them. A graph has a node
 * for every small op, so neighbours that come from one declaration are one box; stacks and mixtures stay as frames
 * around what they repeat.
 */
import { Size } from "../../../compiler/axes/size.js";
import type { Node, Region, ValueId } from "../../../compiler/2-graph/ir.js";
import type { SourceSpan } from "../../../compiler/errors/diagnostic.js";
import { typeText } from "../../../compiler/ops/type-text.js";
import type { ValueType } from "../../../compiler/ops/types.js";

export type BoxKind = "input" | "module" | "op" | "router" | "experts" | "stack" | "result";

export interface Box {
  readonly id: number;
  readonly kind: BoxKind;
  readonly label: string;
  readonly span?: SourceSpan;
  /** What the box repeats or chooses from. */
  readonly inside?: Picture;
}

export interface Wire {
  readonly from: number;
  readonly to: number;
  /** The type with its shape: `f32[T, D=256]`. */
  readonly label: string;
}

export interface Picture {
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
}

/** The declaration around a place: its name, its word, and a key that no other has. */
export interface Home {
  readonly key: string;
  readonly name: string;
  readonly contract: string;
}

export type HomeOf = (span: SourceSpan) => Home | undefined;

/** Values that say nothing about the way of the data. */
const HIDDEN = new Set(["param", "constant", "index", "knob", "state"]);
const FRAMES: Readonly<Record<string, BoxKind>> = { stack: "stack", mixture: "experts", dispatch: "experts" };

interface Group {
  readonly nodes: Node[];
  readonly key: string;
  readonly home: Home | undefined;
}

/** The picture of a region; `inputs` names its parameters, `hidden` are those that carry weights. */
export function pictureOf(
  region: Region,
  homeOf: HomeOf,
  inputs: readonly string[] = [],
  hidden: ReadonlySet<ValueId> = new Set(),
  results: readonly string[] = [],
): Picture {
  const unseen = new Set(hidden);
  const boxes: Box[] = [];
  const wires = new Map<string, Wire>();
  const madeBy = new Map<ValueId, number>();
  const types = new Map<ValueId, ValueType>();
  for (const node of region.nodes) for (const { id, type } of node.results) types.set(id, type);
  region.params.forEach(({ id, type, name }, i) => {
    types.set(id, type);
    if (unseen.has(id)) return;
    madeBy.set(id, boxes.length);
    boxes.push({ id: boxes.length, kind: "input", label: inputs[i] ?? name ?? "x" });
  });
  const wire = (value: ValueId, to: number): void => {
    const from = madeBy.get(value);
    const type = types.get(value);
    if (from === undefined || from === to || type === undefined) return;
    wires.set(`${from} ${to}`, { from, to, label: typeText(type) });
  };
  for (const group of grouped(region.nodes, homeOf)) {
    for (const node of group.nodes) {
      // What is made of weights and constants alone is prepared, not computed from the tokens.
      const isPrepared =
        HIDDEN.has(node.op) || (node.operands.length > 0 && node.operands.every((id) => unseen.has(id)));
      if (isPrepared && node.regions.length === 0) for (const { id } of node.results) unseen.add(id);
    }
    const seen = group.nodes.filter(({ results: made }) => made.some(({ id }) => !unseen.has(id)));
    if (seen.length === 0) continue;
    const id = boxes.length;
    boxes.push(boxOf(id, seen, group.home, homeOf, unseen));
    const own = new Set(seen.flatMap((node) => node.results.map((value) => value.id)));
    for (const node of seen) for (const value of node.operands) if (!own.has(value)) wire(value, id);
    for (const value of own) madeBy.set(value, id);
  }
  region.results.forEach((value, i) => {
    const id = boxes.length;
    boxes.push({ id, kind: "result", label: results[i] ?? "result" });
    wire(value, id);
  });
  return { boxes, wires: [...wires.values()] };
}

/** Neighbours of one declaration together; a function belongs to whoever calls it. */
function grouped(nodes: readonly Node[], homeOf: HomeOf): readonly Group[] {
  const groups: Group[] = [];
  for (const node of nodes) {
    const home = node.span && homeOf(node.span);
    const last = groups.at(-1);
    if (node.op in FRAMES) {
      groups.push({ nodes: [node], key: `frame ${groups.length}`, home });
    } else if (
      last &&
      !last.key.startsWith("frame") &&
      (HIDDEN.has(node.op) || last.key === home?.key || (home?.contract === "fn" && last.home))
    ) {
      last.nodes.push(node);
    } else groups.push({ nodes: [node], key: home?.key ?? `op ${groups.length}`, home });
  }
  return groups;
}

function boxOf(
  id: number,
  nodes: readonly Node[],
  home: Home | undefined,
  homeOf: HomeOf,
  unseen: ReadonlySet<ValueId>,
): Box {
  const last = nodes.at(-1)!;
  const place = last.span ? { span: last.span } : {};
  const frame = nodes.length === 1 ? FRAMES[last.op] : undefined;
  if (frame) {
    const { region, label } = framed(last);
    if (region)
      return { id, kind: frame, label, ...place, inside: pictureOf(region, homeOf, [], weightsIn(last, unseen)) };
  }
  const routes = nodes.some(({ results }) => results.some(({ type }) => type.kind === "routes"));
  if (nodes.length === 1 || !home) return { id, kind: routes ? "router" : "op", label: last.op, ...place };
  return { id, kind: routes ? "router" : "module", label: home.name, ...place };
}

function framed(node: Node): { readonly region: Region | undefined; readonly label: string } {
  const { name, layers } = node.attrs;
  const count = layers instanceof Size ? layers.constant : undefined;
  const stack = `${typeof name === "string" ? name : "stack"}${count === undefined ? "" : ` × ${count}`}`;
  return { region: node.regions[0], label: node.op === "stack" ? stack : expertsLabel(node) };
}

function expertsLabel(node: Node): string {
  const banks = node.regions.length;
  return banks > 1 ? `${node.op} of ${banks} kinds, the first` : node.op;
}

/** Parameters of the node's first region that carry weights; they stand last, as they do among the operands. */
function weightsIn(node: Node, unseen: ReadonlySet<ValueId>): ReadonlySet<ValueId> {
  const found = new Set<ValueId>();
  const params = node.regions[0]!.params;
  const from = node.operands.length - params.length;
  params.forEach(({ id }, i) => {
    const operand = node.operands[from + i];
    if (operand !== undefined && unseen.has(operand)) found.add(id);
  });
  return found;
}
