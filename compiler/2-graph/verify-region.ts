/** The part of `verify` that looks at the nodes of one entry. */
import { getOp } from "../ops/index.js";
import { typeText } from "../ops/type-text.js";
import { OpTypeError, type Axis, type Declarations, type ValueType } from "../ops/types.js";
import type { Node, Region, Value, ValueId } from "./ir.js";
import { callOf } from "./types.js";
import type { Report } from "./verify.js";

function axesOf(type: ValueType): readonly Axis[] {
  return type.kind === "tensor" ? type.axes : [...type.tokens, type.experts, { name: "slots", size: type.slots }];
}

/** What lies around a nested region. */
interface Surroundings {
  /** Values of the regions around, which it must not use. */
  readonly outer: ReadonlySet<ValueId>;
  /** Names of the stacks around, outermost first. */
  readonly stacks: readonly unknown[];
}

export class RegionCheck {
  /** Every id of the entry so far. */
  private readonly seen = new Set<ValueId>();

  constructor(
    private readonly declared: Declarations,
    private readonly sizes: ReadonlySet<string>,
    private readonly report: Report,
  ) {}

  run(region: Region, where: string, around?: Surroundings): void {
    const { outer, stacks } = around ?? { outer: new Set<ValueId>(), stacks: [] };
    const types = new Map<ValueId, ValueType>();
    for (const param of region.params) this.define(param, types, where);
    for (const node of region.nodes) {
      const here = `${where}, ${node.results.map((value) => `%${value.id}`).join(", ")} = ${node.op}`;
      const known = node.operands.map((id) => this.use(id, types, outer, here)).every(Boolean);
      const visible = new Set([...outer, ...types.keys()]);
      const inner = node.op === "stack" ? [...stacks, node.attrs.name] : stacks;
      for (const [index, nested] of node.regions.entries()) {
        this.run(nested, `${here}, region ${index}`, { outer: visible, stacks: inner });
      }
      this.checkPlace(node, here, stacks, around !== undefined);
      if (known) this.checkNode(node, types, here);
      for (const result of node.results) this.define(result, types, here);
    }
    for (const id of region.results) {
      if (!types.has(id)) this.report("MOE2076", { value: `%${id}` }, where);
    }
  }

  private define(value: Value, types: Map<ValueId, ValueType>, where: string): void {
    if (this.seen.has(value.id)) this.report("MOE2075", { value: `%${value.id}` }, where);
    this.seen.add(value.id);
    types.set(value.id, value.type);
    for (const name of axesOf(value.type).flatMap((axis) => axis.size.names)) {
      if (!this.sizes.has(name)) this.report("MOE2064", { value: `%${value.id}`, size: name }, where);
    }
  }

  private use(
    id: ValueId,
    types: ReadonlyMap<ValueId, ValueType>,
    outer: ReadonlySet<ValueId>,
    where: string,
  ): boolean {
    if (types.has(id)) return true;
    this.report(outer.has(id) ? "MOE2071" : "MOE2070", { value: `%${id}` }, where);
    return false;
  }

  /** Parameters and knobs come in at the top level; `layer_index` needs its stack around it. */
  private checkPlace(node: Node, where: string, stacks: Surroundings["stacks"], nested: boolean): void {
    if (nested && (node.op === "param" || node.op === "knob")) this.report("MOE2063", { op: node.op }, where);
    const { stack } = node.attrs;
    if (node.op === "layer_index" && typeof stack === "string" && !stacks.includes(stack)) {
      this.report("MOE2078", { stack }, where);
    }
  }

  private checkNode(node: Node, types: ReadonlyMap<ValueId, ValueType>, where: string): void {
    const op = getOp(node.op);
    if (!op) return this.report("MOE2073", { op: node.op }, where);
    const unknown = Object.keys(node.attrs).filter((name) => !op.attrs.includes(name));
    for (const attr of unknown) this.report("MOE2074", { op: node.op, attr }, where);
    const expected = this.computedTypes(node, types, where);
    if (!expected) return;
    const text = (list: readonly ValueType[]): string => list.map(typeText).join(", ");
    const recorded = node.results.map((value) => value.type);
    if (text(expected) !== text(recorded)) {
      this.report("MOE2072", { op: node.op, expected: text(expected), found: text(recorded) }, where);
    }
  }

  private computedTypes(
    node: Node,
    types: ReadonlyMap<ValueId, ValueType>,
    where: string,
  ): readonly ValueType[] | undefined {
    try {
      return getOp(node.op)!.type(callOf(node, types, this.declared));
    } catch (error) {
      if (error instanceof OpTypeError) this.report(error.code, error.slots, where);
      // A region whose result is not defined has no type; that was reported as MOE2076 already.
      else if (!(error instanceof RangeError)) throw error;
      return undefined;
    }
  }
}
