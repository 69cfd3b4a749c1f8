/**
 * The reference evaluator: runs a graph node by node on the reference semantics of the op table, in doubles. It is the
 * oracle for everything faster.
 */
import type { Size } from "../axes/size.js";
import { MoecError } from "../errors/moec-error.js";
import { getOp } from "../ops/index.js";
import { countElements, makeTensor } from "../ops/reference-tensor.js";
import { typeText } from "../ops/type-text.js";
import type {
  OpCall,
  OpDef,
  ReferenceContext,
  ReferenceRoutes,
  ReferenceTensor,
  ReferenceValue,
} from "../ops/types.js";
import { bindInputs } from "./evaluate-inputs.js";
import type { KnobDecl, Node, ParamDecl, Program, Region, StateDecl, ValueId } from "./ir.js";
import { layersOf } from "./state-layers.js";
import { StateStore } from "./states.js";
import { tokenSize } from "./token-size.js";
import { callOf, declarationsOf, typesOf } from "./types.js";

export interface EvaluateOptions {
  /** By input name. Names of run-time sizes are bound from their axes. */
  readonly inputs: Readonly<Record<string, ReferenceValue>>;
  /** The numbers of a parameter, with the axes of its declaration. */
  readonly params?: (path: string) => ReferenceTensor;
  /** Kept and changed; a fresh one when absent. A call that throws changes nothing. */
  readonly states?: StateStore;
  /** States of the texts that an entry for several texts goes on with, in the order of its rows; kept and changed. */
  readonly texts?: readonly StateStore[];
  /** Run-time sizes that no input tells; `past` is that of the caches unless said. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** By path; the declared initial values otherwise. */
  readonly knobs?: Readonly<Record<string, ReferenceTensor>>;
  /** Round every value of every node to f32, as a backend that stores them does. */
  readonly round?: "f32";
  /** Collect the routes that each mixture and dispatch followed. */
  readonly trace?: boolean;
}

/** Routes that one mixture or dispatch followed. */
export interface RouteTrace {
  /** Enclosing stacks and their turns, outermost first. */
  readonly layers: readonly { readonly stack: string; readonly index: number }[];
  readonly op: string;
  readonly routes: ReferenceRoutes;
}

/** What a node refuses when it runs. */
export class NodeError extends MoecError {
  constructor(
    code: string,
    message: string,
    /** The innermost one. */
    readonly node: Node,
  ) {
    super(code, message);
  }
}

export interface Evaluation {
  readonly outputs: Readonly<Record<string, ReferenceValue>>;
  readonly routes: readonly RouteTrace[];
}

/**
 * Run one entry of a verified program.
 *
 * @throws MoecError MOE2065 (no such entry, input, parameter), MOE2066 (a value of another type), MOE2068 (sizes of this
 * call that an op cannot have), MOE2069 (caches that do not hold `past` positions).
 */
export function evaluate(program: Program, entryName: string, options: EvaluateOptions): Evaluation {
  const entry = program.entries.find((candidate) => candidate.name === entryName);
  if (!entry) throw new MoecError("MOE2065", `there is no entry \`${entryName}\``);
  const states = options.states ?? new StateStore();
  const known = { past: states.past, ...options.sizes };
  const { args, sizes } = bindInputs(entry, options.inputs, known);
  const view = states.begin();
  const texts = (options.texts ?? []).map((store) => store.begin());
  const traces: RouteTrace[] = [];
  const runs = texts.map((own) => new Run(program, options, { ...sizes, past: own.past }, own, [], traces));
  const run = new Run(program, options, sizes, view, runs, traces);
  const results = run.region(entry.body, args, []);
  if (view.countsTokens) view.passed((sizes["past"] ?? 0) + (tokenSize(entry)?.evaluate(sizes) ?? 0));
  for (const own of texts) if (own.countsTokens) own.passed(own.past + 1);
  states.adopt(view);
  options.texts?.forEach((store, index) => store.adopt(texts[index]!));
  const outputs = Object.fromEntries(entry.outputs.map((name, index) => [name, owned(results[index]!)]));
  return { outputs, routes: run.traces };
}

