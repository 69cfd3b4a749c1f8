/** What all entry points of a program share while they are lowered: kernels, buffers, weights, states, bounds. */
import { Size } from "../../axes/size.js";
import type { ParamDecl, Program, StateDecl, StorageType } from "../../2-graph/ir.js";
import type { DType } from "../../ops/types.js";
import { kernelHash, sameKernel } from "../kernel-identity.js";
import type { Kernel, MemoryType } from "../kernel-ir.js";
import { memoryBytes } from "../kernel-types.js";
import { blockElements } from "../micro/layouts.js";
import { isMatrix, weightLayout, type WeightLayout } from "../layout/layouts.js";
import { usesWideTiles } from "../layout/wide.js";
import { isGpu, type Target } from "../../targets/index.js";
import type { ScheduleOptions } from "../options.js";
import type { MemorySpace, PlanPort, PlanState, PlanWeight } from "../plan.js";
import type { MatrixUse } from "../layout/matrix-uses.js";
import { refuse } from "../refusal.js";
import { SketchedKernels } from "./product-sketch.js";
import { atStart, lineNumbers, type StoredFormat, storedBytes } from "./storage.js";
import { elements, rowMajor, Stored, type Tensor, type TensorAxis } from "./tensor.js";
import { Weight } from "./weight.js";

/** A buffer before the memory plan has given it an offset. */
export interface WantedBuffer {
  readonly id: string;
  readonly space: MemorySpace;
  readonly bytes: number;
  /** Entry point in which it lives; undefined when it outlives calls. */
  readonly entry?: string;
  /** Keeps its content to the end of the call. */
  readonly pinned: boolean;
}

export const bytesOf: Readonly<Record<DType, number>> = { f32: 4, i32: 4, bool: 4 };

export function memoryElement(dtype: DType): "f32" | "i32" {
  return dtype === "f32" ? "f32" : "i32";
}

/** The highest index of a kernel. */
const MOST_COUNTED = 2 ** 31 - 1;

