/**
 * Lowers the nodes of a graph in order. A value stays a formula until it must lie in memory: when an op reads it as a
 * whole, when several readers would compute something dear again, or when it is a result.
 */
import { Size } from "../../axes/size.js";
import type { MixtureAttrs, Node, Region, ValueId } from "../../2-graph/ir.js";
import type { Expression } from "../kernel-ir.js";
import { contractTensors } from "./contraction.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { Routes, type LoweredValue } from "./routes.js";
import { ruleOf } from "./rules.js";
import type { Stored } from "./tensor.js";
import { Computed, Deferred, Tensor } from "./tensor.js";
import { Weight } from "./weight.js";

/** Operations of one element that may be done again for a second reader. */
const cheap = 12;

export class RegionLowering {
  /** Those of the region that is being lowered. */
  private nodes: readonly Node[] = [];

  constructor(readonly entry: EntryLowering) {}

  readonly store = (source: Tensor): Stored => this.entry.store(source);

  deferred(value: Tensor): Deferred {
    return value instanceof Deferred ? value : new Deferred(value, this.store);
  }

  /** In memory, unless reading it costs next to nothing. */
  settled(value: Tensor): Tensor {
    if (value.stored || value instanceof Weight) return value;
    return value.hoists.length > 0 || value.cost > 2 ? this.deferred(value).force() : value;
  }

  /** In memory, when a kernel that reads each element more than once would compute it again and again. */
  reread(value: Tensor): Tensor {
    if (value.stored || value instanceof Weight) return value;
    return value.hoists.length > 0 || value.cost > cheap ? this.deferred(value).force() : value;
  }

  settledAll(values: readonly LoweredValue[]): readonly LoweredValue[] {
    return values.map((value) => {
      if (value instanceof Tensor) return this.settled(value);
      return new Routes(value.tokens, value.experts, value.slots, value.index, this.settled(value.weight));
    });
  }

  /** Experts of each bank of the mixture that takes these routes as they are or with other weights; undefined for none. */
  bankSizes(routes: ValueId): readonly Size[] | undefined {
    for (const node of this.nodes) {
      if (!node.operands.includes(routes)) continue;
      if (node.op === "mixture" || node.op === "dispatch") {
        return (node.attrs as MixtureAttrs).banks.map((bank) => bank.experts);
      }
      if (node.op !== "routes_scale" && node.op !== "rename") continue;
      const found = this.bankSizes(node.results[0]!.id);
      if (found) return found;
    }
    return undefined;
  }

  /**
   * Lower a region over the given values of its parameters.
   *
   * @param places Memory that nothing in the region reads, for some of its values.
   */
  run(
    region: Region,
    args: readonly LoweredValue[],
    places: ReadonlyMap<ValueId, Stored> = new Map(),
  ): readonly LoweredValue[] {
    const values = new Map<ValueId, LoweredValue>();
    for (const [index, param] of region.params.entries()) values.set(param.id, args[index]!);
    const uses = countUses(region);
    const { nodes } = this;
    this.nodes = region.nodes;
    for (const node of region.nodes) {
      const outer = this.entry.node;
      this.entry.node = node;
      const operands = node.operands.map((id) => values.get(id)!);
      const results = ruleOf(this, node)(this, node, operands);
      for (const [index, result] of node.results.entries()) {
        values.set(result.id, this.kept(results[index]!, uses.get(result.id) ?? 0, places.get(result.id)));
      }
      this.entry.node = outer;
    }
    this.nodes = nodes;
    return region.results.map((id) => values.get(id)!);
  }

  private kept(value: LoweredValue, uses: number, place: Stored | undefined): LoweredValue {
    if (!(value instanceof Tensor) || value.stored || value instanceof Weight) return value;
    const { node } = this.entry;
    // Whenever it is stored: the kernel belongs to this node.
    const deferred =
      value instanceof Deferred
        ? value
        : new Deferred(value, (source) => this.entry.during(node, () => this.entry.store(source, place)), node);
    if (uses > 1 && value.cost > cheap) deferred.force();
    return deferred;
  }

  contract(a: Tensor, b: Tensor, over: readonly string[]): Tensor {
    return contractTensors(this, a, b, over);
  }

  /** A predicate over two positions, written where a kernel needs it. */
  predicate(region: Region, emitter: Emitter, query: Expression, key: Expression): Expression {
    const number = (value: Expression): Tensor => new Computed("i32", [], { cost: 0 }, () => value);
    const inner = new RegionLowering(this.entry);
    const [result] = inner.run(region, [number(query), number(key)]);
    return emitter.here(() => (result as Tensor).read(emitter, new Map()));
  }

  layerIndex(stack: string): Tensor {
    const loop = this.entry.loops.findLast((frame) => frame.stack === stack);
    if (!loop) throw new RangeError(`no stack ${stack} around`);
    return new Computed("i32", [], { cost: 0 }, (emitter) => emitter.size(Size.of(loop.name)));
  }

  loopName(wish: string): string {
    return this.entry.freshLoop(wish);
  }

  /** Keep the routes of a mixture for traces. */
  trace(routes: Routes, node: Node): void {
    this.entry.trace(routes, node);
  }
}

function countUses(region: Region): ReadonlyMap<ValueId, number> {
  const uses = new Map<ValueId, number>();
  const count = (id: ValueId): void => void uses.set(id, (uses.get(id) ?? 0) + 1);
  for (const node of region.nodes) node.operands.forEach(count);
  region.results.forEach(count);
  return uses;
}