/** A copy when the numbers are part of something larger (a cache, a parameter) that may change or be kept alive. */
function owned(value: ReferenceValue): ReferenceValue {
  if (value.kind === "routes" || value.data.buffer.byteLength === value.data.byteLength) return value;
  return { ...value, data: value.data.slice() };
}

interface Step {
  readonly node: Node;
  readonly op: OpDef;
  readonly call: OpCall;
}

type Layers = RouteTrace["layers"];

/** One call: everything that its regions share. */
class Run {
  readonly paramDecls: ReadonlyMap<string, ParamDecl>;
  readonly stateDecls: ReadonlyMap<string, StateDecl>;
  readonly knobDecls: ReadonlyMap<string, KnobDecl>;
  private readonly sizeValues = new Map<string, number>();

  constructor(
    private readonly program: Program,
    readonly options: EvaluateOptions,
    readonly sizes: Readonly<Record<string, number>>,
    readonly states: StateStore,
    /** The same call for each of its texts. */
    readonly texts: readonly Run[],
    readonly traces: RouteTrace[],
  ) {
    this.paramDecls = new Map(program.params.map((decl) => [decl.path, decl]));
    this.stateDecls = new Map(program.states.map((decl) => [decl.path, decl]));
    this.knobDecls = new Map(program.knobs.map((decl) => [decl.path, decl]));
  }

  size(size: Size): number {
    const known = size.constant ?? this.sizeValues.get(size.key);
    if (known !== undefined) return known;
    const value = size.evaluate(this.sizes);
    this.sizeValues.set(size.key, value);
    return value;
  }

  region(region: Region, args: readonly ReferenceValue[], layers: Layers): readonly ReferenceValue[] {
    const values = new Map<ValueId, ReferenceValue>();
    for (const [index, param] of region.params.entries()) values.set(param.id, args[index]!);
    const frame = new Frame(this, layers);
    for (const step of stepsOf(this.program, region)) {
      frame.node = step.node;
      const operands = step.node.operands.map((id) => values.get(id)!);
      const results = this.step(step, frame, operands);
      for (const [index, result] of results.entries()) values.set(step.node.results[index]!.id, result);
    }
    return region.results.map((id) => values.get(id)!);
  }

  private step(step: Step, frame: Frame, operands: readonly ReferenceValue[]): readonly ReferenceValue[] {
    try {
      const results = step.op.reference(frame, operands, step.call);
      return this.options.round === "f32" ? results.map(rounded) : results;
    } catch (error) {
      if (error instanceof NodeError) throw error;
      if (error instanceof MoecError) throw new NodeError(error.code, error.message, step.node);
      if (!(error instanceof RangeError)) throw error;
      const { op, results } = step.node;
      const shown = results.map((value) => `%${value.id}: ${typeText(value.type)}`).join(", ");
      const message = `\`${op}\` (${shown}) cannot have the sizes of this call: ${error.message}`;
      throw new NodeError("MOE2068", message, step.node);
    }
  }
}

/** Types of the uses in a region, looked up once per region and program. */
const prepared = new WeakMap<Program, WeakMap<Region, readonly Step[]>>();

function stepsOf(program: Program, region: Region): readonly Step[] {
  let regions = prepared.get(program);
  if (!regions) prepared.set(program, (regions = new WeakMap()));
  let steps = regions.get(region);
  if (!steps) {
    const types = typesOf(region);
    const declared = declarationsOf(program);
    steps = region.nodes.map((node) => {
      const op = getOp(node.op);
      if (!op) throw new MoecError("MOE2073", `there is no op \`${node.op}\``);
      return { node, op, call: callOf(node, types, declared) };
    });
    regions.set(region, steps);
  }
  return steps;
}

/** What the ops of one region run may ask for. */
class Frame implements ReferenceContext {
  node!: Node;

  constructor(
    private readonly shared: Run,
    private readonly layers: Layers,
  ) {}

