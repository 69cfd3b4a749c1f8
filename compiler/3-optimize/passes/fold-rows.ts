/**
 * Rows that a fold adds into a tensor of its own, one in each turn, become the rows that the fold gives.
 *
 * What is found is a carried `y: [.., T, ..]` of a fold over all of `T` whose next value is `y` with row `t` changed:
 * `where(index(T) == t, row, y)`, or `y + where(index(T) == t, row, 0)`, or with `!=` and the arms exchanged. Before its turn
 * a row is what it was at the start, so whatever a turn reads of its own row is read of the start, and a body that reads no
 * other row needs no `y` at all.
 */
import { Size } from "../../axes/size.js";
import { SAME_NUMBERS } from "../../2-graph/id-limits.js";
import type { Node, Region, Value, ValueId } from "../../2-graph/ir.js";
import { getOp } from "../../ops/index.js";
import type { Axis, TensorType } from "../../ops/types.js";
import { usedIn } from "../captures.js";
import { axisNames, constantOf, tensorOf } from "../graph.js";
import type { Pass } from "../pass.js";
import { RegionEditor, rewriteProgram, type Rule } from "../rewrite.js";
import { dropUnused } from "./drop-unused.js";

/** The number that all entries of a value are; undefined where that is not known. */
function numberIn(id: ValueId, editor: RegionEditor): number | undefined {
  for (let node = editor.producer(id); node; node = editor.producer(node.operands[0]!)) {
    if (!SAME_NUMBERS.has(node.op)) return constantOf(node);
  }
  return undefined;
}

/** What a turn says of one carried value. */
interface Written {
  readonly y: ValueId;
  readonly along: Axis;
  readonly turn: ValueId;
  /** Outside of the fold; undefined for other starts. */
  readonly startsAs: number | undefined;
  /** The start as the body sees it. */
  readonly start: ValueId;
}

class RowReader {
  private readonly rows = new Map<ValueId, ValueId>();

  constructor(
    private readonly body: RegionEditor,
    private readonly own: Written,
  ) {}

  private has(id: ValueId): boolean {
    return axisNames(this.body.type(id)).includes(this.own.along.name);
  }

  /** The arms of a `where` for row `t` and for all others, when its condition is `index(T) == t` or `!=`. */
  private arms(node: Node): { readonly own: ValueId; readonly others: ValueId } | undefined {
    const [condition, yes, no] = node.operands as readonly [ValueId, ValueId, ValueId];
    if (this.isTurn("eq", condition)) return { own: yes, others: no };
    return this.isTurn("ne", condition) ? { own: no, others: yes } : undefined;
  }

  /** True for `index(T) == t`, or another comparison of the two. */
  private isTurn(comparison: "eq" | "ne", id: ValueId): boolean {
    const { along, turn } = this.own;
    const node = this.body.producer(this.withoutRepeats(id));
    if (node?.op !== comparison) return false;
    const [a, b] = node.operands;
    const index = this.body.producer((a === turn ? b : a)!);
    if (index?.op !== "index" || (a !== turn && b !== turn)) return false;
    const { axis, offset, size } = index.attrs as { axis: string; offset: Size; size: Size };
    return axis === along.name && offset.constant === 0 && size.equals(along.size);
  }

  /** The value that this one repeats along other axes, or has in another order. */
  private withoutRepeats(id: ValueId): ValueId {
    for (let bare = id; ;) {
      const node = this.body.producer(bare);
      const isRepeat = node?.op === "expand" && node.attrs["axis"] !== this.own.along.name;
      if (!node || (node.op !== "order" && !isRepeat)) return bare;
      bare = node.operands[0]!;
    }
  }

  /** Row `t` of a value, but for repeats along other axes, computed without its other rows where it is made element by element. */
  private rowOf(id: ValueId): ValueId {
    if (!this.has(id)) return id;
    const known = this.rows.get(id);
    if (known !== undefined) return known;
    const row = this.readRow(id);
    this.rows.set(id, row);
    return row;
  }

  private readRow(id: ValueId): ValueId {
    const { body, own } = this;
    if (id === own.y) {
      const dtype = tensorOf(body.type(id))!.dtype;
      return own.startsAs === undefined ? this.gathered(own.start) : body.constant(own.startsAs, dtype);
    }
    const bare = this.withoutRepeats(id);
    if (bare !== id) return this.rowOf(bare);
    const node = body.producer(id);
    if (node?.op === "expand") return node.operands[0]!;
    if (node && getOp(node.op)?.family === "elementwise") {
      const rows = node.operands.map((operand) => this.rowOf(operand));
      return body.add(node.op, rows, node.attrs, node);
    }
    return this.gathered(id);
  }

  private withoutOrder(id: ValueId): ValueId {
    const node = this.body.producer(id);
    return node?.op === "order" ? this.withoutOrder(node.operands[0]!) : id;
  }

  private gathered(id: ValueId): ValueId {
    return this.body.add("gather", [id, this.own.turn], { axis: this.own.along.name });
  }

