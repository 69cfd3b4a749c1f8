/**
 * What `mixture` and `dispatch` share: the operands `[x, routes, per-token values…, bank params…, captures…]`, the check
 * of one region per bank, the cost, and the run of the expert that a slot names.
 */
import { Size } from "../axes/size.js";
import { bytesOf, countOf } from "./cost.js";
import type { OpUse } from "./op-use.js";
import { tensorType, withoutAxes } from "./op-use.js";
import { countElements, offsetsOf, routesAt, stridesIn, tensorAt, type RunAxis } from "./reference-tensor.js";
import { sameType, typeText } from "./type-text.js";
import type {
  Axis,
  OpCall,
  OpCost,
  ReferenceContext,
  ReferenceRoutes,
  ReferenceTensor,
  ReferenceValue,
  RoutesType,
  TensorType,
  ValueType,
} from "./types.js";

export interface Bank {
  readonly experts: Size;
  readonly params: number;
}

export interface ExpertsType {
  readonly routes: RoutesType;
  /** What an expert gives for one token. */
  readonly result: TensorType;
}

export const expertsAttrs = ["banks", "captures", "weigh", "perToken", "bank", "layers"] as const;

/** The banks of a use whose type was checked. */
function checkedBanks(call: OpCall): readonly Bank[] {
  return call.attrs.banks as unknown as readonly Bank[];
}

function banksOf(use: OpUse): readonly Bank[] {
  const value = use.call.attrs.banks;
  if (!Array.isArray(value) || value.length === 0) use.badAttr("banks", "a list of {experts, params}");
  return (value as readonly unknown[]).map((item) => {
    if (typeof item !== "object" || item === null || !("experts" in item) || !("params" in item)) {
      return use.badAttr("banks", "a list of {experts, params}");
    }
    const { experts, params } = item;
    if (!(experts instanceof Size) || typeof params !== "number" || !Number.isSafeInteger(params) || params < 0) {
      return use.badAttr("banks", "a list of {experts, params}");
    }
    return { experts, params };
  });
}

/** Check one use; `slotAxis` is the axis on which x may give each slot an input of its own. */
export function expertsType(use: OpUse, slotAxis?: string): ExpertsType {
  const { call } = use;
  const banks = banksOf(use);
  const captures = use.whole("captures", 0);
  const perToken = call.attrs.perToken === undefined ? 0 : use.whole("perToken", 0);
  use.oneOf("weigh", ["output", "input"]);
  use.arity(2 + perToken + banks.reduce((sum, bank) => sum + bank.params, 0) + captures);
  use.regionCount(banks.length);
  const routes = use.routes(1);
  checkTotal(use, banks, routes);
  const taken = [...routes.tokens.map((axis) => axis.name), ...(slotAxis === undefined ? [] : [slotAxis])];
  const x = use.tensor(0, call.attrs.weigh === "input" ? ["f32"] : undefined);
  checkTokens(use, 0, routes.tokens);
  const slot = x.axes.find((axis) => axis.name === slotAxis);
  if (slot) use.sameSize({ name: slot.name, size: routes.slots }, slot, 0, 1);
  const own = [tensorType(x.dtype, withoutAxes(x.axes, taken))];
  for (let i = 2; i < 2 + perToken; i++) {
    const value = use.tensor(i);
    checkTokens(use, i, routes.tokens);
    const expert = value.axes.find((axis) => axis.name === routes.experts.name);
    if (expert) use.sameSize(routes.experts, expert, i, 1);
    own.push(
      tensorType(value.dtype, withoutAxes(value.axes, [...taken.slice(0, routes.tokens.length), routes.experts.name])),
    );
  }
  const captured = call.operands.slice(call.operands.length - captures);
  return { routes, result: checkBanks(use, banks, own, captured, 2 + perToken) };
}

function checkTotal(use: OpUse, banks: readonly Bank[], routes: RoutesType): void {
  const total = banks.reduce((sum, bank) => sum.plus(bank.experts), Size.zero);
  if (total.equals(routes.experts.size)) return;
  use.fail("MOE2056", { axis: routes.experts.name, experts: routes.experts.size.key, banks: total.key }, 1);
}

function checkTokens(use: OpUse, index: number, tokens: readonly Axis[]): void {
  for (const token of tokens) use.sameSize(token, use.axis(index, token.name), index, 1);
}

function checkBanks(
  use: OpUse,
  banks: readonly Bank[],
  own: readonly ValueType[],
  captured: readonly ValueType[],
  first: number,
): TensorType {
  let at = first;
  let result: ValueType | undefined;
  for (const [number, bank] of banks.entries()) {
    const params: TensorType[] = [];
    for (let i = 0; i < bank.params; i++, at++) {
      const param = use.tensor(at);
      const axis = param.axes[0] ?? use.fail("MOE2042", { axis: "of experts", axes: "" }, at);
      use.sameSize({ name: axis.name, size: bank.experts }, axis, at, 1);
      params.push(tensorType(param.dtype, param.axes.slice(1)));
    }
    const given = use.region(number, [...own, ...params, ...captured], 1).results[0]!;
    if (given.kind !== "tensor" || given.dtype !== "f32") {
      use.fail("MOE2048", { expected: "an f32 tensor from the expert", found: typeText(given) });
    }
    if (result && !sameType(result, given)) {
      use.fail("MOE2055", { what: `bank ${number}`, expected: typeText(result), found: typeText(given) });
    }
    result = given;
  }
  return result as TensorType;
}

