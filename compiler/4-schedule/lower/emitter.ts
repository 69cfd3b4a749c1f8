/**
 * Writes one kernel from reads at symbolic coordinates. It keeps track of the loops around the point of writing, puts
 * every value into the outermost block in which its coordinates are known (so that what does not change in a loop is
 * computed before it) and computes nothing twice. In vector mode one loop variable stands for `lanes` neighbours.
 */
import type { Size } from "../../axes/size.js";
import type { Node } from "../../2-graph/ir.js";
import { KernelBuilder, type BufferHandle, type Place } from "../kernel-builder.js";
import {
  add,
  binaryExactly,
  constant,
  div,
  join,
  max,
  min,
  mul,
  rem,
  select,
  sub,
  compare,
  splat,
  thread,
} from "../kernel-expressions.js";
import type { Expression, FoldOp, Kernel, MemoryType, RegisterType } from "../kernel-ir.js";
import { f32, i32, loadedElement, operandsOf, registerType } from "../kernel-types.js";
import type { PlanBufferArg, PlanScalarArg } from "../plan.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import { placeKey, type BufferPlace } from "./storage.js";

interface Scope {
  readonly place: Place;
  readonly known: Map<string, Expression>;
  /** Not all threads of the block need come here, or equally often. */
  readonly diverges: boolean;
}

/** A loop variable that stands for `lanes` neighbouring values from itself on. */
export interface VectorVariable {
  readonly name: string;
  readonly lanes: number;
}

export interface EmittedKernel {
  readonly kernel: Kernel;
  readonly buffers: readonly PlanBufferArg[];
  readonly scalars: readonly PlanScalarArg[];
}

export class Emitter {
  readonly builder: KernelBuilder;
  /** Nodes whose values are computed inside of this kernel. */
  readonly origins = new Set<Node>();
  vector: VectorVariable | undefined;
  /** Values that this kernel has at hand: of tensor number, at coordinates with this text. */
  readonly atHand = new Map<number, { readonly key: string; readonly read: () => Expression }>();
  private scopes: Scope[];
  /** Values may not move out of the innermost guard. */
  private guardDepth = 0;
  private readonly depths = new Map<string, number>();
  private readonly handles = new Map<string, BufferHandle>();
  private readonly bufferArgs: PlanBufferArg[] = [];
  /** Registers that hold the same in all threads of a block. */
  private readonly uniform = new Set<string>();
  private readonly sizeNames = new Map<string, Expression>();
  private readonly scalarArgs: PlanScalarArg[] = [];

  /**
   * @param lanes f32 lanes of the target's vectors.
   * @param threads Threads of a block; more than one on GPUs only.
   * @param requireCountable Throws for a buffer with more elements than kernels count.
   */
  constructor(
    name: string,
    doc: string,
    readonly lanes: number,
    readonly threads = 1,
    private readonly requireCountable?: (buffer: string, element: MemoryType) => void,
  ) {
    this.builder = new KernelBuilder(name, { doc, threads });
    this.scopes = [{ place: this.builder.place(), known: new Map(), diverges: false }];
  }

  /* ---- parameters ---- */

  buffer(place: BufferPlace, element: MemoryType, access: "read" | "write" | "readwrite"): BufferHandle {
    const key = `${access}|${element}|${placeKey(place)}`;
    const known = this.handles.get(key);
    if (known) return known;
    this.requireCountable?.(place.buffer, element);
    const handle = this.builder.buffer(access === "write" ? "out" : "in", element, access);
    this.handles.set(key, handle);
    this.bufferArgs.push({ buffer: place.buffer, offset: place.offset.key, strides: place.strides });
    return handle;
  }

  /** A run-time size: a scalar parameter of the kernel. */
  private sizeName(name: string): Expression {
    const known = this.sizeNames.get(name);
    if (known) return known;
    const parameter = this.builder.scalar(name, "i32");
    this.sizeNames.set(name, parameter);
    this.uniform.add((parameter as Expression & { kind: "get" }).name);
    this.scalarArgs.push({ type: "i32", value: name });
    return parameter;
  }

  size(size: Size): Expression {
    const number = size.constant;
    if (number !== undefined) return constant(number);
    return this.once([], `size ${size.key}`, () =>
      size.interpret<Expression>({
        constant: (value) => constant(value),
        name: (name) => this.sizeName(name),
        add,
        multiply: mul,
        ceil: (a, b) => div(sub(add(a, b), 1), b),
        floor: div,
        min,
        max,
      }),
    );
  }

  /* ---- blocks ---- */

  private get depth(): number {
    return this.scopes.length - 1;
  }

  private inside<T>(diverges: boolean, body: () => T): T {
    this.scopes.push({ place: this.builder.place(), known: new Map(), diverges });
    try {
      return body();
    } finally {
      this.scopes.pop();
    }
  }

