/** Derives types like the checker and adds up what things cost: parameters, those at work for a token, operations, bytes. */
import { Size } from "../../../compiler/axes/size.js";
import type { SourceSpan } from "../../../compiler/errors/diagnostic.js";
import type {
  Emitted,
  EmittedRegion,
  RegionParam,
  Repetition,
  StoredState,
  StoredValue,
} from "../../../compiler/1-check/emitter.js";
import { storedAxes, TypeEmitter, withoutCounts } from "../../../compiler/1-check/type-emitter.js";
import { bytesOf, countOf } from "../../../compiler/ops/cost.js";
import { getOp } from "../../../compiler/ops/index.js";
import type { Attrs, Declarations, OpCall, OpCost, RoutesType, TensorType } from "../../../compiler/ops/types.js";

const nothing: OpCost = { flops: Size.zero, bytes: Size.zero };

export class CostEmitter extends TypeEmitter {
  readonly params = new Map<string, StoredValue>();
  /** Routes of the mixture that runs a bank, by the bank's path. */
  readonly routes = new Map<string, RoutesType>();
  private readonly types = new Map<string, TensorType>();
  private readonly kept = new Map<string, { readonly kind: "fixed" | "cache"; readonly type: TensorType }>();
  private readonly declarations: Declarations = {
    param: (path) => this.types.get(path),
    knob: (path) => this.types.get(path),
    state: (path) => this.kept.get(path),
  };
  private readonly repetitions = new WeakMap<EmittedRegion, Repetition>();
  /** Costs of the region that is open, innermost last. */
  private readonly open: OpCost[] = [nothing];

  /** Cost of everything emitted outside of regions. */
  get cost(): OpCost {
    return this.open[0]!;
  }

  /** Begins again, for a walk that is repeated with one more assumption. */
  clear(): void {
    this.params.clear();
    this.routes.clear();
    this.types.clear();
    this.kept.clear();
    this.open.splice(0, this.open.length, nothing);
  }

  /** Numbers in each parameter, and how many of them work for one token. */
  counts(): readonly { readonly path: string; readonly all: Size; readonly active: Size }[] {
    return [...this.params.values()].map((value) => {
      const product = (sizes: readonly Size[]): Size => sizes.reduce((a, b) => a.times(b), Size.one);
      const own = product(value.axes.map(({ size }) => size));
      const all = own.times(product(value.repetitions.map(({ axis }) => axis.size)));
      const active = product(value.repetitions.map((repetition) => this.atWork(repetition)));
      return { path: value.path, all, active: own.times(active) };
    });
  }

  /** Experts of a bank that one token passes, on average when the routes span several banks; layers count in full. */
  private atWork({ kind, path, axis }: Repetition): Size {
    const routes = kind === "expert" ? this.routes.get(path) : undefined;
    if (!routes) return axis.size;
    if (axis.size.equals(routes.experts.size)) return routes.slots;
    return axis.size.times(routes.slots).dividedBy(routes.experts.size) ?? axis.size;
  }

  override op(
    name: string,
    operands: readonly Emitted[],
    attrs: Attrs,
    span: SourceSpan,
    regions: readonly EmittedRegion[] = [],
  ): readonly Emitted[] {
    const results = super.op(name, operands, attrs, span, regions);
    const routes = operands.find((operand) => operand.type.kind === "routes")?.type;
    for (const region of regions) {
      const repetition = this.repetitions.get(region);
      if (repetition?.kind === "expert" && routes?.kind === "routes") this.routes.set(repetition.path, routes);
    }
    const call = this.callOf(name, operands, attrs, regions);
    const cost = getOp(name)!.cost(call);
    this.spend(cost);
    this.noteOp(name, operands, call, cost, regions, results);
    if (routes?.kind === "routes") for (const region of regions) this.spend(this.expertBytes(region, routes));
    return results;
  }

  override region(
    params: readonly RegionParam[],
    body: (params: readonly Emitted[]) => readonly Emitted[],
    repetition?: Repetition,
  ): EmittedRegion {
    this.open.push(nothing);
    let region: EmittedRegion;
    let cost: OpCost;
    try {
      region = super.region(params, body, repetition);
    } finally {
      cost = this.open.pop()!;
    }
    const costed = { ...region, type: { ...region.type, cost } };
    if (repetition) this.repetitions.set(costed, repetition);
    return costed;
  }

  override stored(value: StoredValue): Emitted {
    if (value.kind === "param") this.params.set(value.path, value);
    this.types.set(value.path, { kind: "tensor", dtype: value.dtype, axes: storedAxes(value, new Set()) });
    return super.stored(value);
  }

  override state(state: StoredState): void {
    super.state(state);
    this.kept.set(state.path, { kind: state.kind, type: { kind: "tensor", dtype: state.dtype, axes: state.axes } });
  }

  /** Of a bank, a token reads the experts that it passes; as an operand of the graph they would be counted there. */
  private expertBytes(region: EmittedRegion, routes: RoutesType): OpCost {
    const path = this.repetitions.get(region)?.path;
    const own = [...this.params.values()].filter(({ repetitions }) => repetitions.some((each) => each.path === path));
    const most = own.reduce((sum, { axes }) => sum.plus(bytesOf({ kind: "tensor", dtype: "f32", axes })), Size.zero);
    return { flops: Size.zero, bytes: countOf(routes.tokens).times(routes.slots).times(most) };
  }

  private spend(cost: OpCost): void {
    const top = this.open.at(-1)!;
    this.open[this.open.length - 1] = { flops: top.flops.plus(cost.flops), bytes: top.bytes.plus(cost.bytes) };
  }

  private callOf(name: string, operands: readonly Emitted[], attrs: Attrs, regions: readonly EmittedRegion[]): OpCall {
    return {
      operands: operands.map((operand) => operand.type),
      attrs: regions.length > 0 ? withoutCounts(name, attrs, regions) : attrs,
      regions: regions.map((region) => region.type),
      declared: this.declarations,
    };
  }

  /** Told of each op with its cost, for what else is counted of it. */
  protected noteOp(
    _name: string,
    _operands: readonly Emitted[],
    _call: OpCall,
    _cost: OpCost,
    _regions: readonly EmittedRegion[],
    _results: readonly Emitted[],
  ): void {
    // Nothing more is counted here.
  }
}
