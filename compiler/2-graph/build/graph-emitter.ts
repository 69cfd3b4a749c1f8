/**
 * The emitter that makes graph nodes.
 *
 * Regions see only their own parameters. While a body is emitted, a value from outside becomes a capture, and a
 * parameter that the region's repetition stacks becomes an operand without that axis; both are added to the operands of
 * the region's op when it is made. Constants are made again inside instead of being passed in.
 */
import { storedAxes } from "../../1-check/type-emitter.js";
import type {
  Emitted,
  EmittedRegion,
  Emitter,
  RegionParam,
  Repetition,
  StoredState,
  StoredValue,
} from "../../1-check/emitter.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Size } from "../../axes/size.js";
import { getOp } from "../../ops/index.js";
import type { Attrs, Declarations, TensorType, ValueType } from "../../ops/types.js";
import type { Node, Region, Value, ValueId } from "../ir.js";

/** A value of the graph while it is built. */
export interface GraphValue extends Emitted {
  readonly id: ValueId;
  readonly frame: Frame;
  name?: string;
  /** Attributes of the constant that it is, when it is a scalar one. */
  readonly constant?: Attrs;
  /** The parameter that it is read from, with its axes as the parameter names them. */
  readonly param?: { readonly path: string; readonly axes: ReadonlyMap<string, string> };
}

interface Stacked {
  readonly outer: GraphValue;
  readonly inner: GraphValue;
}

/** One region being emitted. */
class Frame {
  readonly nodes: DraftNode[] = [];
  readonly params: GraphValue[] = [];
  readonly stacked = new Map<string, Stacked>();
  readonly captures = new Map<ValueId, { readonly outer: GraphValue; readonly inner: GraphValue }>();
  readonly constants = new Map<string, GraphValue>();

  constructor(
    readonly parent: Frame | undefined,
    readonly repetition: Repetition | undefined,
  ) {}
}

interface DraftNode {
  readonly op: string;
  readonly operands: readonly ValueId[];
  readonly attrs: Attrs;
  readonly regions: readonly Region[];
  readonly results: readonly GraphValue[];
  readonly span: SourceSpan;
}

class DraftRegion implements EmittedRegion {
  constructor(
    readonly frame: Frame,
    readonly results: readonly GraphValue[],
  ) {}

  get type() {
    return {
      params: this.frame.params.map((param) => param.type),
      results: this.results.map((result) => result.type),
    };
  }

  get captures(): boolean {
    return this.frame.captures.size > 0 || this.frame.stacked.size > 0;
  }
}

/** What the whole program declares, over all its entries. */
export class ProgramRecord {
  readonly stored = new Map<string, StoredValue>();
  readonly states = new Map<string, StoredState>();
  /** Parameter path -> axes that contractions sum over. */
  readonly contracted = new Map<string, Set<string>>();

  readonly declarations: Declarations = {
    param: (path) => this.typeOf("param", path),
    knob: (path) => this.typeOf("knob", path),
    state: (path) => {
      const state = this.states.get(path);
      return state && { kind: state.kind, type: { kind: "tensor", dtype: state.dtype, axes: state.axes } };
    },
  };

  private typeOf(kind: "param" | "knob", path: string): TensorType | undefined {
    const value = this.stored.get(path);
    return value?.kind === kind
      ? { kind: "tensor", dtype: value.dtype, axes: storedAxes(value, new Set()) }
      : undefined;
  }
}

export class GraphEmitter implements Emitter {
  private nextId: ValueId = 0;
  private frame = new Frame(undefined, undefined);
  private readonly top = this.frame;
  private readonly read = new Map<string, GraphValue>();

  constructor(private readonly record: ProgramRecord) {}

  /** Ids of values that were made so far are below this. */
  get made(): ValueId {
    return this.nextId;
  }

  private value(type: ValueType, frame: Frame, extra: Partial<GraphValue> = {}): GraphValue {
    return { id: this.nextId++, type, frame, ...extra };
  }

  /** An input of the entry. */
  input(type: ValueType, name: string): GraphValue {
    const value = this.value(type, this.top, { name });
    this.top.params.push(value);
    return value;
  }