  /** A counted loop; the variable is at least zero and below `extent`. */
  loop(
    wish: string,
    from: Expression | number,
    to: Expression | number,
    step: number,
    extent: Size | undefined,
    body: (at: Coordinate, register: Expression) => void,
  ): void {
    const isEven = [from, to].every((bound) => typeof bound === "number" || this.isUniform(bound));
    this.builder.loop(wish, from, to, step, (register) => {
      this.inside(!isEven, () => {
        const name = (register as Expression & { kind: "get" }).name;
        this.depths.set(name, this.depth);
        if (isEven) this.uniform.add(name);
        body(Coordinate.variable(name, extent), register);
      });
    });
  }

  /* ---- threads of a block ---- */

  /** A loop whose turns the threads of the block share: each takes one in `threads`. */
  threadLoop(
    wish: string,
    to: Expression | number,
    extent: Size | undefined,
    body: (at: Coordinate, register: Expression) => void,
  ): void {
    this.loop(wish, this.threads === 1 ? 0 : thread, to, this.threads, extent, body);
  }

  /** What is read inside is each thread's own: threads have different coordinates, so they do not reduce together. */
  apart(body: () => void): void {
    this.inside(true, body);
  }

  /** True where all threads of the block pass, equally often: here they may meet. */
  get isTogether(): boolean {
    return this.threads > 1 && this.scopes.every((scope) => !scope.diverges);
  }

  /** True when all threads surely have the same value, so that a loop or a branch by it keeps them together. */
  isUniform(value: Expression): boolean {
    if (value.kind === "thread" || value.kind === "load") return false;
    if (value.kind === "get") return this.uniform.has(value.name);
    return operandsOf(value).every((operand) => this.isUniform(operand));
  }

  /** `builder.let`, remembered as uniform when it is. */
  let(wish: string, value: Expression): Expression {
    const register = this.builder.let(wish, value);
    if (register.kind === "get" && this.isUniform(value)) this.uniform.add(register.name);
    return register;
  }

  /** All threads wait for each other; one alone has nobody to wait for. */
  meet(): void {
    if (this.threads > 1) this.builder.barrier();
  }

  /** What all threads bring, folded; `first` is uniform. Only where `isTogether`. */
  fold(wish: string, op: FoldOp, value: Expression): Expression {
    const register = this.builder.fold(wish, op, value);
    if (op === "first") this.uniform.add((register as Expression & { kind: "get" }).name);
    return register;
  }

  /** A branch out of which nothing is hoisted. */
  guard(condition: Expression, body: () => void, otherwise?: () => void): void {
    const isEven = this.isUniform(condition);
    const branch = (write: () => void) => (): void => {
      const outer = this.guardDepth;
      this.inside(!isEven, () => {
        this.guardDepth = this.depth;
        try {
          write();
        } finally {
          this.guardDepth = outer;
        }
      });
    };
    this.builder.ifThen(condition, branch(body), otherwise && branch(otherwise));
  }

  /** Write here, also what seems to depend on no variable. */
  here<T>(body: () => T): T {
    const outer = this.guardDepth;
    this.guardDepth = this.depth;
    try {
      return body();
    } finally {
      this.guardDepth = outer;
    }
  }

  /** Write at the outermost block in which all of `variables` are known; what is open further inside stays open. */
  hoisted<T>(variables: Iterable<string>, body: () => T): T {
    const depth = this.depthOf(variables);
    const inner = this.scopes.splice(depth + 1);
    try {
      return this.builder.at(this.scopes[depth]!.place, body);
    } finally {
      this.scopes.push(...inner);
    }
  }

  private depthOf(variables: Iterable<string>): number {
    let depth = this.guardDepth;
    for (const name of variables) depth = Math.max(depth, this.depths.get(name) ?? 0);
    return depth;
  }

  /** The register with this value, made where its variables are known and only once there. */
  once(variables: Iterable<string>, key: string, make: () => Expression, wish = "v"): Expression {
    const names = [...variables];
    const depth = this.depthOf(names);
    const scope = this.scopes[depth]!;
    const full = this.vector && names.includes(this.vector.name) ? `${key} x${this.vector.lanes}` : key;
    // A guard keeps new values inside; what was computed before it is good inside as well.
    for (const { known } of this.scopes.slice(0, depth + 1)) {
      const value = known.get(full);
      if (value) return value;
    }
    const value = this.hoisted(names, () => this.let(wish, make()));
    scope.known.set(full, value);
    return value;
  }

  /** A number that was computed, as a variable of coordinates. */
  variable(value: Expression, variables: Iterable<string>, extent?: Size): Coordinate {
    if (value.kind === "constant") return Coordinate.number(value.value);
    const depth = this.depthOf(variables);
    // A register is needed even for what `let` hands back as it is, like the number of the block.
    const computed = value.kind === "block" ? binaryExactly("add", value, constant(0)) : value;
    const register = value.kind === "get" ? value : this.hoisted(variables, () => this.let("at", computed));
    const name = (register as Expression & { kind: "get" }).name;
    if (!this.depths.has(name)) this.depths.set(name, Math.max(depth, 0));
    return Coordinate.variable(name, extent);
  }

