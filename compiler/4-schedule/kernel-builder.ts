/**
 * Writes a kernel statement by statement. Registers get the wished name or, when that is taken, one with a number, so a
 * schedule may call the same piece of code twice.
 *
 * @example
 * const k = new KernelBuilder("scale", { doc: "y = 2 x" });
 * const x = k.buffer("x", "f32", "read");
 * const y = k.buffer("y", "f32", "write");
 * const n = k.scalar("n", "i32");
 * const start = k.let("start", mul(block, 1024));
 * k.loop("i", start, min(add(start, 1024), n), 1, (i) => k.store(y, i, mul(k.load(x, i), 2)));
 * const kernel = k.finish();
 */
import type { ScalarMath } from "../ops/types.js";
import { constant, get, type Operand } from "./kernel-expressions.js";
import type { FragmentDeclaration } from "./kernel-fragments.js";
import type {
  BlockBuffer,
  BufferParam,
  Expression,
  FoldOp,
  FragmentOrder,
  FragmentPlace,
  Kernel,
  MemoryType,
  RegisterType,
  ScalarParam,
  Statement,
} from "./kernel-ir.js";
import { scalarMath } from "./kernel-math.js";
import { i32, loadable, loadedElement, registerType, reservedNames, sameType, typeText } from "./kernel-types.js";

/** A buffer that a builder made: of the kernel's parameters or of its blocks. */
export interface BufferHandle {
  readonly name: string;
  readonly element: MemoryType;
}

/** A mutable register. `get` reads it where the expression is evaluated. */
export interface Variable {
  readonly get: Expression;
  set(value: Operand): void;
}

/** A fragment that a builder declared. */
export type Fragment = FragmentDeclaration;

/** Elements of a buffer, for statements of fragments. */
export interface At {
  readonly buffer: BufferHandle;
  readonly index: Operand;
}

/** How a matrix lies there: lines are `stride` elements apart. */
export interface Lines extends At {
  readonly stride: number;
  readonly order: FragmentOrder;
}

/** An open block of statements of a kernel under construction. */
export interface Place {
  readonly place: unique symbol;
}

export interface LoadOptions {
  /** Consecutive elements; 1 when left out. */
  readonly lanes?: number;
  /** What the lanes become; the scalar type of the memory when left out. */
  readonly element?: RegisterType["element"];
  /** Read the bytes as another memory type; the index still counts the buffer's elements. */
  readonly as?: MemoryType;
  /** No f16 element is infinite or NaN. */
  readonly finite?: boolean;
  /** The address is a multiple of the size of the whole vector. */
  readonly aligned?: boolean;
}

const asExpression = (value: Operand, type: RegisterType): Expression =>
  typeof value === "number" ? constant(value, type) : value;

export class KernelBuilder {
  private readonly names = new Map<string, number>(reservedNames.map((word) => [word, 0]));
  private readonly buffers: BufferParam[] = [];
  private readonly scalars: ScalarParam[] = [];
  private readonly blockBuffers: BlockBuffer[] = [];
  private readonly elements = new Map<string, MemoryType>();
  private statements: Statement[] = [];

  constructor(
    readonly name: string,
    private readonly options: { readonly doc: string; readonly threads?: number },
  ) {}

  /** A name that no other register or buffer of this kernel has. */
  private fresh(wish: string): string {
    const base = wish.replace(/[^A-Za-z0-9_]/g, "_");
    let name = base;
    for (let n = this.names.get(base) ?? 0; this.names.has(name); n++) {
      name = `${base}_${n + 1}`;
      this.names.set(base, n + 1);
    }
    this.names.set(name, 0);
    return name;
  }

  /** The next buffer parameter. */
  buffer(wish: string, element: MemoryType, access: BufferParam["access"]): BufferHandle {
    const name = this.fresh(wish);
    this.buffers.push({ name, element, access });
    this.elements.set(name, element);
    return { name, element };
  }

