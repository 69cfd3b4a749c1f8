/** One entry point while it is lowered: its steps so far, the loops it is in, memory for what must lie somewhere. */
import { indexVectors } from "../../axes/index-vectors.js";
import { Size } from "../../axes/size.js";
import { layerName, namesLayers } from "../../1-check/layer-names.js";
import type { Entry, Node } from "../../2-graph/ir.js";
import type { DType } from "../../ops/types.js";
import { lanesOf } from "../../targets/index.js";
import type { Driver, PlanStep, PlanTrace } from "../plan.js";
import { refuse } from "../refusal.js";
import { Emitter, type EmittedKernel } from "./emitter.js";
import { writeJoined } from "./gathering.js";
import { writeNest } from "./nest.js";
import { alignTo64, bytesOf, memoryElement, type ProgramLowering } from "./program-lowering.js";
import { slotAxis, type Routes } from "./routes.js";
import { atStart } from "./storage.js";
import { elements, liesAs, rowMajor, Stored, type Tensor, type TensorAxis } from "./tensor.js";

export interface LoopFrame {
  readonly name: string;
  readonly stack: string;
  /** Turns; where only a call knows the number, those of the largest call. */
  readonly count: number;
  /** The number of turns of a call, when it is not `count`. */
  readonly turns?: Size;
  /** Turns are the texts of the call. */
  readonly texts?: true;
}

export class EntryLowering {
  readonly steps: PlanStep[] = [];
  readonly traces: PlanTrace[] = [];
  readonly loops: LoopFrame[] = [];
  private open: PlanStep[] = this.steps;
  private readonly blocks: Map<string, unknown>[] = [new Map<string, unknown>()];
  private readonly loopNames = new Map<string, number>();
  /** The node being lowered: what kernels are labelled with. */
  node: Node | undefined;

  constructor(
    private readonly entry: Pick<Entry, "name" | "derived">,
    readonly program: ProgramLowering,
  ) {}

  get name(): string {
    return this.entry.name;
  }

  get lanes(): number {
    return lanesOf(this.program.target, 32);
  }

  get label(): string {
    const named = this.node?.results.find((result) => result.name !== undefined)?.name;
    const op = this.node?.op ?? "copy";
    return named === undefined ? op : `${op} ${named}`;
  }

  /** Kernels of `body` are labelled with this node. */
  during<T>(node: Node | undefined, body: () => T): T {
    const outer = this.node;
    this.node = node;
    try {
      return body();
    } finally {
      this.node = outer;
    }
  }

  /** @param threads Of a block. */
  emitter(kind: string, doc?: string, threads = 1): Emitter {
    return new Emitter(kind, doc ?? this.label, this.lanes, threads, (buffer, element) =>
      this.program.requireCountable(buffer, element),
    );
  }

  /**
   * @param on Where the launch runs: one of two ways to write the same values; everywhere when left out.
   * @returns Name of the kernel.
   */
  launch(emitter: Emitter, grid: Size, on?: Driver): string {
    const emitted = emitter.finish();
    const name = this.program.keep(emitted.kernel);
    this.launchKept(name, emitted, emitter.origins, grid, on);
    return name;
  }

  /** Launch a kernel that is kept with these arguments, for values of the nodes `origins`. */
  launchKept(
    kernel: string,
    { buffers, scalars }: Pick<EmittedKernel, "buffers" | "scalars">,
    origins: Iterable<Node>,
    grid: Size,
    on?: Driver,
  ): void {
    const { label } = this;
    this.program.options.onLaunch?.(kernel, [...(this.node ? [this.node] : []), ...origins]);
    // Turns that this call does not have: no blocks.
    const isOpen = ({ name, turns }: LoopFrame): Size =>
      turns ? turns.minus(Size.of(name)).max(Size.zero).min(Size.one) : Size.one;
    const blocks = this.loops.reduce((blocks, loop) => blocks.times(isOpen(loop)), grid);
    this.open.push({ kind: "launch", kernel, grid: blocks.key, buffers, scalars, label, ...(on ? { on } : {}) });
  }

  /** What was computed at this place or before it in the blocks around, by key. */
  remembered<T>(key: string, make: () => T): T {
    for (const block of this.blocks) {
      const known = block.get(key);
      if (known !== undefined) return known as T;
    }
    const value = make();
    this.blocks.at(-1)!.set(key, value);
    return value;
  }

  /** Memory of this call for a tensor of these axes, row-major. */
  allocate(wish: string, dtype: DType, axes: readonly TensorAxis[], options: { pinned?: boolean } = {}): Stored {
    return this.memory(wish, dtype, axes, this.program.bound(elements(axes)) * bytesOf[dtype], options);
  }

  /** The same in memory of so many bytes. */
  memory(
    wish: string,
    dtype: DType,
    axes: readonly TensorAxis[],
    bytes: number,
    options: { pinned?: boolean } = {},
  ): Stored {
    const id = this.program.buffer(`${this.name}.${wish}`, "arena", bytes, { entry: this.name, ...options });
    return new Stored(dtype, axes, atStart(id), memoryElement(dtype), rowMajor(axes));
  }