  run(index: number, args: readonly ReferenceValue[], layer?: Layers[number]): readonly ReferenceValue[] {
    return this.shared.region(this.node.regions[index]!, args, layer ? [...this.layers, layer] : this.layers);
  }

  runText(text: number, args: readonly ReferenceValue[]): readonly ReferenceValue[] {
    const run = this.shared.texts[text] ?? missing("states for the text", String(text));
    return run.region(this.node.regions[0]!, args, this.layers);
  }

  size(size: Size): number {
    return this.shared.size(size);
  }

  layerIndex(name: string): number {
    const layer = this.layers.findLast((candidate) => candidate.stack === name);
    if (!layer) throw new MoecError("MOE2078", `\`layer_index\` names the stack \`${name}\`, which is not around it`);
    return layer.index;
  }

  /** Turns of the stacks that a declaration with so many layer axes belongs to. */
  private turns(decl: StateDecl): readonly number[] {
    return layersOf(decl, this.layers).map((layer) => layer.index);
  }

  private state(path: string): StateDecl {
    const decl = this.shared.stateDecls.get(path);
    return decl ?? missing("state", path);
  }

  readState(path: string): ReferenceValue {
    const decl = this.state(path);
    const written = this.shared.states.read(path, this.turns(decl));
    return written ?? this.filled({ ...decl, axes: decl.axes.slice(decl.layerAxes) });
  }

  writeState(path: string, value: ReferenceValue): void {
    this.shared.states.write(path, this.turns(this.state(path)), value);
  }

  appendState(path: string, rows: ReferenceTensor): ReferenceTensor {
    return this.shared.states.append(path, this.turns(this.state(path)), rows, this.shared.sizes.past ?? 0);
  }

  private filled(decl: Pick<StateDecl, "dtype" | "axes" | "init">): ReferenceTensor {
    const result = makeTensor(decl.dtype, this.runAxes(decl.axes));
    result.data.fill(decl.init);
    return result;
  }

  private runAxes(axes: ParamDecl["axes"]): ReferenceTensor["axes"] {
    return axes.map(({ name, size }) => ({ name, size: this.size(size) }));
  }

  param(path: string): ReferenceTensor {
    const decl = this.shared.paramDecls.get(path) ?? missing("parameter", path);
    const value = this.shared.options.params?.(path) ?? missing("values for the parameter", path);
    return this.checked(path, decl, value);
  }

  knob(path: string): ReferenceTensor {
    const decl = this.shared.knobDecls.get(path) ?? missing("knob", path);
    const value = this.shared.options.knobs?.[path];
    return value ? this.checked(path, decl, value) : this.filled(decl);
  }

  private checked(path: string, decl: ParamDecl | KnobDecl, value: ReferenceTensor): ReferenceTensor {
    const axes = this.runAxes(decl.axes);
    const show = (list: ReferenceTensor["axes"]): string => list.map((axis) => `${axis.name}=${axis.size}`).join(", ");
    if (show(axes) !== show(value.axes) || value.dtype !== decl.dtype || value.data.length !== countElements(axes)) {
      const expected = `${decl.dtype}[${show(axes)}]`;
      throw new MoecError("MOE2066", `\`${path}\` is ${expected}, but ${value.dtype}[${show(value.axes)}] was given`);
    }
    return value;
  }

  trace(routes: ReferenceRoutes): void {
    if (this.shared.options.trace) this.shared.traces.push({ layers: this.layers, op: this.node.op, routes });
  }
}

function missing(what: string, path: string): never {
  throw new MoecError("MOE2065", `there is no ${what} \`${path}\``);
}

/** The nearest f32 of every number; the value itself when all are. */
function rounded(value: ReferenceValue): ReferenceValue {
  if (value.kind === "routes") return { ...value, weight: roundedNumbers(value.weight) };
  return value.dtype === "f32" ? { ...value, data: roundedNumbers(value.data) } : value;
}

function roundedNumbers(data: Float64Array): Float64Array {
  for (let i = 0; i < data.length; i++) {
    if (Math.fround(data[i]!) !== data[i] && !Number.isNaN(data[i])) return data.map((x) => Math.fround(x));
  }
  return data;
}