/** Slots times the body (the costliest bank), and each expert's bytes once for those that can be hit. */
export function expertsCost(call: OpCall, type: ExpertsType, extraFlops: Size, result: TensorType): OpCost {
  const banks = checkedBanks(call);
  const slots = countOf(type.routes.tokens).times(type.routes.slots);
  const bodies = call.regions.map((region) => region.cost?.flops ?? Size.zero);
  const body = bodies.reduce((most, flops) => most.max(flops));
  const perToken = (call.attrs.perToken as number | undefined) ?? 0;
  let at = 2 + perToken;
  let perExpert = Size.zero;
  for (const bank of banks) {
    let bytes = Size.zero;
    for (let i = 0; i < bank.params; i++, at++) {
      const param = call.operands[at] as TensorType;
      bytes = bytes.plus(bytesOf(tensorType(param.dtype, param.axes.slice(1))));
    }
    perExpert = perExpert.max(bytes);
  }
  const moved = [0, 1, ...Array.from({ length: perToken }, (_, i) => 2 + i)].map((i) => bytesOf(call.operands[i]!));
  const fixed = moved.reduce((sum, bytes) => sum.plus(bytes), bytesOf(result));
  const hit = slots.min(type.routes.experts.size);
  return { flops: slots.times(body).plus(extraFlops), bytes: fixed.plus(hit.times(perExpert)) };
}

/** Calls the expert of any slot with the values of its token; made once for a use. */
export class ExpertsRun {
  readonly routes: ReferenceRoutes;
  readonly tokens: number;
  private readonly readers: readonly ((token: number, slot: number, expert: number) => ReferenceTensor)[];
  private readonly banks: readonly { readonly first: number; readonly params: readonly ReferenceTensor[] }[];
  private readonly captured: readonly ReferenceValue[];

  constructor(
    private readonly context: ReferenceContext,
    operands: readonly ReferenceValue[],
    private readonly call: OpCall,
    slotAxis?: string,
  ) {
    const { attrs } = call;
    this.routes = routesAt(operands, 1);
    this.tokens = countElements(this.routes.tokens);
    const perToken = (attrs.perToken as number | undefined) ?? 0;
    const own = [tensorAt(operands, 0), ...Array.from({ length: perToken }, (_, i) => tensorAt(operands, 2 + i))];
    this.readers = own.map((value, i) =>
      readerOf(value, this.routes, i === 0 ? slotAxis : this.routes.experts.name, i > 0),
    );
    let at = 2 + perToken;
    let first = 0;
    this.banks = checkedBanks(call).map((bank) => {
      const params = Array.from({ length: bank.params }, (_, i) => tensorAt(operands, at + i));
      const entry = { first, params };
      at += bank.params;
      first += context.size(bank.experts);
      return entry;
    });
    this.captured = operands.slice(operands.length - (attrs.captures as number));
    context.trace(this.routes);
  }

  /** What the expert in this slot gives for the token; undefined for an empty slot. Not weighted on the output. */
  slot(token: number, slot: number): ReferenceTensor | undefined {
    const at = token * this.routes.slots + slot;
    const expert = this.routes.index[at]!;
    if (expert < 0) return undefined;
    let bank = 0;
    while (bank + 1 < this.banks.length && expert >= this.banks[bank + 1]!.first) bank++;
    const { first, params } = this.banks[bank]!;
    const own = this.readers.map((read) => read(token, slot, expert));
    if (this.call.attrs.weigh === "input") {
      const weight = this.routes.weight[at]!;
      own[0] = { ...own[0]!, data: own[0]!.data.map((x) => x * weight) };
    }
    const chosen = params.map((param) => leadingSlice(param, expert - first));
    return this.context.run(bank, [...own, ...chosen, ...this.captured])[0] as ReferenceTensor;
  }
}

/** The part of a tensor at one index of its first axis, without a copy. */
export function leadingSlice(tensor: ReferenceTensor, index: number): ReferenceTensor {
  const axes = tensor.axes.slice(1);
  const count = countElements(axes);
  return { kind: "tensor", dtype: tensor.dtype, axes, data: tensor.data.subarray(index * count, (index + 1) * count) };
}

/** Reads the part of a value for one token (and one slot, or one expert, when it has that axis). */
function readerOf(
  value: ReferenceTensor,
  routes: ReferenceRoutes,
  extra: string | undefined,
  byExpert: boolean,
): (token: number, slot: number, expert: number) => ReferenceTensor {
  const isTaken = (axis: RunAxis): boolean => axis.name === extra || routes.tokens.some((t) => t.name === axis.name);
  const axes = value.axes.filter((axis) => !isTaken(axis));
  const bases = offsetsOf(routes.tokens, stridesIn(value, routes.tokens));
  const step = extra === undefined ? 0 : stridesIn(value, [{ name: extra, size: 0 }])[0]!;
  const offsets = offsetsOf(axes, stridesIn(value, axes));
  return (token, slot, expert) => {
    const base = bases[token]! + step * (byExpert ? expert : slot);
    const data = Float64Array.from(offsets, (offset) => value.data[base + offset]!);
    return { kind: "tensor", dtype: value.dtype, axes, data };
  };
}