  op(
    name: string,
    operands: readonly Emitted[],
    attrs: Attrs,
    span: SourceSpan,
    regions: readonly EmittedRegion[] = [],
  ): readonly Emitted[] {
    const own = operands.map((operand) => this.use(operand as GraphValue, this.frame));
    if (regions.length > 0) return this.regionOp(name, own, attrs, span, regions as readonly DraftRegion[]);
    if (name === "constant" && attrs["axes"] === undefined) return [this.constant(attrs, span)];
    return this.append(name, own, attrs, span, []);
  }

  private constant(attrs: Attrs, span: SourceSpan): GraphValue {
    // Text of the number as such: JSON would make one of Infinity, -Infinity and NaN.
    const value = attrs["value"] as number | boolean;
    const key = `${attrs["dtype"] as string} ${Object.is(value, -0) ? "-0" : value}`;
    const known = this.frame.constants.get(key);
    if (known) return known;
    const [made] = this.append("constant", [], attrs, span, [], { constant: attrs });
    this.frame.constants.set(key, made!);
    return made!;
  }

  private append(
    name: string,
    operands: readonly GraphValue[],
    attrs: Attrs,
    span: SourceSpan,
    regions: readonly Region[],
    extra: Partial<GraphValue> = {},
    regionTypes: readonly { readonly params: readonly ValueType[]; readonly results: readonly ValueType[] }[] = [],
  ): readonly GraphValue[] {
    const types = getOp(name)!.type({
      operands: operands.map((operand) => operand.type),
      attrs,
      regions: regionTypes,
      declared: this.record.declarations,
    });
    if (name === "contract") this.noteContraction(operands, attrs);
    const param = name === "rename" ? renamedParam(operands[0]!, attrs) : undefined;
    const results = types.map((type) =>
      this.value(type, this.frame, { source: span, ...(param ? { param } : {}), ...extra }),
    );
    this.frame.nodes.push({ op: name, operands: operands.map((operand) => operand.id), attrs, regions, results, span });
    return results;
  }

  /** Remembers along which axes a parameter is summed: block formats of weights run along these. */
  private noteContraction(operands: readonly GraphValue[], attrs: Attrs): void {
    for (const operand of operands) {
      if (!operand.param) continue;
      const axes = this.record.contracted.get(operand.param.path) ?? new Set<string>();
      for (const axis of attrs["over"] as readonly string[]) axes.add(operand.param.axes.get(axis) ?? axis);
      this.record.contracted.set(operand.param.path, axes);
    }
  }

  private regionOp(
    name: string,
    operands: readonly GraphValue[],
    attrs: Attrs,
    span: SourceSpan,
    drafts: readonly DraftRegion[],
  ): readonly Emitted[] {
    const captures = new Map<ValueId, GraphValue>();
    for (const draft of drafts) for (const [id, { outer }] of draft.frame.captures) captures.set(id, outer);
    const regions = drafts.map((draft) => this.close(draft, [...captures.values()]));
    const stacked = drafts.map((draft) => [...draft.frame.stacked.values()].map((item) => item.outer));
    const all = [...operands, ...stacked.flat(), ...captures.values()];
    const counted = withCounts(
      name,
      attrs,
      stacked.map((list) => list.length),
      captures.size,
    );
    const types = regions.map(({ types: type }) => type);
    return this.append(
      name,
      all,
      counted,
      span,
      regions.map(({ region }) => region),
      {},
      types,
    );
  }

  /** The finished region: its own parameters, the stacked ones, then the captures of all regions of the op. */
  private close(draft: DraftRegion, captures: readonly GraphValue[]) {
    const { frame } = draft;
    const inner = captures.map((outer) => frame.captures.get(outer.id)?.inner ?? this.value(outer.type, frame));
    const params = [...frame.params, ...[...frame.stacked.values()].map((item) => item.inner), ...inner];
    const region: Region = {
      params: params.map(plain),
      nodes: frame.nodes.map(plainNode),
      results: draft.results.map((result) => result.id),
    };
    return {
      region,
      types: { params: params.map((param) => param.type), results: draft.results.map((result) => result.type) },
    };
  }

  region(
    params: readonly RegionParam[],
    body: (params: readonly Emitted[]) => readonly Emitted[],
    repetition?: Repetition,
  ): EmittedRegion {
    const outer = this.frame;
    const frame = new Frame(outer, repetition);
    for (const { type, name } of params) frame.params.push(this.value(type, frame, name === undefined ? {} : { name }));
    this.frame = frame;
    try {
      const results = body(frame.params).map((result) => this.use(result as GraphValue, frame));
      return new DraftRegion(frame, results);
    } finally {
      this.frame = outer;
    }
  }

