/** `mixture`, `dispatch` and `combine`: experts computed over rows sorted by expert. */
import { Size } from "../../axes/size.js";
import type { Region } from "../../2-graph/ir.js";
import { and, compare, constant, max, mul, select, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { bankAxis, globalRow, group, numberAt, rowAxis, rowOfSlot, tokenOfRow, type Grouping } from "./grouping.js";
import { reduced } from "./reduction.js";
import { slotAxis, type LoweredValue, type Routes } from "./routes.js";
import { Computed, Deferred, Tensor, variablesOf, type Hoist, type Stored, type TensorAxis } from "./tensor.js";

/** A value of one token or one expert, seen from the rows of one bank. */
export class Gathered extends Tensor {
  constructor(
    readonly source: Tensor,
    readonly grouping: Grouping,
    readonly bank: number,
    /** The axis of experts in the source and the number of the bank's first expert, when it has one. */
    readonly experts: { readonly axis: string; readonly first: Size } | undefined,
    /** An axis of the source that runs over the slots of a token. */
    private readonly slots?: string,
  ) {
    const own = [
      ...(experts ? [experts.axis] : []),
      ...(slots === undefined ? [] : [slots]),
      ...grouping.routes.tokens.map((axis) => axis.name),
    ];
    super(source.dtype, [bankAxis(grouping, bank), ...source.axes.filter((axis) => !own.includes(axis.name))]);
  }

  sourceAt(emitter: Emitter, at: Coordinates): Coordinates {
    const { grouping, experts } = this;
    const row = globalRow(emitter, grouping, this.bank, at.get(rowAxis)!);
    const all = new Map(at);
    const tokens = grouping.routes.tokens.some((axis) => this.source.has(axis.name));
    if (tokens || this.slots !== undefined) {
      const token = tokenOfRow(emitter, grouping, row);
      for (const [name, c] of token) all.set(name, c);
      if (this.slots !== undefined) all.set(this.slots, token.get(slotAxis)!);
    }
    if (experts) {
      const expert = numberAt(emitter, grouping.expertOfRow, row, grouping.routes.experts.size);
      all.set(experts.axis, expert.minus(Coordinate.size(experts.first)));
    }
    return all;
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const own = this.own(at);
    return emitter.once(variablesOf(own), this.key(own), () =>
      emitter.vector && own.get(rowAxis)!.mentions(emitter.vector.name)
        ? emitter.lanewise(own, (lane) => this.source.read(emitter, this.sourceAt(emitter, lane)))
        : this.source.read(
            emitter,
            emitter.scalar(() => this.sourceAt(emitter, own)),
          ),
    );
  }

  override get hoists(): readonly Hoist[] {
    return [];
  }
  override get cost(): number {
    return this.source.cost + 2;
  }
  override lanesAlong(axis: string): boolean {
    return axis !== rowAxis && this.source.lanesAlong(axis);
  }
}

export interface Bank {
  readonly experts: Size;
  readonly params: readonly Tensor[];
  readonly region: Region;
}

export interface MixtureCall {
  readonly x: Tensor;
  readonly routes: Routes;
  readonly perToken: readonly Tensor[];
  readonly banks: readonly Bank[];
  readonly captures: readonly LoweredValue[];
  readonly weigh: "input" | "output" | "none";
  /** Axis of slots that x has, when each slot has an input of its own. */
  readonly slots?: string;
  /** Lower a region; gives its result. */
  readonly run: (region: Region, args: readonly LoweredValue[]) => Tensor;
}

/** What comes out of the experts, as a tensor over tokens, `$slot` and the axes of the result; 0 for empty slots. */
export function expertOutputs(entry: EntryLowering, call: MixtureCall): Tensor {
  const { routes } = call;
  const settled = (tensor: Tensor): Tensor =>
    tensor instanceof Deferred
      ? tensor.force()
      : tensor.hoists.length > 0 || tensor.cost > 2
        ? entry.store(tensor)
        : tensor;
  const x = settled(call.x);
  const perToken = call.perToken.map(settled);
  const grouping = group(
    entry,
    routes,
    call.banks.map((bank) => bank.experts),
  );
  const outputs: Stored[] = [];
  let first = Size.zero;
  for (const [number, bank] of call.banks.entries()) {
    const expertOf = (tensor: Tensor): { axis: string; first: Size } | undefined =>
      tensor.has(routes.experts.name) ? { axis: routes.experts.name, first: Size.zero } : undefined;
    const gathered = new Gathered(x, grouping, number, undefined, call.slots);
    const input = call.weigh === "input" ? weighted(gathered, grouping, number) : gathered;
    const params = bank.params.map((param) => {
      const axis = param.axes[0]!.name;
      return new Gathered(param, grouping, number, { axis, first });
    });
    const perRow = perToken.map((tensor) => new Gathered(tensor, grouping, number, expertOf(tensor)));
    const result = call.run(bank.region, [input, ...perRow, ...params, ...call.captures]);
    outputs.push(inRows(entry, result, grouping, number));
    first = first.plus(bank.experts);
  }
  return bySlot(routes, grouping, outputs);
}

/** The result of a body in memory, rows first; a body that ignores its input has no axis of rows of its own. */
function inRows(entry: EntryLowering, result: Tensor, grouping: Grouping, bank: number): Stored {
  if (result.has(rowAxis)) return result.stored?.axes[0]?.name === rowAxis ? result.stored : entry.store(result);
  const axes = [bankAxis(grouping, bank), ...result.axes];
  return entry.store(
    new Computed(
      result.dtype,
      axes,
      { cost: result.cost, lanesAlong: (axis) => result.lanesAlong(axis) },
      (emitter, at) => result.read(emitter, at),
    ),
  );
}

function weighted(source: Gathered, grouping: Grouping, bank: number): Tensor {
  const { weight } = grouping.routes;
  return new Computed(
    "f32",
    source.axes,
    { cost: source.cost + 2, lanesAlong: (axis) => source.lanesAlong(axis) },
    (emitter, at) => {
      const factor = emitter.scalar(() => {
        const row = globalRow(emitter, grouping, bank, at.get(rowAxis)!);
        return weight.read(emitter, tokenOfRow(emitter, grouping, row));
      });
      return mul(source.read(emitter, at), factor);
    },
  );
}

function bySlot(routes: Routes, grouping: Grouping, outputs: readonly Stored[]): Tensor {
  const own = outputs[0]!.axes.filter((axis) => axis.name !== rowAxis);
  const axes: TensorAxis[] = [...routes.tokens, { name: slotAxis, size: routes.slots }, ...own];
  const outer = new Set([...routes.tokens.map((axis) => axis.name), slotAxis]);
  const lanesAlong = (axis: string): boolean => !outer.has(axis) && outputs.every((output) => output.lanesAlong(axis));
  return new Computed(outputs[0]!.dtype, axes, { cost: 4, lanesAlong }, (emitter, at) => {
    const tokens = new Map([...at].filter(([name]) => outer.has(name)));
    if (emitter.vector && [...tokens.values()].some((c) => c.mentions(emitter.vector!.name))) {
      return emitter.lanewise(at, (lane) => slotValue(emitter, grouping, outputs, outer, lane));
    }
    return slotValue(emitter, grouping, outputs, outer, at);
  });
}

function slotValue(
  emitter: Emitter,
  grouping: Grouping,
  outputs: readonly Stored[],
  outer: ReadonlySet<string>,
  at: Coordinates,
): Expression {
  const place = new Map([...at].filter(([name]) => outer.has(name)));
  const variables = variablesOf(place);
  const { register } = emitter.scalar(() => rowOfSlot(emitter, grouping, place));
  let value: Expression = constant(0, f32);
  for (const [bank, output] of outputs.entries()) {
    const { row, found } = emitter.scalar(() => rowInBank(emitter, grouping, bank, register, variables));
    value = select(found, output.read(emitter, new Map([...at, [rowAxis, row]])), value);
  }
  return value;
}

/** Where a row lies in a bank, and whether it does; 0 when it does not. */
function rowInBank(
  emitter: Emitter,
  grouping: Grouping,
  bank: number,
  register: Expression,
  variables: Iterable<string>,
): { readonly row: Coordinate; readonly found: Expression } {
  const names = [...variables];
  const key = (what: string): string => `${what} of ${JSON.stringify(register)} in ${bank}`;
  if (grouping.banks.axes[0]!.size.constant === 2) {
    const row = emitter.once(names, key("row"), () => max(register, 0));
    return { row: emitter.variable(row, names, grouping.most), found: compare("ge", register, 0) };
  }
  const { banks } = grouping;
  const first = banks.viewed([], new Map(), banks.offset.plus(Size.of(2 * bank))).read(emitter, new Map());
  const count = banks.viewed([], new Map(), banks.offset.plus(Size.of(2 * bank + 1))).read(emitter, new Map());
  const local = sub(register, first);
  const found = emitter.once(names, key("found"), () => and(compare("ge", local, 0), compare("lt", local, count)));
  const row = emitter.once(names, key("row"), () => select(found, local, constant(0)));
  return { row: emitter.variable(row, names, grouping.most), found };
}

/** Sum over slots of weight * output, or of the outputs when the weight went in before. */
export function mixture(entry: EntryLowering, call: MixtureCall): Tensor {
  const outputs = expertOutputs(entry, call);
  const store = (source: Tensor): Stored => entry.store(source);
  if (call.weigh === "input") return reduced("sum", [outputs], [slotAxis], store);
  return reduced("dot", [call.routes.weight, outputs], [slotAxis], store);
}
