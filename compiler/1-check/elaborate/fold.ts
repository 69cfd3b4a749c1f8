/**
 * `fold(i in 0..n, (u: [T] = 0)) => …`: a short constant fold is written out, any other is a loop of the graph. So is every
 * `scan(t in 0..T, s: [D] = 0) => (next, row)`, whose rows are what the graph's loop gives behind the carried values.
 */
import type { Expression, FoldExpression } from "../../../grammar/tree.js";
import type { Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Axis } from "../../ops/types.js";
import { repeatAppends } from "../cache-appends.js";
import { at, type Place, type Walk } from "../context.js";
import { counted, describe, describeType } from "../describe.js";
import type { Emitted } from "../emitter.js";
import { integer } from "../numbers.js";
import { Scope } from "../scope.js";
import { numberValue, unknown, type Value } from "../values.js";
import { shaped } from "./calls.js";
import { evaluate, needSize } from "./evaluate.js";
import { sameType } from "./same-type.js";
import { carryStart } from "./stacks.js";
import { asTensor, axesOf, emit, emitOne, expanded, findAxis, needTensor, report, tensor } from "./tensors.js";

/** Longer folds stay loops: written out they would only be text. */
const UNROLL_LIMIT = 16;

export function evaluateFold(walk: Walk, fold: FoldExpression, place: Place): Value {
  const span = at(place, fold);
  const from = needSize(walk, evaluate(walk, fold.range.from, place), at(place, fold.range.from));
  const end = evaluate(walk, fold.range.to, place);
  const to = needSize(walk, end, at(place, fold.range.to));
  const start = fold.carry.map((carry) => carryStart(walk, carry, undefined, place));
  if (!from || !to || start.some((value) => !value)) return unknown;
  if (fold.scan && fold.until) return report(walk, "MOE2139", {}, at(place, fold.until));
  const rows = fold.scan && rowAxis(walk, fold, from, end, place);
  if (fold.scan && !rows) return unknown;
  let carried = start as Emitted[];
  const { constant: first } = from;
  const { constant: last } = to;
  const known = first !== undefined && last !== undefined;
  if (!rows && known && last - first <= UNROLL_LIMIT) {
    let done: Emitted | undefined;
    for (let i = first; i < last; i++) {
      const next = turn(walk, fold, carried, numberValue(integer(i)), done, place);
      if (!next) return unknown;
      carried = [...next.values];
      done = next.done;
    }
    return packed(carried);
  }
  // A loop has one type for all its turns: while a turn brings token axes in, its start gets them and it begins anew.
  for (;;) {
    const looped = loop(walk, fold, carried, from, to, rows, place);
    if (!looped || looped.kind === "done") return looped ? looped.value : unknown;
    carried = carried.map((value, index) => expanded(walk, value, looped.axes[index]!, span));
  }
}

/** The axis along which the rows of a scan lie; undefined after an error. */
function rowAxis(walk: Walk, fold: FoldExpression, from: Size, end: Value, place: Place): Axis | undefined {
  if (from.constant === 0 && end.kind === "axis") return { name: end.name, size: end.size };
  report(walk, "MOE2137", {}, at(place, fold.range));
  return undefined;
}

type Looped =
  | { readonly kind: "done"; readonly value: Value }
  /** The carried values with the axes that the body gives them. */
  | { readonly kind: "lifted"; readonly axes: readonly (readonly Axis[])[] };

/** The fold as a loop of the graph; undefined after an error. */
function loop(
  walk: Walk,
  fold: FoldExpression,
  carried: readonly Emitted[],
  from: Size,
  to: Size,
  rows: Axis | undefined,
  place: Place,
): Looped | undefined {
  const span = at(place, fold);
  const stops = fold.until !== undefined;
  const bool = stops ? walk.emitter.op("constant", [], { value: 0, dtype: "bool" }, span) : [];
  const initial = [...carried, ...bool];
  let next: Turn | undefined;
  const appended = walk.appends.length;
  const region = walk.emitter.region(
    [
      { type: { kind: "tensor", dtype: "i32", axes: [] }, name: fold.index.text },
      ...initial.map((value, index) => ({ type: value.type, name: fold.carry[index]?.name.text ?? "done" })),
    ],
    ([index, ...params]) => {
      const values = params.slice(0, carried.length);
      const symbol = walk.options.generic ? undefined : index;
      const turnIndex: Value = symbol ? tensor(symbol) : numberValue(integer(from));
      next = turn(walk, fold, values, turnIndex, stops ? params.at(-1) : undefined, place, rows);
      return next ? [...next.values, ...(next.done ? [next.done] : []), ...next.rows] : params;
    },
  );
  if (!next) return undefined;
  const axes = next.values.map(axesOf);
  if (axes.some((list, index) => list.length > axesOf(carried[index]!).length)) {
    walk.appends.length = appended;
    return { kind: "lifted", axes };
  }
  repeatAppends(walk, appended, to.minus(from));
  const attrs = { from, to, carried: initial.length, ...(rows ? { rows: rows.name } : {}) };
  const results = emit(walk, "fold", initial, attrs, span, [], [region]);
  const kept = results && [...results.slice(0, carried.length), ...results.slice(initial.length)];
  return kept && { kind: "done", value: packed(kept) };
}