  /** The value as it is known in `frame`: itself, or what passes it in. */
  private use(value: GraphValue, frame: Frame): GraphValue {
    if (value.frame === frame) return value;
    if (value.constant && frame === this.frame)
      return this.constant(value.constant, value.source ?? { file: "", start: 0, end: 0 });
    const known = frame.captures.get(value.id);
    if (known) return known.inner;
    if (!frame.parent) throw new Error("a value of another entry");
    const outer = this.use(value, frame.parent);
    const again = frame.captures.get(outer.id);
    if (again) return again.inner;
    const inner = this.value(value.type, frame, {
      ...(value.name === undefined ? {} : { name: value.name }),
      ...(value.source ? { source: value.source } : {}),
      ...(value.param ? { param: value.param } : {}),
    });
    frame.captures.set(outer.id, { outer, inner });
    return inner;
  }

  stored(value: StoredValue): Emitted {
    // What is bound is no parameter of the program.
    if (!this.record.stored.has(value.path) && !this.read.has(value.path)) this.record.stored.set(value.path, value);
    return this.storedIn(value, this.frame);
  }

  private storedIn(value: StoredValue, frame: Frame): GraphValue {
    if (!frame.parent) return this.storedAtTop(value);
    const { repetition } = frame;
    const own = repetition && value.repetitions.some((candidate) => candidate.path === repetition.path);
    if (!own) return this.use(this.storedIn(value, frame.parent), frame);
    const known = frame.stacked.get(value.path);
    if (known) return known.inner;
    const outer = this.storedIn(value, frame.parent);
    if (outer.type.kind !== "tensor") throw new Error("a parameter is a tensor");
    const inner = this.value({ ...outer.type, axes: outer.type.axes.slice(1) }, frame, {
      name: lastName(value.path),
      source: value.span,
      ...(outer.param ? { param: outer.param } : {}),
    });
    frame.stacked.set(value.path, { outer, inner });
    return inner;
  }

  private storedAtTop(value: StoredValue): GraphValue {
    const known = this.read.get(value.path);
    if (known) return known;
    const before = this.frame;
    this.frame = this.top;
    const axes = new Map(storedAxes(value, new Set()).map((axis) => [axis.name, axis.name]));
    const extra = {
      name: lastName(value.path),
      ...(value.kind === "param" ? { param: { path: value.path, axes } } : {}),
    };
    const [made] = this.append(value.kind, [], { path: value.path }, value.span, [], extra);
    this.frame = before;
    this.read.set(value.path, made!);
    return made!;
  }

  bind(path: string, value: Emitted): void {
    this.read.set(path, this.use(value as GraphValue, this.top));
  }

  repetitionKey(): string {
    // Graphs are built anew for every call.
    return "";
  }

  state(state: StoredState): void {
    if (!this.record.states.has(state.path)) this.record.states.set(state.path, state);
  }

  name(value: Emitted, name: string): void {
    const graphValue = value as GraphValue;
    graphValue.name ??= name;
  }

  /** The body of the entry. */
  finish(results: readonly Emitted[]): Region {
    return {
      params: this.top.params.map(plain),
      nodes: this.top.nodes.map(plainNode),
      results: results.map((result) => (result as GraphValue).id),
    };
  }
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function renamedParam(value: GraphValue, attrs: Attrs): GraphValue["param"] {
  if (!value.param) return undefined;
  const from = attrs["from"] as string;
  const axes = new Map(value.param.axes);
  const original = axes.get(from) ?? from;
  axes.delete(from);
  axes.set(attrs["to"] as string, original);
  return { path: value.param.path, axes };
}

function withCounts(name: string, attrs: Attrs, stacked: readonly number[], captures: number): Attrs {
  switch (name) {
    case "mixture":
    case "dispatch": {
      const banks = attrs["banks"] as readonly { readonly experts: Size }[];
      return {
        ...attrs,
        banks: banks.map(({ experts }, index) => ({ experts, params: stacked[index] ?? 0 })),
        captures,
      };
    }
    case "stack":
      return { ...attrs, stacked: stacked[0] ?? 0 };
    default:
      return attrs;
  }
}

function plain(value: GraphValue): Value {
  return { id: value.id, type: value.type, ...(value.name === undefined ? {} : { name: value.name }) };
}

function plainNode(node: DraftNode): Node {
  return { ...node, results: node.results.map(plain) };
}