  /* ---- coordinates ---- */

  /** The number (in vector mode: of the first lane). Parts that do not change in inner loops are summed before them. */
  index(at: Coordinate): Expression {
    const byDepth = new Map<number, [Coordinate, readonly string[]]>();
    for (const [key, term] of at.terms) {
      const single = Coordinate.zero.withTerm(key, term);
      const names = [...single.variables];
      const depth = this.depthOf(names);
      const [sum, before] = byDepth.get(depth) ?? [Coordinate.zero, []];
      byDepth.set(depth, [sum.plus(single), [...before, ...names]]);
    }
    let sum: Coordinate = Coordinate.size(at.constant);
    let value = this.size(at.constant);
    const names: string[] = [];
    for (const depth of [...byDepth.keys()].sort((a, b) => a - b)) {
      const [part, partNames] = byDepth.get(depth)!;
      names.push(...partNames);
      const before = value;
      sum = sum.plus(part);
      const outer = this.vector;
      this.vector = undefined;
      value = this.once(names, `index ${sum.key}`, () => this.terms(part, before), "i");
      this.vector = outer;
    }
    return value;
  }

  private terms(part: Coordinate, before: Expression): Expression {
    let value = before;
    for (const { atom, coefficient } of part.terms.values()) {
      const number =
        atom.kind === "variable"
          ? ({ kind: "get", name: atom.name, type: i32 } as const)
          : atom.kind === "quotient"
            ? div(this.index(atom.of), this.size(atom.by))
            : rem(this.index(atom.of), this.size(atom.by));
      value = add(value, mul(number, this.size(coefficient)));
    }
    return value;
  }

  /** The number as a value: in vector mode one for each lane. */
  number(at: Coordinate): Expression {
    const { vector } = this;
    if (!vector || !at.mentions(vector.name)) return this.index(at);
    const slope = at.slope(vector.name, vector.lanes)?.constant;
    if (slope === undefined) return this.lanewise(new Map([["", at]]), (lane) => this.index(lane.get("")!));
    const steps = join(Array.from({ length: vector.lanes }, (_, lane) => constant(lane * slope)));
    return this.once(at.variables, `number ${at.key}`, () => add(splat(this.index(at), vector.lanes), steps));
  }

  /** Compute each lane apart and join them; one scalar when the coordinates do not depend on the lane. */
  lanewise(at: Coordinates, body: (at: Coordinates) => Expression): Expression {
    const { vector } = this;
    if (!vector || ![...at.values()].some((coordinate) => coordinate.mentions(vector.name))) {
      return this.scalar(() => body(at));
    }
    const base = Coordinate.variable(vector.name);
    const lanes = Array.from({ length: vector.lanes }, (_, lane) => {
      const shifted = new Map(
        [...at].map(([axis, c]) => [axis, c.substitute(vector.name, base.plus(Coordinate.number(lane)))]),
      );
      return this.scalar(() => body(shifted));
    });
    return lanes[0]!.type.element === "bool"
      ? compare("ne", join(lanes.map((lane) => select(lane, constant(1), constant(0)))), 0)
      : join(lanes);
  }

  /** Out of vector mode. */
  scalar<T>(body: () => T): T {
    return this.withVector(undefined, body);
  }

  withVector<T>(vector: VectorVariable | undefined, body: () => T): T {
    const outer = this.vector;
    this.vector = vector;
    try {
      return body();
    } finally {
      this.vector = outer;
    }
  }

  /** An element, or in vector mode the lanes. Registers of memory that this kernel writes must not be read so. */
  load(buffer: BufferHandle, at: Coordinate): Expression {
    const { vector } = this;
    const element: RegisterType["element"] = loadedElement(buffer.element);
    const key = `load ${buffer.name} ${at.key}`;
    if (!vector || !at.mentions(vector.name)) {
      return this.once(at.variables, key, () => this.builder.load(buffer, this.index(at)), "x");
    }
    if (at.slope(vector.name, vector.lanes)?.constant === 1) {
      const options = { lanes: vector.lanes, element };
      return this.once(at.variables, key, () => this.builder.load(buffer, this.index(at), options), "x");
    }
    return this.once(
      at.variables,
      key,
      () => this.lanewise(new Map([["", at]]), (lane) => this.load(buffer, lane.get("")!)),
      "x",
    );
  }

  finish(): EmittedKernel {
    return { kernel: this.builder.finish(), buffers: this.bufferArgs, scalars: this.scalarArgs };
  }
}

/** The f32 or i32 register type with the lanes of the current mode. */
export function modeType(emitter: Emitter, element: "f32" | "i32" = "f32"): RegisterType {
  return registerType(element === "f32" ? f32.element : i32.element, emitter.vector?.lanes ?? 1);
}