  /** The row that turns `y` into this value; undefined when there is none. */
  written(id: ValueId): ValueId | undefined {
    const { body, own } = this;
    const node = body.producer(this.withoutOrder(id));
    if (node?.op === "where") return this.chosen(node);
    if (node?.op !== "add" || !node.operands.includes(own.y)) return undefined;
    // The other rows become y + 0, which is y, as `canonicalize` has it.
    const [a, b] = node.operands as readonly [ValueId, ValueId];
    const other = this.withoutOrder(a === own.y ? b : a);
    // Rows of integers come to floats behind the choice; zero is zero in both.
    const cast = body.producer(other);
    const isCast = cast?.op === "cast" && cast.attrs["to"] === "f32";
    const added = isCast ? body.producer(this.withoutOrder(cast.operands[0]!)) : cast;
    const arms = added?.op === "where" ? this.arms(added) : undefined;
    if (!arms || !Object.is(numberIn(arms.others, body), 0)) return undefined;
    const row = this.rowOf(arms.own);
    const float = isCast ? body.add("cast", [row], cast.attrs, cast) : row;
    return body.add("add", [this.rowOf(own.y), float], {}, node);
  }

  private chosen(node: Node): ValueId | undefined {
    const { body, own } = this;
    const [condition, yes, no] = node.operands as readonly [ValueId, ValueId, ValueId];
    const arms = this.arms(node);
    if (arms) return this.withoutOrder(arms.others) === own.y ? this.rowOf(arms.own) : undefined;
    // Turns after `until` has held leave y as it is.
    if (this.has(condition) || (yes !== own.y && no !== own.y)) return undefined;
    const changed = this.written(yes === own.y ? no : yes);
    if (changed === undefined) return undefined;
    const same = this.rowOf(own.y);
    return body.add("where", yes === own.y ? [condition, same, changed] : [condition, changed, same], {}, node);
  }
}

/** A row with the axes of `type` but the first one, in that order. */
function shaped(row: ValueId, axes: readonly Axis[], body: RegionEditor): ValueId {
  const missing = axes.filter(({ name }) => !axisNames(body.type(row)).includes(name));
  const full = missing.reduce((id, { name, size }) => body.add("expand", [id], { axis: name, size }), row);
  const names = axes.map(({ name }) => name);
  return axisNames(body.type(full)).join() === names.join() ? full : body.add("order", [full], { axes: names });
}

/** The fold with carried value number `index` among its rows; undefined where that is no list of rows. */
function withRow(node: Node, index: number, along: Axis, editor: RegionEditor): readonly ValueId[] | undefined {
  const region = node.regions[0]!;
  const carried = node.attrs["carried"] as number;
  const y = region.params[1 + index]!;
  const start: Value = { ...y, id: editor.ids.fresh() };
  const startsAs = numberIn(node.operands[index]!, editor);
  const body = new RegionEditor(editor.ids, editor.declared, [...region.params, start]);
  for (const inner of region.nodes) body.emit(inner);
  const turn = region.params[0]!.id;
  const reader = new RowReader(body, { y: y.id, along, turn, startsAs, start: start.id });
  const row = reader.written(region.results[index]!);
  if (row === undefined) return undefined;
  const { axes } = y.type as TensorType;
  const rest = axes.filter(({ name }) => name !== along.name);
  const own = shaped(row, rest, body);
  const results = [...region.results.filter((_, at) => at !== index), own];
  const needed = dropUnused({ params: [...region.params, start], nodes: body.nodes, results });
  const used = usedIn(needed);
  if (used.has(y.id)) return undefined;
  const isCapture = used.has(start.id);
  const inner: Region = {
    ...needed,
    params: needed.params.filter(({ id }) => id !== y.id && (isCapture || id !== start.id)),
  };
  const operands = [...node.operands.filter((_, at) => at !== index), ...(isCapture ? [node.operands[index]!] : [])];
  const attrs = { ...node.attrs, carried: carried - 1, rows: along.name };
  const made = editor.addAll("fold", operands, attrs, [inner], node);
  const all = made.at(-1)!;
  const names = axes.map(({ name }) => name);
  const ordered = names[0] === along.name ? all : editor.add("order", [all], { axes: names }, node);
  return [...made.slice(0, index), ordered, ...made.slice(index, -1)];
}

const rule: Rule = (node, editor) => {
  const { from, to, carried, rows } = node.attrs;
  if (node.op !== "fold" || typeof carried !== "number") return undefined;
  if (!(from instanceof Size) || !(to instanceof Size) || from.constant !== 0) return undefined;
  for (let index = 0; index < carried; index++) {
    const type = tensorOf(node.regions[0]!.params[1 + index]!.type);
    for (const along of type?.axes ?? []) {
      if (!along.size.equals(to) || (rows !== undefined && rows !== along.name)) continue;
      const values = withRow(node, index, along, editor);
      if (values) return values;
    }
  }
  return undefined;
};

export const foldRows: Pass = {
  name: "fold-rows",
  doc:
    "A carried value of a `fold` over an axis `T` of it, of which each turn `t` changes row `t` only (`where(index(T) == t, " +
    "row, y)`, `y + where(index(T) == t, row, 0)`), becomes rows that the fold gives: a turn writes its row and touches no " +
    "other. Not where a turn reads other rows of it.",
  before: [{ pass: "unroll-folds", reason: "turns that are written out are no loop over an axis" }],
  run: (program) => rewriteProgram(program, rule),
};