  /** The next scalar parameter. */
  scalar(wish: string, type: "i32" | "f32"): Expression {
    const name = this.fresh(wish);
    this.scalars.push({ name, type });
    return get(name, registerType(type));
  }

  /** Memory of the block: `shared` between its threads or `local` to one of them. */
  blockBuffer(wish: string, element: MemoryType, space: BlockBuffer["space"], length: number): BufferHandle {
    const name = this.fresh(wish);
    this.blockBuffers.push({ name, element, space, length });
    this.elements.set(name, element);
    return { name, element };
  }

  /** An immutable register. Constants need none and are returned as they are. */
  let(wish: string, value: Expression): Expression {
    if (value.kind === "constant" || value.kind === "block" || value.kind === "thread") return value;
    const name = this.fresh(wish);
    this.statements.push({ kind: "let", name, value });
    return get(name, value.type);
  }

  /** A mutable register; a number makes an i32 unless `type` says otherwise. */
  variable(wish: string, value: Operand, type: RegisterType = i32): Variable {
    const name = this.fresh(wish);
    const initial = asExpression(value, type);
    this.statements.push({ kind: "var", name, value: initial });
    return {
      get: get(name, initial.type),
      set: (next) => {
        const expression = asExpression(next, initial.type);
        if (!sameType(expression.type, initial.type)) {
          throw new TypeError(
            `kernel ${this.name}: ${name} is ${typeText(initial.type)}, not ${typeText(expression.type)}`,
          );
        }
        this.statements.push({ kind: "assign", name, value: expression });
      },
    };
  }

  load(buffer: BufferHandle, index: Operand, options: LoadOptions = {}): Expression {
    const memory = options.as ?? buffer.element;
    const type = registerType(options.element ?? loadedElement(memory), options.lanes ?? 1);
    if (!loadable(memory, type.element, type.lanes)) {
      throw new TypeError(`kernel ${this.name}: ${typeText(type)} is not loaded from ${memory} (${buffer.name})`);
    }
    const base = { kind: "load", buffer: buffer.name, index: asExpression(index, i32), type } as const;
    const typed = options.as === undefined || options.as === buffer.element ? base : { ...base, as: options.as };
    const promised = options.finite ? ({ ...typed, finite: true } as const) : typed;
    return options.aligned ? { ...promised, aligned: true } : promised;
  }

  /** Store the lanes of `value` from `index` on; a number takes the scalar type of the memory. */
  store(buffer: BufferHandle, index: Operand, value: Operand, options: { readonly as?: MemoryType } = {}): void {
    const memory = options.as ?? buffer.element;
    const expression = asExpression(value, registerType(loadedElement(memory)));
    if (!loadable(memory, expression.type.element, expression.type.lanes)) {
      throw new TypeError(
        `kernel ${this.name}: ${typeText(expression.type)} is not stored to ${memory} (${buffer.name})`,
      );
    }
    const base = { kind: "store", buffer: buffer.name, index: asExpression(index, i32), value: expression } as const;
    this.statements.push(
      options.as === undefined || options.as === buffer.element ? base : { ...base, as: options.as },
    );
  }

  /** The block of statements that is being written, to which `at` can add more while it is still open. */
  place(): Place {
    return this.statements as unknown as Place;
  }

  /** Write what `body` writes at the end of an open block around the current one: how a schedule hoists out of loops. */
  at<T>(place: Place, body: () => T): T {
    const current = this.statements;
    this.statements = place as unknown as Statement[];
    try {
      return body();
    } finally {
      this.statements = current;
    }
  }

  /** What `body` writes, apart. */
  private nested(body: () => void): readonly Statement[] {
    const outer = this.statements;
    const inner: Statement[] = (this.statements = []);
    try {
      body();
    } finally {
      this.statements = outer;
    }
    return inner;
  }

  /** for (i = from; i < to; i += step). */
  loop(wish: string, from: Operand, to: Operand, step: number, body: (index: Expression) => void): void {
    const name = this.fresh(wish);
    const statements = this.nested(() => body(get(name, i32)));
    this.statements.push({
      kind: "for",
      name,
      from: asExpression(from, i32),
      to: asExpression(to, i32),
      step,
      body: statements,
    });
  }