function packed(values: readonly Emitted[]): Value {
  return values.length === 1 ? tensor(values[0]!) : { kind: "tuple", items: values.map((value) => tensor(value)) };
}

interface Turn {
  readonly values: readonly Emitted[];
  /** Of a scan: what it gives behind the next values. */
  readonly rows: readonly Emitted[];
  readonly done?: Emitted;
}

/**
 * What is carried in a per-token body may begin the same for all tokens: it gets the axes of the tokens that a turn
 * brings in.
 */
function lifted(walk: Walk, carry: Emitted, value: Emitted, place: Place, span: SourceSpan): Emitted {
  const fresh = axesOf(value).filter(
    (axis) => !findAxis(carry, axis.name) && place.batch.some(({ name }) => name === axis.name),
  );
  return fresh.length === 0 ? carry : expanded(walk, carry, [...fresh, ...axesOf(carry)], span);
}

/** One turn. After `until` has held, values stay as they are. */
function turn(
  walk: Walk,
  fold: FoldExpression,
  carried: readonly Emitted[],
  index: Value,
  done: Emitted | undefined,
  place: Place,
  along?: Axis,
): Turn | undefined {
  const scope = new Scope(place.scope);
  scope.defineValue(fold.index.text, index, at(place, fold.index));
  fold.carry.forEach((carry, position) => {
    scope.defineValue(carry.name.text, tensor(carried[position]!), at(place, carry.name));
  });
  const inner = { ...place, scope };
  const result = evaluate(walk, fold.body, inner);
  if (result.kind === "unknown") return undefined;
  const items = result.kind === "tuple" ? result.items : [result];
  const bodySpan = at(place, fold.body);
  const found = counted(items.length, "value");
  if (along && items.length <= carried.length) {
    report(walk, "MOE2136", { wanted: counted(carried.length, "value"), found }, bodySpan);
    return undefined;
  }
  if (!along && items.length !== carried.length) {
    report(walk, "MOE2135", { layer: "fold", wanted: carried.length, found }, bodySpan);
    return undefined;
  }
  const values: Emitted[] = [];
  for (const [position, item] of items.slice(0, carried.length).entries()) {
    const value = asTensor(walk, item, bodySpan, "f32");
    const like = value ? lifted(walk, carried[position]!, value, place, bodySpan) : carried[position]!;
    const filled =
      value && value.type.kind === "tensor" && value.type.axes.length === 0
        ? shaped(walk, value, like, bodySpan)
        : value;
    if (!filled || !sameType(filled.type, like.type)) {
      if (item.kind !== "unknown") {
        const what = `\`${fold.carry[position]!.name.text}\``;
        const slots = {
          op: fold.scan ? "scan" : "fold",
          what,
          expected: describeType(walk, like.type),
          found: describe(walk, item),
        };
        report(walk, "MOE2055", slots, bodySpan);
      }
      return undefined;
    }
    const next = shaped(walk, filled, like, bodySpan);
    values.push(done ? walk.emitter.op("where", [done, like, next], {}, bodySpan)[0]! : next);
  }
  const rows = along ? rowsOf(walk, fold, items.slice(carried.length), along, inner) : [];
  if (!rows) return undefined;
  if (!fold.until) return { values, rows };
  const after = new Scope(scope);
  fold.carry.forEach((carry, position) => {
    after.defineValue(carry.name.text, tensor(values[position]!), at(place, carry.name));
  });
  const stop = needTensor(walk, evaluate(walk, fold.until, { ...inner, scope: after }), at(place, fold.until));
  if (!stop) return undefined;
  const now = done ? emitOne(walk, "or", [done, stop], {}, at(place, fold.until)) : stop;
  return now ? { values, rows, done: now } : undefined;
}

/** What stands behind the next values at the end of a body, where that is written as a tuple. */
function itemsOf(body: Expression): readonly Expression[] {
  if (body.kind === "block") return body.result ? itemsOf(body.result) : [];
  return body.kind === "tuple" ? body.items : [];
}

/** The rows of one turn as tensors; undefined after an error. */
function rowsOf(
  walk: Walk,
  fold: FoldExpression,
  items: readonly Value[],
  along: Axis,
  place: Place,
): readonly Emitted[] | undefined {
  const written = itemsOf(fold.body).slice(fold.carry.length);
  const rows: Emitted[] = [];
  for (const [index, item] of items.entries()) {
    const span = at(place, written[index] ?? fold.body);
    const row = needTensor(walk, item, span, "f32", "scan");
    if (!row) return undefined;
    if (findAxis(row, along.name)) {
      report(walk, "MOE2138", { axis: along.name, found: describeType(walk, row.type) }, span);
      return undefined;
    }
    rows.push(row);
  }
  return rows;
}
