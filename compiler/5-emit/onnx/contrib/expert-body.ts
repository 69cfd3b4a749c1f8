/** Reads the body of an expert as the formula that a fused operator has: two layers with one activation between them. */
import type { Node, Region, ValueId } from "../../../2-graph/ir.js";

/** A layer of an expert: numbers of the expert's own parameters, counted from 0. */
export interface Layer {
  readonly weight: number;
  readonly bias?: number;
  /** The axis that it sums over, and the one that it gives. */
  readonly from: string;
  readonly to: string;
}

/** `down(activation(up(x)))`, or `down(silu(gate(x)) * up(x))`. */
export interface ExpertFormula {
  readonly activation: "relu" | "silu" | "gelu" | "identity" | "swiglu";
  /** In front of the activation; of `swiglu` the gate, then what it weighs. */
  readonly first: readonly Layer[];
  readonly second: Layer;
}

/** What an activation of the graph is called by the operators; their `gelu` is the one with tanh. */
const ACTIVATIONS: Readonly<Record<string, ExpertFormula["activation"]>> = {
  relu: "relu",
  silu: "silu",
  gelu_tanh: "gelu",
};

/** The formula of a region, or why there is none. */
export function expertFormula(body: Region): ExpertFormula | string {
  return new Reader(body).read();
}

class Reader {
  private readonly nodes = new Map<ValueId, Node>();
  private readonly params = new Map<ValueId, number>();

  constructor(private readonly body: Region) {
    for (const node of body.nodes) for (const { id } of node.results) this.nodes.set(id, node);
    // The first one is the token.
    body.params.slice(1).forEach(({ id }, index) => this.params.set(id, index));
  }

  read(): ExpertFormula | string {
    const token = this.body.params[0]!.id;
    const outer = this.layer(this.body.results[0]!);
    if (!outer) return "its last step is no matrix product";
    const { input, ...second } = outer;
    const inner = this.nodes.get(input);
    if (inner?.op === "mul") return this.gated(inner, second, token);
    const activation = inner && ACTIVATIONS[inner.op];
    const plain = this.layer(activation === undefined ? input : inner!.operands[0]!);
    if (plain?.input !== token) {
      return `its activation \`${inner?.op ?? "none"}\` is none of relu, silu, gelu_tanh and silu(gate) * up`;
    }
    return { activation: activation ?? "identity", first: [withoutInput(plain)], second };
  }

  private gated(product: Node, second: Layer, token: ValueId): ExpertFormula | string {
    const [a, b] = product.operands;
    const isSilu = (id: ValueId | undefined): boolean => this.nodes.get(id!)?.op === "silu";
    const [left, right] = isSilu(a) ? [a, b] : [b, a];
    const activation = this.nodes.get(left!);
    if (activation?.op !== "silu") return "its gate is not silu(gate) * up";
    const [gate, up] = [this.layer(activation.operands[0]!), this.layer(right!)];
    if (gate?.input !== token || up?.input !== token) return "its gate is not silu(gate) * up of the token itself";
    if ((gate.bias === undefined) !== (up.bias === undefined)) return "only one of gate and up has a bias";
    return { activation: "swiglu", first: [withoutInput(gate), withoutInput(up)], second };
  }

  /** `contract(input, weight)`, with a bias behind it or without. */
  private layer(id: ValueId): (Layer & { readonly input: ValueId }) | undefined {
    const node = this.nodes.get(id);
    if (node?.op === "add") {
      const bias = node.operands.find((operand) => this.params.has(operand));
      const product = node.operands.find((operand) => operand !== bias);
      const inside = product === undefined ? undefined : this.layer(product);
      if (bias === undefined || !inside || inside.bias !== undefined) return undefined;
      return { ...inside, bias: this.params.get(bias)! };
    }
    const over = node?.attrs.over as readonly string[] | undefined;
    if (node?.op !== "contract" || over?.length !== 1) return undefined;
    const weight = node.operands.find((operand) => this.params.has(operand));
    const input = node.operands.find((operand) => operand !== weight);
    const type = node.results[0]!.type;
    if (weight === undefined || input === undefined || type.kind !== "tensor" || type.axes.length !== 1)
      return undefined;
    return { weight: this.params.get(weight)!, from: over[0]!, to: type.axes[0]!.name, input };
  }
}

function withoutInput({ weight, bias, from, to }: Layer): Layer {
  return bias === undefined ? { weight, from, to } : { weight, bias, from, to };
}
