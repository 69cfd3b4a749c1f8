/**
 * The entry of many texts: one call goes on with several texts by one token each. What treats tokens alone (products
 * with weights, norms, routers, experts) runs once with a row for each text, so that weights are read once for all;
 * what belongs to a text (its caches, attention over them, positions) runs for each of them in `each_text`.
 */
import { Size } from "../../axes/size.js";
import type { Entry, Node, Program, Region, Value, ValueId } from "../../2-graph/ir.js";
import { renumber } from "../../2-graph/rewrite.js";
import { declarationsOf } from "../../2-graph/types.js";
import { collectNodes } from "../../2-graph/walk.js";
import type { Declarations } from "../../ops/types.js";
import { hasEffect } from "../graph.js";
import { RegionEditor, ValueIds } from "../rewrite.js";
import { bodyKinds, carriedOf, rowsOf, wayOf, type Kind, type Kinds, type Way } from "./kinds.js";
import { roundsOf, type Rounds } from "./rounds.js";
import { withSizes } from "./sizes.js";

/** Most texts of one call: beyond it weights are no longer what a step waits for. */
const MOST_TEXTS = 32;

export interface BatchOptions {
  /** The entry to start from; `forward` when absent. */
  readonly entry?: string;
}

/**
 * Adds the entry `<entry>.batch`: a token of each text in, the outputs of `entry` for each of them out. The program
 * itself when the entry does not go on with texts one token at a time (it has several inputs, keeps no states, or
 * outputs have no row for each token) or its parts can't be told apart.
 *
 * @param program What the passes gave: passes that move nodes out of regions don't know that `past` differs by text.
 */
export function deriveBatch(program: Program, { entry: name = "forward" }: BatchOptions = {}): Program {
  const entry = program.entries.find((each) => each.name === name);
  const as = `${name}.batch`;
  if (!entry || program.entries.some((each) => each.name === as)) return program;
  const [input] = entry.body.params;
  if (entry.body.params.length !== 1 || input?.type.kind !== "tensor" || input.type.axes.length !== 1) return program;
  const tokens = input.type.axes[0]!.size.key;
  if (!program.runtimeSizes.includes(tokens)) return program;
  const batch = new Batch(new ValueIds(entry.body), declarationsOf(program), tokens);
  const split = batch.region(entry.body, [rowsOf(input.type, tokens)]);
  if (!split || split.kinds.some(({ kind }) => kind !== "rows")) return program;
  if (collectNodes(split.region, ({ op }) => op === "each_text").length === 0) return program;
  const added: Entry = { ...entry, name: as, derived: { from: name, form: "batch" }, body: split.region };
  return { ...program, entries: [...program.entries, added] };
}

interface Split {
  readonly region: Region;
  /** Of the results. */
  readonly kinds: readonly Kind[];
}

class Batch {
  constructor(
    private readonly ids: ValueIds,
    private readonly declared: Declarations,
    /** The name of the number of tokens of a call. */
    private readonly tokens: string,
  ) {}

  /** The region for several texts; undefined when its parts can't be told apart. */
  region(region: Region, params: readonly Kind[]): Split | undefined {
    const kinds: Kinds = new Map(region.params.map(({ id }, index) => [id, params[index]!]));
    const ways = new Map<Node, Way>();
    const editor = new RegionEditor(this.ids, this.declared, region.params);
    for (const node of region.nodes) {
      const operands = node.operands.map((id) => kinds.get(id)!);
      const way = wayOf(node, editor, operands, this.tokens, (loop, given) => this.loop(loop, given));
      ways.set(node, way);
      node.results.forEach(({ id }, index) => kinds.set(id, way.results[index]!));
      editor.emit(node);
    }
    const rounds = roundsOf(region, ways, kinds);
    return rounds && new RegionSplit(this.ids, region, ways, kinds, rounds, this.tokens).run();
  }

  /** A loop whose body is split, when what it carries has the same kind before and after a turn. */
  private loop(node: Node, kinds: readonly Kind[]): Way | undefined {
    if (kinds.some(({ kind }) => kind === "own")) return undefined;
    const body = this.region(node.regions[0]!, bodyKinds(node, kinds));
    const carried = kinds.slice(0, carriedOf(node));
    const stays = carried.every((kind, index) => JSON.stringify(kind) === JSON.stringify(body?.kinds[index]));
    if (!body || !stays) return undefined;
    // Behind what is carried: the rows of a fold.
    return { run: "split", results: [...carried, ...body.kinds.slice(carried.length)], body: body.region };
  }
}

/** Writes the split region, round by round. */
class RegionSplit {
  private readonly nodes: Node[] = [];
  /** Values of `each_text` nodes that stand for values made inside. */
  private readonly outside = new Map<ValueId, ValueId>();
  private readonly makers = new Map<ValueId, Node>();

