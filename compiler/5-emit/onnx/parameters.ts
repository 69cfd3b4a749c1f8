/** Parameters as initializers. Numbers are read when the file is written, one tensor at a time. */
import { indexVectors } from "../../axes/index-vectors.js";
import { moecError } from "../../errors/raise.js";
import type { Graph } from "./graph.js";
import type { Parameter, Tensor } from "./values.js";

/** Where numbers come from: one layer of a parameter, row-major over `axes`; as `ParameterSource` of the bundle. */
export interface ParameterNumbers {
  read(path: string, layer: readonly number[], axes: readonly string[]): Float32Array;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

export class Parameters {
  private readonly written = new Map<string, Tensor>();
  /** The layer read last: the experts of a bank are cut from it one after the other. */
  private last: { readonly key: string; readonly values: Float32Array } | undefined;

  constructor(
    private readonly graph: Graph,
    private readonly numbers: ParameterNumbers,
  ) {}

  tensor(parameter: Parameter): Tensor {
    const { decl, leading } = parameter;
    const name = [decl.path, ...leading].join(".");
    const known = this.written.get(name);
    if (known) return known;
    const unknown = decl.axes.find(({ size }) => size.constant === undefined);
    if (unknown)
      throw moecError("MOE5602", { what: `\`${decl.path}\``, reason: `the size of ${unknown.name} is open` });
    const axes = decl.axes.slice(leading.length);
    const dims = axes.map(({ size }) => size.constant!);
    const type = decl.dtype;
    this.graph.initializer(name, type, dims, () => this.bytes(parameter));
    const tensor: Tensor = { kind: "tensor", name, type, axes };
    this.written.set(name, tensor);
    return tensor;
  }

  /** One layer of a parameter, row-major over `axes`. */
  numbersOf({ decl, leading }: Parameter, axes: readonly string[]): Float32Array {
    return this.numbers.read(decl.path, leading.slice(0, decl.layerAxes), axes);
  }

  private layer(parameter: Parameter, layer: readonly number[]): Float32Array {
    const { decl } = parameter;
    const key = [decl.path, ...layer].join("/");
    if (this.last?.key !== key) {
      const axes = decl.axes.slice(decl.layerAxes).map(({ name }) => name);
      this.last = { key, values: this.numbers.read(decl.path, layer, axes) };
    }
    return this.last.values;
  }

  private bytes(parameter: Parameter): Uint8Array {
    const { decl, leading } = parameter;
    const sizes = decl.axes.map(({ size }) => size.constant!);
    const fixed = leading.slice(0, decl.layerAxes);
    const layers = indexVectors(sizes.slice(fixed.length, decl.layerAxes)).map((others) => [...fixed, ...others]);
    const own = sizes.slice(decl.layerAxes);
    const inside = leading.slice(decl.layerAxes);
    const count = product(own.slice(inside.length));
    // Row-major number of the part that the fixed indices name.
    const part = inside.reduce((at, index, axis) => at * own[axis]! + index, 0);
    const values = new Float32Array(count * layers.length);
    layers.forEach((layer, index) => {
      values.set(this.layer(parameter, layer).subarray(part * count, (part + 1) * count), index * count);
    });
    if (decl.dtype === "i32") return new Uint8Array(Int32Array.from(values).buffer);
    if (decl.dtype === "bool") return Uint8Array.from(values);
    return new Uint8Array(values.buffer);
  }
}
