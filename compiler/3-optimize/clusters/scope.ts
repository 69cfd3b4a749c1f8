/** A region while clusters are looked for: who makes and who uses a value, and which nodes are taken. */
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import { typesOf } from "../../2-graph/types.js";
import { definitions, users } from "../../2-graph/walk.js";
import { getOp } from "../../ops/index.js";
import type { ValueType } from "../../ops/types.js";

export class Scope {
  readonly made: ReadonlyMap<ValueId, Node>;
  readonly uses: ReadonlyMap<ValueId, readonly Node[]>;
  private readonly types: ReadonlyMap<ValueId, ValueType>;
  private readonly results: ReadonlySet<ValueId>;
  private readonly positions: ReadonlyMap<Node, number>;
  private readonly taken = new Set<Node>();

  constructor(readonly region: Region) {
    this.made = definitions(region);
    this.uses = users(region);
    this.types = typesOf(region);
    this.results = new Set(region.results);
    this.positions = new Map(region.nodes.map((node, index) => [node, index]));
  }

  /** The node that made a value when it is of the given op and in no cluster yet. */
  maker(id: ValueId | undefined, op: string): Node | undefined {
    const node = id === undefined ? undefined : this.made.get(id);
    return node?.op === op && !this.taken.has(node) ? node : undefined;
  }

  type(id: ValueId): ValueType {
    return this.types.get(id)!;
  }

  isFree(node: Node): boolean {
    return !this.taken.has(node);
  }

  isElementwise(node: Node): boolean {
    return getOp(node.op)?.family === "elementwise";
  }

  /** The node that alone uses the value, which is no result of the region either. */
  onlyUser(id: ValueId): Node | undefined {
    if (this.results.has(id)) return undefined;
    const [first, ...others] = this.uses.get(id) ?? [];
    return first && others.every((node) => node === first) ? first : undefined;
  }

  /** True when every use of the node's results is by a member. */
  isInterior(node: Node, members: ReadonlySet<Node>): boolean {
    return node.results.every(
      ({ id }) => !this.results.has(id) && (this.uses.get(id) ?? []).every((user) => members.has(user)),
    );
  }

  /** Takes the nodes and says what goes in and out of them. */
  take(members: ReadonlySet<Node>): { nodes: ValueId[]; inputs: ValueId[]; outputs: ValueId[] } {
    const sorted = [...members].sort((a, b) => this.positions.get(a)! - this.positions.get(b)!);
    for (const node of sorted) this.taken.add(node);
    const inner = new Set(sorted.flatMap((node) => node.results.map(({ id }) => id)));
    const inputs = new Set(sorted.flatMap((node) => node.operands).filter((id) => !inner.has(id)));
    const outputs = [...inner].filter(
      (id) => this.results.has(id) || (this.uses.get(id) ?? []).some((user) => !members.has(user)),
    );
    return { nodes: sorted.map((node) => node.results[0]!.id), inputs: [...inputs], outputs };
  }
}