  ifThen(condition: Expression, then: () => void, otherwise?: () => void): void {
    const yes = this.nested(then);
    const no = otherwise ? this.nested(otherwise) : [];
    this.statements.push({ kind: "if", condition, then: yes, else: no });
  }

  /** All threads of the block wait for each other. */
  barrier(): void {
    this.statements.push({ kind: "barrier" });
  }

  /** Say that the line of memory with an element is read soon. */
  prefetch(buffer: BufferHandle, index: Operand): void {
    this.statements.push({ kind: "prefetch", buffer: buffer.name, index: asExpression(index, i32) });
  }

  /** What all threads of the block bring, folded; waits like a barrier. */
  fold(wish: string, op: FoldOp, value: Expression, across?: number): Expression {
    const name = this.fresh(wish);
    this.statements.push({ kind: "block-fold", name, op, value, ...(across === undefined ? {} : { across }) });
    return get(name, value.type);
  }

  /* ---- matrices in registers ---- */

  /** Zeros; declared anew each time it is passed. */
  fragment(wish: string, shape: Omit<FragmentDeclaration, "name">): Fragment {
    const fragment = { ...shape, name: this.fresh(wish) };
    this.statements.push({ kind: "fragment", ...fragment });
    return fragment;
  }

  private placeOf({ buffer, index }: At): FragmentPlace {
    return { buffer: buffer.name, index: asExpression(index, i32) };
  }

  loadFragment({ name }: Fragment, from: Lines): void {
    const { stride, order } = from;
    this.statements.push({ kind: "fragment-load", fragment: name, ...this.placeOf(from), stride, order });
  }

  storeFragment({ name }: Fragment, to: Lines): void {
    const { stride, order } = to;
    this.statements.push({ kind: "fragment-store", fragment: name, ...this.placeOf(to), stride, order });
  }

  /** sum += left * right. */
  multiplyFragments(sum: Fragment, left: Fragment, right: Fragment): void {
    this.statements.push({ kind: "fragment-multiply", sum: sum.name, left: left.name, right: right.name });
  }

  /** sum[r][c] += part[r][c] * rows[r] * columns[c]. */
  scaleFragment(sum: Fragment, part: Fragment, rows: At, columns: At): void {
    const [own, other] = [this.placeOf(rows), this.placeOf(columns)];
    this.statements.push({ kind: "fragment-scale", sum: sum.name, part: part.name, rows: own, columns: other });
  }

  /** sum[r][c] *= rows[r]. */
  scaleFragmentRows({ name }: Fragment, rows: At): void {
    this.statements.push({ kind: "fragment-scale-rows", sum: name, rows: this.placeOf(rows) });
  }

  /** buffer[index] += value on i32 as one step; the old value when `result` names it. */
  atomicAdd(buffer: BufferHandle, index: Operand, value: Operand, result?: string): Expression | undefined {
    const base = {
      kind: "atomic-add",
      buffer: buffer.name,
      index: asExpression(index, i32),
      value: asExpression(value, i32),
    } as const;
    if (result === undefined) {
      this.statements.push(base);
      return undefined;
    }
    const name = this.fresh(result);
    this.statements.push({ ...base, result: name });
    return get(name, i32);
  }

  /**
   * Scalar formulas as kernel IR on lanes of `element`. Every step becomes a register, so a formula may use a value
   * twice without computing it twice.
   */
  math(element: "f32" | "i32" = "f32", lanes = 1): ScalarMath<Expression> {
    return scalarMath(registerType(element, lanes), (wish, value) => this.let(wish, value));
  }

  finish(): Kernel {
    return {
      name: this.name,
      doc: this.options.doc,
      buffers: this.buffers,
      scalars: this.scalars,
      blockBuffers: this.blockBuffers,
      threads: this.options.threads ?? 1,
      body: this.statements,
    };
  }
}