export function alignTo64(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Bytes of so many numbers of one layer: whole lines and, of blocks, whole blocks. */
function layerBytesOf(format: StoredFormat, count: number): number {
  const numbers = format === "q8_0" ? Math.ceil(count / lineNumbers) * lineNumbers : count;
  return alignTo64(numbers * storedBytes[format]);
}

/** Positions of one head next to each other: attention walks along them, head by head. */
function byHead([positions, ...rest]: readonly TensorAxis[]): readonly TensorAxis[] {
  return [...rest.slice(0, -1), positions!, ...rest.slice(-1)];
}

/** How the positions of a cache lie, when its axes are in this order. */
function runsOf(
  { kind }: StateDecl,
  order: readonly TensorAxis[],
  element: number,
): Pick<PlanState, "positionBytes" | "runs" | "runStride"> {
  if (kind === "fixed") return { positionBytes: 0, runs: 1, runStride: 0 };
  const [positions, ...inner] = order.slice(-2);
  const positionBytes = elements(inner).constant! * element;
  const runStride = elements([positions!]).constant! * positionBytes;
  return { positionBytes, runs: elements(order.slice(0, -2)).constant!, runStride };
}

export class ProgramLowering {
  readonly kernels: Kernel[] = [];
  readonly buffers: WantedBuffer[] = [];
  readonly weights = new Map<string, PlanWeight>();
  readonly states = new Map<string, PlanState>();
  readonly knobs = new Map<string, PlanPort>();
  /** Bytes that a kernel sees of each buffer: one layer of those that have layers. */
  private readonly seen = new Map<string, number>();
  /** Kernels of products by what decides them. */
  readonly sketched = new SketchedKernels();
  private readonly kernelsByHash = new Map<number, readonly Kernel[]>();
  private readonly layouts = new Map<string, WeightLayout>();
  private count = 0;
  /** Most tokens of a call of the entry that is lowered. */
  tokens: number;

  constructor(
    readonly program: Program,
    readonly target: Target,
    readonly options: ScheduleOptions,
    /** Parameters that are matrices of products: what a packed layout is chosen for. */
    private readonly matrices: ReadonlyMap<string, MatrixUse>,
  ) {
    this.tokens = options.limits.T;
  }

  /** The largest value of a size within the limits of the build; sizes only grow with their names. */
  bound(size: Size): number {
    const { context } = this.options.limits;
    const at = (tokens: number): number => {
      const values: Record<string, number> = {};
      for (const name of size.names) {
        values[name] =
          name === "past"
            ? Math.max(0, context - tokens)
            : name === "T"
              ? tokens
              : (this.options.limits[name] ?? tokens);
      }
      return size.evaluate(values);
    };
    return Math.max(0, at(this.tokens), at(0));
  }

  buffer(wish: string, space: MemorySpace, bytes: number, options: { entry?: string; pinned?: boolean } = {}): string {
    const id = space === "arena" ? `${wish}.${this.count++}` : wish;
    const whole = Math.max(64, alignTo64(bytes));
    this.seen.set(id, whole);
    this.buffers.push({
      id,
      space,
      bytes: whole,
      pinned: options.pinned ?? false,
      ...(options.entry === undefined ? {} : { entry: options.entry }),
    });
    return id;
  }

  /**
   * Kernels count what they see of a buffer in signed numbers of 32 bits. WebAssembly's addresses wrap as those do, so all
   * bytes of its memory are found.
   */
  requireCountable(buffer: string, element: MemoryType): void {
    const bytes = this.seen.get(buffer) ?? 0;
    const count = bytes / memoryBytes[element];
    const { family, name } = this.target;
    if (count <= MOST_COUNTED || (family === "wasm" && memoryBytes[element] === 1)) return;
    const slots = { buffer, bytes: `${bytes}`, count: `${count}`, element, target: name, most: `${MOST_COUNTED}` };
    const help =
      family === "wasm"
        ? "It does not fit into the 4 GiB of a WebAssembly memory either."
        : "Fewer bits per number, such as `--quantization q4_0`, or fewer or smaller experts make it fit.";
    refuse("MOE3305", slots, undefined, help);
  }

  isPinned(id: string): boolean {
    return this.buffers.some((buffer) => buffer.id === id && buffer.pinned);
  }

  /** Keep a kernel; one that does the same under another name is used in its stead. */
  keep(kernel: Kernel): string {
    const hash = kernelHash(kernel);
    const alike = this.kernelsByHash.get(hash) ?? [];
    const known = alike.find((other) => sameKernel(other, kernel));
    if (known) return known.name;
    const base = kernel.name.replace(/[^A-Za-z0-9_]/g, "_");
    const name = `${base}_${this.kernels.length}`;
    const kept = { ...kernel, name };
    this.kernelsByHash.set(hash, [...alike, kept]);
    this.kernels.push(kept);
    return name;
  }

  param(path: string): Tensor {
    const decl = this.program.params.find((param) => param.path === path);
    if (!decl) throw new RangeError(`no parameter ${path}`);
    const layout = this.layoutOf(decl);
    const id = `weights:${path}`;
    if (!this.weights.has(path)) this.addWeight(decl, layout, id);
    return new Weight(decl.dtype, decl.axes, atStart(id), layout, decl.layerAxes, path).simplified();
  }

  private storageOf(decl: ParamDecl): StorageType {
    return decl.dtype === "i32" ? "i32" : (decl.storage ?? this.options.storage?.(decl) ?? "f32");
  }

  private layoutOf(decl: ParamDecl): WeightLayout {
    const known = this.layouts.get(decl.path);
    if (known) return known;
    const axes = decl.axes.map((axis) => ({ name: axis.name, size: this.fixed(axis.size, decl.path) }));
    const layout = weightLayout(
      this.storageOf(decl),
      axes.slice(decl.layerAxes),
      this.matrices.get(decl.path),
      decl.path,
      usesWideTiles(this.target),
    );
    this.layouts.set(decl.path, layout);
    return layout;
  }

  private addWeight(decl: ParamDecl, layout: WeightLayout, buffer: string): void {
    const axes = decl.axes.map((axis) => ({ name: axis.name, size: this.fixed(axis.size, decl.path) }));
    const layers = axes.slice(0, decl.layerAxes).reduce((product, axis) => product * axis.size, 1);
    this.buffer(buffer, "weights", layers * layout.layerBytes);
    this.seen.set(buffer, layout.layerBytes);
    this.weights.set(decl.path, {
      buffer,
      path: decl.path,
      storage: layout.storage,
      layout: layout.name,
      ...(isMatrix(layout) ? { matrix: this.matrices.get(decl.path)! } : {}),
      axes,
      layerAxes: decl.layerAxes,
      layerStride: decl.layerAxes === 0 ? 0 : layout.layerBytes,
    });
  }

  private fixed(size: Size, path: string): number {
    return size.constant ?? refuse("MOE3303", { what: `parameter ${path}`, size: size.key });
  }

  state(path: string): StateDecl {
    const decl = this.program.states.find((state) => state.path === path);
    if (!decl) throw new RangeError(`no state ${path}`);
    return decl;
  }

  /** The memory of a state, layer axes first. A cache has room for the whole context. */
  stateMemory(path: string): Stored {
    const decl = this.state(path);
    const own = decl.axes.slice(decl.layerAxes);
    const axes: readonly TensorAxis[] = own.map((axis, index) => ({
      name: axis.name,
      size:
        decl.kind === "cache" && index === 0
          ? Size.of(this.options.limits.context)
          : Size.of(this.fixed(axis.size, `state ${path}`)),
    }));
    const order = decl.kind === "cache" ? byHead(axes) : axes;
    const format = this.stateFormat(decl, axes);
    const element = storedBytes[format];
    const layerBytes = layerBytesOf(format, elements(axes).constant!);
    const layers = decl.axes.slice(0, decl.layerAxes);
    const id = `state:${path}`;
    if (!this.states.has(path)) {
      const count = layers.reduce((product, axis) => product * this.fixed(axis.size, path), 1);
      this.buffer(id, "state", count * layerBytes);
      this.seen.set(id, layerBytes);
      this.states.set(path, {
        buffer: id,
        path,
        kind: decl.kind,
        dtype: decl.dtype,
        init: decl.init,
        ...runsOf(decl, order, element),
        layers: count,
        layerStride: decl.layerAxes === 0 ? 0 : layerBytes,
      });
    }
    const strides = new Map(rowMajor(order));
    let step = Size.of(layerBytes / element);
    for (const axis of [...layers].reverse()) {
      strides.set(axis.name, step);
      step = step.times(axis.size);
    }
    return new Stored(decl.dtype, [...layers, ...axes], atStart(id), format, strides);
  }

  /** How the numbers of a state are stored. Throws MOE3351 and MOE3352 for blocks that are not possible. */
  private stateFormat({ path, kind, dtype }: StateDecl, axes: readonly TensorAxis[]): StoredFormat {
    const { cache = "f32" } = this.options;
    if (kind !== "cache" || dtype !== "f32") return memoryElement(dtype);
    if (cache !== "q8_0") return cache;
    const slots = { path, storage: cache };
    if (isGpu(this.target)) return refuse("MOE3352", { ...slots, target: this.target.name });
    const last = axes.at(-1)!;
    const size = last.size.constant!;
    // The positions themselves are no axis for blocks: they come one by one.
    if (axes.length > 1 && size % blockElements === 0) return cache;
    return refuse("MOE3351", { ...slots, axis: last.name, size: `${size}`, block: `${blockElements}` });
  }

  knob(path: string): Stored {
    const decl = this.program.knobs.find((knob) => knob.path === path);
    if (!decl) throw new RangeError(`no knob ${path}`);
    const id = `knob:${path}`;
    if (!this.knobs.has(path)) {
      this.buffer(id, "io", this.fixed(elements(decl.axes), `knob ${path}`) * bytesOf[decl.dtype]);
      this.knobs.set(path, {
        name: path,
        dtype: decl.dtype,
        axes: decl.axes.map((axis) => ({ name: axis.name, size: axis.size.key })),
        buffer: id,
      });
    }
    return new Stored(decl.dtype, decl.axes, atStart(id), memoryElement(decl.dtype), rowMajor(decl.axes));
  }
}
