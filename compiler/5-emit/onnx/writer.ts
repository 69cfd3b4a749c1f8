/** Writes the nodes of one entry: values by id, states and parameters by path, one frame per enclosing layer. */
import { indexVectors } from "../../axes/index-vectors.js";
import { Size } from "../../axes/size.js";
import type { Entry, Node, Program, Region, StateDecl, ValueId } from "../../2-graph/ir.js";
import { typesOf } from "../../2-graph/types.js";
import { moecError } from "../../errors/raise.js";
import type { OpName } from "../../ops/index.js";
import type { Axis, TensorType, ValueType } from "../../ops/types.js";
import { gatherRows } from "./gather.js";
import { Graph } from "./graph.js";
import type { OnnxGraph, Port } from "./model-bytes.js";
import type { Contrib } from "./contrib/names.js";
import { contribLowerings } from "./contrib/operators.js";
import { Parameters, type ParameterNumbers } from "./parameters.js";
import { lowerings } from "./table.js";
import { Use, type Appended, type Lower, type Surroundings } from "./use.js";
import type { Parameter, Tensor, Value } from "./values.js";

interface Layer {
  readonly stack: string;
  readonly index: number;
}

const dimsOf = (axes: readonly Axis[]): (number | string)[] => axes.map(({ size }) => size.constant ?? size.key);

export class Writer {
  readonly graph = new Graph();
  private readonly inputs: Port[] = [];
  private readonly states = new Map<
    string,
    { readonly decl: StateDecl; readonly turns: readonly number[]; now: Tensor }
  >();
  private readonly parameters: Parameters;
  private readonly knobs = new Map<string, Tensor>();
  private readonly appended = new Map<string, Appended>();
  private readonly lowerings: Readonly<Record<OpName, Lower>>;

  constructor(
    private readonly program: Program,
    private readonly entry: Entry,
    numbers: ParameterNumbers,
    contrib?: Contrib,
  ) {
    this.lowerings = contrib ? { ...lowerings, ...contribLowerings(contrib) } : lowerings;
    this.parameters = new Parameters(this.graph, numbers);
  }

  write(): OnnxGraph {
    const { graph, entry } = this;
    const args = entry.body.params.map(({ type }, index) => this.input(entry.inputs[index]!, type));
    this.addStates(entry.body);
    const results = this.run(entry.body, args, []);
    const outputs = entry.outputs.flatMap((name, index) => this.output(name, entry, index, results[index]!));
    for (const [key, { decl, now }] of this.states) {
      const axes = decl.axes.slice(decl.layerAxes);
      const [rows, ...rest] = dimsOf(axes);
      const dims = decl.kind === "cache" ? [`past + ${String(rows)}`, ...rest] : dimsOf(axes);
      outputs.push(this.port(`present.${key}`, now, dims));
    }
    const metadata = { producer: "moec", model: this.program.name, entry: entry.name };
    graph.dropUnread(outputs.map((port) => port.name));
    const { nodes, initializers } = graph;
    return { name: entry.name, nodes, initializers, inputs: this.inputs, outputs, metadata };
  }

  private input(name: string, type: ValueType): Tensor {
    if (type.kind !== "tensor")
      throw moecError("MOE5602", { what: `the input \`${name}\``, reason: "it holds routes" });
    return this.tensorInput(name, type);
  }

  private tensorInput(name: string, type: TensorType): Tensor {
    this.inputs.push({ name, type: type.dtype, dims: dimsOf(type.axes) });
    const axes = type.axes;
    for (const [at, { size }] of axes.entries()) {
      const [only] = size.names;
      if (only !== undefined && size.key === only && !this.graph.hasSize(only))
        this.graph.nameSize(only, this.dim(name, at));
    }
    return { kind: "tensor", name, type: type.dtype, axes };
  }

  private dim(name: string, at: number): string {
    return this.graph.node("Shape", [name], { start: { int: at }, end: { int: at + 1 } });
  }

  /** Every state that the entry touches is an input `past.…` and an output `present.…`, one for each layer. */
  private addStates(body: Region): void {
    const used = new Set<string>();
    const walk = (region: Region): void => {
      for (const { attrs, regions } of region.nodes) {
        if (typeof attrs.state === "string") used.add(attrs.state);
        regions.forEach(walk);
      }
    };
    walk(body);
    for (const decl of this.program.states.filter(({ path }) => used.has(path))) {
      const layers = decl.axes.slice(0, decl.layerAxes).map(({ size }) => size.evaluate({}));
      for (const turns of indexVectors(layers)) this.addState(decl, turns);
    }
    if (!this.graph.hasSize("past")) this.graph.nameSize("past", this.graph.integers([0]));
  }

  private addState(decl: StateDecl, turns: readonly number[]): void {
    const key = [decl.path, ...turns].join(".");
    const own = decl.axes.slice(decl.layerAxes);
    const axes = decl.kind === "cache" ? own.with(0, { name: own[0]!.name, size: Size.of("past") }) : own;
    const now = this.tensorInput(`past.${key}`, { kind: "tensor", dtype: decl.dtype, axes });
    this.states.set(key, { decl, turns, now });
  }