  /** Memory that keeps its content to the end of the call, apart for each turn of the loops around. */
  pinned(wish: string, dtype: DType, axes: readonly TensorAxis[]): Stored {
    const layer = alignTo64(this.program.bound(elements(axes)) * bytesOf[dtype]);
    const layers = this.loops.reduce((count, loop) => count * loop.count, 1);
    const options = { entry: this.name, pinned: true };
    const id = this.program.buffer(`${this.name}.${wish}`, "arena", layers * layer, options);
    const strides: Record<string, number> = {};
    let step = layer;
    for (const loop of [...this.loops].reverse()) {
      strides[loop.name] = step;
      step *= loop.count;
    }
    return new Stored(dtype, axes, { buffer: id, offset: Size.zero, strides }, memoryElement(dtype), rowMajor(axes));
  }

  /** Put a tensor into memory: new memory in the order of its axes (those with a live count first), or `into`. */
  store(source: Tensor, into?: Stored): Stored {
    const live = source.axes.filter((axis) => axis.live);
    const axes = [...live, ...source.axes.filter((axis) => !axis.live)];
    const target = into ?? this.allocate(this.node?.op ?? "value", source.dtype, axes);
    if (!writeJoined(source, target)) writeNest(this, source, target);
    return target;
  }

  /** A name for a loop that no other loop of this entry has. */
  freshLoop(wish: string): string {
    const count = (this.loopNames.get(wish) ?? 0) + 1;
    this.loopNames.set(wish, count);
    return count === 1 ? wish : `${wish}.${count}`;
  }

  /** Keep the routes of a mixture to the end of the call, where a trace finds them. */
  trace(routes: Routes, node: Node): void {
    // A trace has a place for each token of a layer, not for each text.
    if (this.loops.some(({ texts }) => texts)) return;
    // Rows are what a call decides the number of; further axes (heads that route for themselves, say) are more places of
    // a row.
    const isOpen = ({ size }: TensorAxis): boolean => size.constant === undefined;
    const open = routes.tokens.filter(isOpen);
    const axes = [...open, ...routes.tokens.filter((axis) => !isOpen(axis))];
    const slots = [...axes.slice(open.length), { name: slotAxis, size: routes.slots }];
    const places = elements(slots).constant;
    if (places === undefined) {
      refuse("MOE3371", { size: routes.slots.toString(), target: this.program.target.name }, node.span);
    }
    const [index, weight] = [routes.index, routes.weight].map((value) => this.kept(value, [...open, ...slots]));
    const innermost = this.loops.at(-1);
    const layers = this.loops.reduce((count, loop) => count * loop.count, 1);
    const label = this.traceLabel(node);
    this.traces.push({
      label,
      ...this.layerNames(node, label),
      ...(innermost ? { loop: innermost.name } : {}),
      layers,
      layerStride: innermost ? (index!.place.strides[innermost.name] ?? 0) : 0,
      experts: routes.experts.size.constant ?? 0,
      axes: axes.map(({ name }) => name),
      rows: elements(open).toString(),
      slots: places,
      index: index!.place.buffer,
      weight: weight!.place.buffer,
    });
  }

  /** The path of the experts; one that is asked twice is numbered from its second time on. */
  private traceLabel({ attrs, op }: Node): string {
    // Entries that were derived from one have the routes of that one.
    const own = typeof attrs.bank === "string" ? attrs.bank : `${this.entry.derived?.from ?? this.name}.${op}`;
    const labels = new Set(this.traces.map(({ label }) => label));
    let label = own;
    for (let time = 2; labels.has(label); time++) label = `${own}#${time}`;
    return label;
  }

  /** The names of the layers, where each loop around is a stack that numbers them. */
  private layerNames({ attrs }: Node, label: string): Pick<PlanTrace, "names"> {
    const { layers: pattern, bank } = attrs;
    if (typeof pattern !== "string" || typeof bank !== "string" || !namesLayers(pattern, this.loops.length)) return {};
    // `#2` of a bank that is asked twice.
    const time = label.slice(bank.length);
    const turns = indexVectors(this.loops.map(({ count }) => count));
    return { names: turns.map((turn) => `${layerName(pattern, turn)}${time}`) };
  }

  /** A tensor row by row along `axes`, in memory that keeps its content to the end of the call. */
  private kept(value: Tensor, axes: readonly TensorAxis[]): Stored {
    const { stored } = value;
    if (stored && this.program.isPinned(stored.place.buffer) && liesAs(stored, axes)) return stored;
    return this.store(value, this.pinned("route", value.dtype, axes));
  }

  /** Run `body` for each layer; steps written inside belong to the loop. */
  loop(frame: LoopFrame, body: () => void): void {
    const outer = this.open;
    const steps: PlanStep[] = (this.open = []);
    this.loops.push(frame);
    this.blocks.push(new Map());
    try {
      body();
    } finally {
      this.open = outer;
      this.loops.pop();
      this.blocks.pop();
    }
    const texts = frame.texts ? ({ texts: true } as const) : {};
    this.open.push({ kind: "loop", name: frame.name, count: frame.count, ...texts, steps });
  }
}
