/**
 * Rewriting by rules: a new region is written front to back while the old one is read, so nothing changes in place and a
 * rule sees operands that are rewritten already.
 *
 * @example rewriteProgram(program, (node, editor) => (node.op === "neg" ? [editor.add("mul", …)] : undefined))
 */
import type { Entry, Node, Program, Region, Value, ValueId } from "../2-graph/ir.js";
import { inline } from "../2-graph/rewrite.js";
import { declarationsOf, regionType } from "../2-graph/types.js";
import { nextId } from "../2-graph/walk.js";
import { getOp } from "../ops/index.js";
import { sameType, typeText } from "../ops/type-text.js";
import type { Attrs, Declarations, OpCall, ValueType } from "../ops/types.js";

/** Hands out numbers that no value of the entry has. */
export class ValueIds {
  private next: number;
  constructor(body: Region) {
    this.next = nextId({ body });
  }
  fresh(): ValueId {
    return this.next++;
  }
}

/** A region in the making. */
export class RegionEditor {
  readonly nodes: Node[] = [];
  private readonly made = new Map<ValueId, Node>();
  private readonly types = new Map<ValueId, ValueType>();
  private readonly positions = new Map<ValueId, number>();

  constructor(
    readonly ids: ValueIds,
    readonly declared: Declarations,
    readonly params: readonly Value[],
  ) {
    for (const param of params) this.define(param);
  }

  private define(value: Value): void {
    this.types.set(value.id, value.type);
    this.positions.set(value.id, this.positions.size);
  }

  /** Values in the order in which they were made, parameters first. */
  position(id: ValueId): number {
    return this.positions.get(id) ?? -1;
  }

  /** The node of this region that made the value; undefined for parameters of the region. */
  producer(id: ValueId): Node | undefined {
    return this.made.get(id);
  }

  type(id: ValueId): ValueType {
    const type = this.types.get(id);
    if (!type) throw new Error(`value %${id} is not of this region`);
    return type;
  }

  /** Adds a node as it is. */
  emit(node: Node): readonly ValueId[] {
    this.nodes.push(node);
    for (const result of node.results) {
      this.made.set(result.id, node);
      this.define(result);
    }
    return node.results.map(({ id }) => id);
  }

  /** What the type rule of the op says, without adding anything. */
  typesOf(
    op: string,
    operands: readonly ValueId[],
    attrs: Attrs = {},
    regions: readonly Region[] = [],
  ): readonly ValueType[] {
    const rule = getOp(op);
    if (!rule) throw new Error(`there is no op ${op}`);
    const call: OpCall = {
      operands: operands.map((id) => this.type(id)),
      attrs,
      regions: regions.map((region) => regionType(region)),
      declared: this.declared,
    };
    return rule.type(call);
  }

  /** Adds a new node; its types come from the op's rule, its place in the source from `like`. */
  addAll(
    op: string,
    operands: readonly ValueId[],
    attrs: Attrs = {},
    regions: readonly Region[] = [],
    like?: Pick<Node, "span">,
  ): readonly ValueId[] {
    const results = this.typesOf(op, operands, attrs, regions).map((type) => ({ id: this.ids.fresh(), type }));
    return this.emit({ op, operands, attrs, regions, results, ...(like?.span ? { span: like.span } : {}) });
  }

  /** Adds a node with one result. */
  add(op: string, operands: readonly ValueId[], attrs: Attrs = {}, like?: Pick<Node, "span">): ValueId {
    return this.addAll(op, operands, attrs, [], like)[0]!;
  }

  /** Puts the nodes of a region here, with `args` for its parameters; gives what stands for its results. */
  inline(region: Region, args: readonly ValueId[]): readonly ValueId[] {
    const { nodes, results } = inline(region, args, () => this.ids.fresh());
    for (const node of nodes) this.emit(node);
    return results;
  }

  constant(value: number, dtype: "f32" | "i32" | "bool" = "f32"): ValueId {
    return this.add("constant", [], { value, dtype });
  }
}

/**
 * The values to use in place of the results of `node` (already in the editor, of the same types), or undefined to keep
 * it. Operands and inner regions of `node` are rewritten already.
 */
export type Rule = (node: Node, editor: RegionEditor) => readonly ValueId[] | undefined;

/** One sweep over a region and, first, the regions inside; the same object when nothing changed. */
export function rewriteRegion(region: Region, rule: Rule, ids: ValueIds, declared: Declarations): Region {
  const editor = new RegionEditor(ids, declared, region.params);
  const replaced = new Map<ValueId, ValueId>();
  const now = (id: ValueId): ValueId => replaced.get(id) ?? id;
  let changed = false;
  for (const old of region.nodes) {
    const operands = old.operands.map(now);
    const regions = old.regions.map((inner) => rewriteRegion(inner, rule, ids, declared));
    const same =
      operands.every((id, index) => id === old.operands[index]) &&
      regions.every((inner, index) => inner === old.regions[index]);
    const node = same ? old : { ...old, operands, regions };
    const values = rule(node, editor);
    if (!values) {
      changed ||= !same;
      editor.emit(node);
      continue;
    }
    changed = true;
    old.results.forEach((result, index) => {
      const value = values[index];
      if (value === undefined || !sameType(editor.type(value), result.type)) {
        const found = value === undefined ? "nothing" : typeText(editor.type(value));
        throw new Error(`a rule replaced ${old.op} %${result.id}: ${typeText(result.type)} by ${found}`);
      }
      replaced.set(result.id, value);
    });
  }
  return changed ? { params: region.params, nodes: editor.nodes, results: region.results.map(now) } : region;
}

/** Applies `change` to each entry; the same object when nothing changed. */
export function mapEntries(
  program: Program,
  change: (body: Region, ids: ValueIds, declared: Declarations, entry: Entry) => Region,
): Program {
  const declared = declarationsOf(program);
  const entries = program.entries.map((entry) => {
    const body = change(entry.body, new ValueIds(entry.body), declared, entry);
    return body === entry.body ? entry : { ...entry, body };
  });
  return entries.every((entry, index) => entry === program.entries[index]) ? program : { ...program, entries };
}

/** Sweeps until nothing changes. A rule that never comes to rest is a bug and is named as one. */
export function rewriteProgram(program: Program, rule: Rule): Program {
  return mapEntries(program, (body, ids, declared) => {
    let before = body;
    for (let sweep = 0; sweep < 100; sweep++) {
      const after = rewriteRegion(before, rule, ids, declared);
      if (after === before) return after;
      before = after;
    }
    throw new Error("rewriting does not come to rest");
  });
}
