/**
 * Making graphs: nodes get fresh ids and the result types that the op table gives them, so that what was built is typed
 * by construction.
 *
 * @example
 * const graph = new GraphBuilder();
 * const body = graph.region([{ type: x, name: "x" }], (scope, [value]) => [scope.one("silu", [value!])]);
 */
import { getOp, type OpName } from "../ops/index.js";
import type { Attrs, Declarations, ValueType } from "../ops/types.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Node, Region, Value, ValueId } from "./ir.js";
import { regionType } from "./types.js";

export interface NodeOptions {
  readonly regions?: readonly Region[];
  readonly span?: SourceSpan;
  /** Names of the results in the source. */
  readonly names?: readonly (string | undefined)[];
}

/** Hands out the ids of one graph. */
export class GraphBuilder {
  /** @param declared What `param`, `knob` and state ops may name. @param nextId First id, above those in use. */
  constructor(
    readonly declared?: Declarations,
    private nextId: ValueId = 0,
  ) {}

  value(type: ValueType, name?: string): Value {
    const id = this.nextId++;
    return name === undefined ? { id, type } : { id, type, name };
  }

  /** A region with its parameters and what `body` builds in it. */
  region(
    params: readonly { readonly type: ValueType; readonly name?: string }[],
    body: (scope: RegionBuilder, params: readonly Value[]) => readonly Value[],
  ): Region {
    const scope = new RegionBuilder(
      this,
      params.map((param) => this.value(param.type, param.name)),
    );
    return scope.finish(body(scope, scope.params));
  }
}

/** One region while it grows. */
export class RegionBuilder {
  private readonly nodes: Node[] = [];
  private readonly known = new Set<ValueId>();

  constructor(
    readonly graph: GraphBuilder,
    readonly params: readonly Value[],
  ) {
    for (const param of params) this.known.add(param.id);
  }

  /**
   * Append a node and give its results.
   *
   * @throws OpTypeError when the op refuses the operands or attributes.
   * @throws RangeError when an operand is not a value of this region (a bug of the caller).
   */
  add(op: OpName, operands: readonly Value[], attrs: Attrs = {}, options: NodeOptions = {}): readonly Value[] {
    const stranger = operands.find((operand) => !this.known.has(operand.id));
    if (stranger) throw new RangeError(`%${stranger.id} is not a value of this region (operand of ${op})`);
    const { regions = [], span, names = [] } = options;
    const { declared } = this.graph;
    const types = getOp(op)!.type({
      operands: operands.map((operand) => operand.type),
      attrs,
      regions: regions.map(regionType),
      ...(declared ? { declared } : {}),
    });
    const results = types.map((type, index) => this.graph.value(type, names[index]));
    for (const result of results) this.known.add(result.id);
    const given = Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== undefined));
    this.nodes.push({
      op,
      operands: operands.map((operand) => operand.id),
      attrs: given,
      regions,
      results,
      ...(span ? { span } : {}),
    });
    return results;
  }

  /** `add` for ops with one result. */
  one(op: OpName, operands: readonly Value[], attrs: Attrs = {}, options: NodeOptions = {}): Value {
    const results = this.add(op, operands, attrs, options);
    if (results.length !== 1) throw new RangeError(`${op} has ${results.length} results`);
    return results[0]!;
  }

  /** An f32 scalar. */
  number(value: number): Value {
    return this.one("constant", [], { value, dtype: "f32" });
  }

  /** A region inside of this one; it sees only its own parameters. */
  region(
    params: readonly { readonly type: ValueType; readonly name?: string }[],
    body: (scope: RegionBuilder, params: readonly Value[]) => readonly Value[],
  ): Region {
    return this.graph.region(params, body);
  }

  finish(results: readonly Value[]): Region {
    const stranger = results.find((result) => !this.known.has(result.id));
    if (stranger) throw new RangeError(`%${stranger.id} is not a value of this region (result)`);
    return { params: this.params, nodes: this.nodes.slice(), results: results.map((result) => result.id) };
  }
}