  /** Outputs have the axes in the order that the entry promises. */
  private output(name: string, entry: Entry, index: number, value: Value): readonly Port[] {
    const type = typesOf(entry.body).get(entry.body.results[index]!)!;
    if (type.kind === "routes") {
      if (value.kind !== "routes") throw new TypeError(`${name} holds no routes`);
      const dims = [...dimsOf(type.tokens), type.slots.constant ?? type.slots.key];
      const order = type.tokens.map((axis) => axis.name);
      const own = (x: Tensor): Tensor => this.graph.order(x, [...order, x.axes.at(-1)!.name]);
      return [this.port(`${name}.index`, own(value.index), dims), this.port(`${name}.weight`, own(value.weight), dims)];
    }
    const tensor = value.kind === "parameter" ? this.parameters.tensor(value) : (value as Tensor);
    return [this.port(name, this.graph.full(tensor, type.axes), dimsOf(type.axes))];
  }

  private port(name: string, x: Tensor, dims: readonly (number | string)[]): Port {
    this.graph.nodes.push({ op: "Identity", inputs: [x.name], outputs: [name], attributes: {} });
    return { name, type: x.type, dims };
  }

  private run(region: Region, args: readonly Value[], layers: readonly Layer[]): readonly Value[] {
    const values = new Map<ValueId, Value>();
    const types = typesOf(region);
    region.params.forEach((param, index) => values.set(param.id, args[index]!));
    const around = this.surroundings(region, layers);
    for (const node of region.nodes) {
      const operands = node.operands.map((id) => values.get(id)!);
      const operandTypes = node.operands.map((id) => types.get(id)!);
      const results = this.lowerings[node.op as OpName](new Use(node, operands, around, operandTypes));
      node.results.forEach(({ id }, index) => values.set(id, results[index]!));
    }
    return region.results.map((id) => values.get(id)!);
  }

  private surroundings(region: Region, layers: readonly Layer[]): Surroundings {
    const { graph, parameters } = this;
    let producers: ReadonlyMap<ValueId, Node> | undefined;
    const stateOf = (path: string) => {
      const decl = this.program.states.find((state) => state.path === path)!;
      const turns = layers.slice(0, decl.layerAxes).map(({ index }) => index);
      return this.states.get([path, ...turns].join("."))!;
    };
    return {
      graph,
      run: (region, args, layer) => this.run(region, args, layer ? [...layers, layer] : layers).map((value) => value),
      materialize: (parameter) => parameters.tensor(parameter),
      leading: (value, axis, index) => {
        if (value.kind === "parameter") return { ...value, leading: [...value.leading, index] };
        if (value.kind === "routes") throw new TypeError("routes have no leading axis");
        return gatherRows(graph, value, graph.number("i32", index), axis);
      },
      layerIndex: (stack) => layers.findLast((layer) => layer.stack === stack)!.index,
      param: (path): Parameter => ({
        kind: "parameter",
        decl: this.program.params.find((decl) => decl.path === path)!,
        leading: [],
      }),
      knob: (path) => this.knob(path),
      readState: (path) => stateOf(path).now,
      writeState: (path, value) => {
        const state = stateOf(path);
        state.now = graph.full(value, state.decl.axes.slice(state.decl.layerAxes));
      },
      append: (path, rows) => {
        const state = stateOf(path);
        const own = state.decl.axes.slice(state.decl.layerAxes);
        const ordered = graph.order(rows, [rows.axes.find(({ name }) => !own.slice(1).some((axis) => axis.name === name))!.name, ...own.slice(1).map(({ name }) => name)]); // prettier-ignore
        const [first, ...rest] = ordered.axes;
        const past = state.now;
        const name = graph.node("Concat", [past.name, ordered.name], { axis: { int: 0 } });
        const size = Size.of("past").plus(first!.size);
        const replace = (now: Tensor): void => void (state.now = now);
        this.appended.set(name, { past, rows: ordered, rowAxis: first!.name, replace });
        return (state.now = { ...ordered, name, axes: [{ name: own[0]!.name, size }, ...rest] });
      },
      appended: (name) => this.appended.get(name),
      producer: (id) => {
        producers ??= new Map(region.nodes.flatMap((node) => node.results.map((result) => [result.id, node] as const)));
        return producers.get(id);
      },
      numbers: (parameter, axes) => parameters.numbersOf(parameter, axes),
      refuse: (node, reason, operator) => this.refuse(node, layers, reason, operator),
    };
  }

  /** A knob is an input with a default: an initializer of the same name. */
  private knob(path: string): Tensor {
    const known = this.knobs.get(path);
    if (known) return known;
    const decl = this.program.knobs.find((candidate) => candidate.path === path)!;
    const name = `knob.${path}`;
    const dims = decl.axes.map(({ size }) => size.evaluate({}));
    this.graph.filledInitializer(name, decl.dtype, dims, decl.init);
    const knob = this.tensorInput(name, { kind: "tensor", dtype: decl.dtype, axes: decl.axes });
    this.knobs.set(path, knob);
    return knob;
  }

  private refuse(node: Node, layers: readonly Layer[], reason: string, operator?: string): never {
    const inside = layers.map(({ stack, index }) => ` in layer ${index} of \`${stack}\``).join("");
    const named = node.results[0]?.name;
    const at = `${named === undefined ? "" : `\`${named}\` of `}\`${this.entry.name}\`${inside}`;
    if (operator !== undefined) throw moecError("MOE5610", { operator, op: node.op, at, reason });
    throw moecError("MOE5601", { op: node.op, at, reason });
  }
}