  constructor(
    private readonly ids: ValueIds,
    private readonly source: Region,
    private readonly ways: ReadonlyMap<Node, Way>,
    private readonly kinds: Kinds,
    private readonly rounds: Rounds,
    private readonly tokens: string,
  ) {
    for (const node of source.nodes) for (const { id } of node.results) this.makers.set(id, node);
  }

  run(): Split | undefined {
    const { source } = this;
    const last = Math.max(0, ...this.rounds.values());
    for (let round = 0; round <= last; round++) {
      const nodes = source.nodes.filter((node) => this.rounds.get(node) === round);
      for (const node of nodes.filter((each) => !this.isApart(each))) {
        const way = this.ways.get(node)!;
        const operands = node.operands.map((id) => this.now(id));
        this.nodes.push({ ...node, operands, ...(way.run === "split" ? { regions: [way.body] } : {}) });
      }
      const apart = nodes.filter((each) => this.isApart(each));
      if (apart.length > 0 && !this.eachText(apart)) return undefined;
    }
    const kinds = source.results.map((id) => this.kinds.get(id)!);
    if (kinds.some(({ kind }) => kind === "own")) return undefined;
    return { region: { ...source, nodes: this.nodes, results: source.results.map((id) => this.now(id)) }, kinds };
  }

  private isApart(node: Node): boolean {
    return this.ways.get(node)!.run === "each";
  }

  private now(id: ValueId): ValueId {
    return this.outside.get(id) ?? id;
  }

  /** True when others than `nodes` use the value. */
  private isUsedOutside(id: ValueId, nodes: ReadonlySet<Node>): boolean {
    return this.source.results.includes(id) || this.source.nodes.some((n) => !nodes.has(n) && n.operands.includes(id));
  }

  /** One `each_text` node with these nodes; false when a value that crosses its border is no tensor. */
  private eachText(own: readonly Node[]): boolean {
    const nodes = this.withCopies(own);
    const made = new Set(nodes.flatMap((node) => node.results.map(({ id }) => id)));
    const used = [...new Set(nodes.flatMap((node) => node.operands))].filter((id) => !made.has(id));
    const rows = used.filter((id) => this.kinds.get(id)!.kind === "rows");
    const captures = used.filter((id) => this.kinds.get(id)!.kind === "same");
    const members = new Set(own);
    const given = own
      .flatMap((node) => node.results)
      .filter(({ id }) => this.kinds.get(id)!.kind === "rows" && this.isUsedOutside(id, members));
    const types = new Map(this.allValues().map((value) => [value.id, value.type]));
    const border = [...rows.map((id) => types.get(id)!), ...given.map(({ type }) => type)];
    if (border.some(({ kind }) => kind !== "tensor")) return false;
    const one = new Map([[this.tokens, Size.one]]);
    const params = [...rows, ...captures].map((id): Value => ({ id, type: types.get(id)! }));
    const inner = withSizes(
      {
        op: "each_text",
        operands: [...rows, ...captures].map((id) => this.now(id)),
        attrs: {},
        regions: [{ params, nodes, results: given.map(({ id }) => id) }],
        results: [],
      },
      one,
    );
    const axisOf = (id: ValueId): string => {
      const kind = this.kinds.get(id)!;
      return kind.kind === "rows" ? kind.axis : "";
    };
    const results = given.map((value) => ({ ...value, id: this.ids.fresh() }));
    this.nodes.push({
      ...inner,
      regions: inner.regions.map((region) => renumber(region, () => this.ids.fresh())),
      attrs: {
        texts: Size.of(this.tokens),
        most: MOST_TEXTS,
        rows: rows.map(axisOf),
        results: given.map(({ id }) => axisOf(id)),
      },
      results,
    });
    given.forEach(({ id }, index) => this.outside.set(id, results[index]!.id));
    return true;
  }

  private allValues(): readonly Value[] {
    return [...this.source.params, ...this.source.nodes.flatMap((node) => node.results)];
  }

  /** The nodes with those of earlier rounds whose values are one text's own; they are computed again. */
  private withCopies(own: readonly Node[]): readonly Node[] {
    const wanted = new Set(own);
    const visit = (node: Node): void => {
      for (const id of node.operands) {
        const maker = this.makers.get(id);
        if (!maker || wanted.has(maker) || this.kinds.get(id)!.kind !== "own" || hasEffect(maker)) continue;
        wanted.add(maker);
        visit(maker);
      }
    };
    own.forEach(visit);
    return this.source.nodes.filter((node) => wanted.has(node));
  }
}
