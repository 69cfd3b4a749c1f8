/**
 * Well-typed random kernels over one fixed set of buffers, for differential tests. A tape of numbers makes the choices,
 * so that fast-check shrinks a failing kernel by shrinking its tape.
 */
import { KernelBuilder, type BufferHandle, type Variable } from "../../compiler/4-schedule/kernel-builder.js";
import * as e from "../../compiler/4-schedule/kernel-expressions.js";
import type {
  BinaryOp,
  Expression,
  Kernel,
  MemoryType,
  RegisterType,
  UnaryOp,
} from "../../compiler/4-schedule/kernel-ir.js";
import { registerType } from "../../compiler/4-schedule/kernel-types.js";

/** Elements of every buffer; indices stay in 0..47, which leaves room for 16 lanes. */
export const bufferLength = 64;
export const bufferTypes: readonly MemoryType[] = ["f32", "f16", "bf16", "i32", "i16", "i8", "u8"];

export interface RandomOptions {
  /** Leave fma out, where the target may round once. */
  readonly fma: boolean;
  /** Vectors of 128 bits. */
  readonly vectors: boolean;
}

class Tape {
  private at = 0;
  constructor(private readonly numbers: readonly number[]) {}

  /** 0 when the tape has ended: the first choice is always the simplest. */
  next(count: number): number {
    const number = this.numbers[this.at++] ?? 0;
    return number % count;
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.next(choices.length)]!;
  }
  get ended(): boolean {
    return this.at >= this.numbers.length;
  }
}

const scalarTypes: readonly RegisterType[] = [registerType("f32"), registerType("i32"), registerType("bool")];
const vectorTypes: readonly RegisterType[] = [
  registerType("f32", 4),
  registerType("i32", 4),
  registerType("i16", 8),
  registerType("i8", 16),
  registerType("bool", 4),
  registerType("bool", 8),
  registerType("bool", 16),
];
const text = (type: RegisterType): string => `${type.element}x${type.lanes}`;

class Generator {
  readonly k = new KernelBuilder("random", { doc: "made from a tape" });
  private readonly buffers = new Map<MemoryType, BufferHandle>();
  /** Registers in sight, innermost scope last. */
  private scopes: Expression[][] = [[]];
  private variables: Variable[][] = [[]];
  /** Loop variables whose range is 0..7. */
  private loops: Expression[] = [];

  constructor(
    private readonly tape: Tape,
    private readonly options: RandomOptions,
  ) {
    for (const type of bufferTypes) this.buffers.set(type, this.k.buffer(type, type, "readwrite"));
    this.scopes[0]!.push(this.k.scalar("n", "i32"), this.k.scalar("s", "f32"), e.block);
  }

  private buffer(type: MemoryType): BufferHandle {
    return this.buffers.get(type)!;
  }

  private type(): RegisterType {
    return this.tape.pick(this.options.vectors ? [...scalarTypes, ...vectorTypes] : scalarTypes);
  }

  /** An index in 0..47, linear in a loop variable where there is one. */
  private index(depth: number): Expression {
    const loop = this.loops.at(-1);
    if (loop && this.tape.next(3) > 0) {
      const offset = e.and(this.leaf(registerType("i32")), 3);
      const scaled = e.mul(loop, 1 + this.tape.next(3));
      const moved = this.tape.next(2) > 0 ? e.add(scaled, this.scopes[0]![3] ?? offset) : scaled;
      return e.add(moved, this.tape.next(20));
    }
    return depth <= 0 ? e.constant(this.tape.next(48)) : e.and(this.expression(registerType("i32"), depth - 1), 31);
  }

  private leaf(type: RegisterType): Expression {
    const registers = this.scopes.flat().filter((register) => text(register.type) === text(type));
    if (registers.length > 0 && this.tape.next(3) > 0) return this.tape.pick(registers);
    const numbers: Readonly<Record<RegisterType["element"], readonly number[]>> = {
      f32: [0, 1, -0.5, 3.25, 1e-3, -0, 1e10, 1e-40, Infinity, NaN, 100.5],
      i32: [0, 1, -1, 7, 1 << 30, -(2 ** 31), 12345],
      i16: [0, 1, -1, 300, 32767, -32768],
      i8: [0, 1, -1, 100, 127, -128],
      bool: [0, 1],
    };
    return e.constant(this.tape.pick(numbers[type.element]), type);
  }

  private load(type: RegisterType, depth: number): Expression {
    const { element, lanes } = type;
    const index = this.index(depth);
    switch (element) {
      case "f32": {
        if (this.tape.next(5) === 4) {
          // Bytes read as another type: the index counts bytes and keeps the alignment.
          return this.k.load(this.buffer("u8"), e.shl(e.and(index, 15), 1), {
            lanes,
            as: this.tape.pick(["f16", "bf16"]),
          });
        }
        return this.k.load(this.buffer(this.tape.pick(["f32", "f16", "bf16"])), index, { lanes });
      }
      case "i32": {
        if (this.tape.next(6) === 5)
          return this.k.load(this.buffer("u8"), e.shl(e.and(index, 7), 2), { lanes, as: "i32" });
        return this.k.load(this.buffer(this.tape.pick(["i32", "i16", "i8", "u8"])), index, { lanes });
      }
      case "i16":
        return this.k.load(this.buffer(this.tape.pick(["i16", "i8", "u8"])), index, { lanes, element });
      case "i8":
        return this.k.load(this.buffer(this.tape.pick(["i8", "u8"])), index, { lanes, element });
      case "bool":
        return e.compare("gt", this.load(registerType("i32", 1), depth), 0);
    }
  }

  expression(type: RegisterType, depth: number): Expression {
    if (depth <= 0 || this.tape.ended) return this.leaf(type);
    const sub = (of: RegisterType = type): Expression => this.expression(of, depth - 1);
    const makers = this.makers(type, sub, depth);
    return this.tape.pick(makers)();
  }

  private makers(type: RegisterType, sub: (of?: RegisterType) => Expression, depth: number): (() => Expression)[] {
    const { element, lanes } = type;
    const same = (of: RegisterType["element"]): RegisterType => registerType(of, lanes);
    const binary = (ops: readonly BinaryOp[]) => (): Expression => e.binaryExactly(this.tape.pick(ops), sub(), sub());
    const unary = (ops: readonly UnaryOp[]) => (): Expression => e.unary(this.tape.pick(ops), sub());
    const shift = (): Expression =>
      e.binaryExactly(this.tape.pick(["shl", "shr", "shru"]), sub(), sub(registerType("i32")));
    const vector: (() => Expression)[] =
      lanes === 1
        ? []
        : [
            (): Expression => ({
              kind: "splat",
              operand: sub(registerType(element === "i8" || element === "i16" ? "i32" : element)),
              type,
            }),
            () =>
              e.shuffle(
                sub(),
                sub(),
                Array.from({ length: lanes }, () => this.tape.next(2 * lanes)),
              ),
          ].slice(element === "i8" || element === "i16" ? 1 : 0);
    const select = (): Expression => e.select(sub(same("bool")), sub(), sub());
    switch (element) {
      case "f32":
        return [
          () => this.load(type, depth - 1),
          binary(["add", "sub", "mul", "div", "min", "max"]),
          unary(["neg", "abs", "floor", "ceil", "round", "sqrt"]),
          unary(["exp", "log", "sin", "cos", "tanh"]),
          select,
          () => e.convert(sub(same("i32")), "f32"),
          () => e.convert(sub(same("bool")), "f32"),
          () => (this.options.fma ? e.fma(sub(), sub(), sub()) : e.mul(sub(), sub())),
          ...vector,
          ...this.scalarsOf("f32", lanes, sub),
        ];
      case "i32":
        return [
          () => this.load(type, depth - 1),
          binary(["add", "sub", "mul", "min", "max", "and", "or", "xor"]),
          unary(["neg", "abs", "not"]),
          shift,
          select,
          () =>
            e.binaryExactly(
              this.tape.pick(["div", "rem"]),
              sub(),
              e.or(e.and(sub(), e.constant(15, type)), e.constant(1, type)),
            ),
          () => e.convert(sub(same("f32")), "i32"),
          () => e.convert(sub(same("bool")), "i32"),
          // The bits of a NaN are not fixed, so none is looked at.
          () => {
            const value = this.k.let("bits", sub(same("f32")));
            return e.bitcast(e.select(e.compare("eq", value, value), value, 0), "i32");
          },
          ...vector,
          ...(lanes === 4
            ? [
                (): Expression => e.dotPairs(sub(registerType("i16", 8)), sub(registerType("i16", 8))),
                (): Expression => e.dotQuads(sub(registerType("i8", 16)), sub(registerType("i8", 16)), sub(), false),
                (): Expression => e.dotQuads(sub(registerType("i8", 16)), this.sevenBits(sub), sub(), true),
                (): Expression => e.dotQuadsUnsigned(sub(registerType("i8", 16)), sub(registerType("i8", 16)), sub()),
                (): Expression => e.dotQuadsEither(sub(registerType("i8", 16)), sub(registerType("i8", 16)), sub()),
                (): Expression =>
                  e.widen(sub(registerType("i16", 8)), this.tape.pick(["low", "high"]), this.tape.next(2) > 0),
                (): Expression => e.bitcast(sub(registerType("i8", 16)), "i32"),
              ]
            : []),
          ...this.scalarsOf("i32", lanes, sub),
        ];
      case "i16":
        return [
          () => this.load(type, depth - 1),
          binary(["add", "sub", "mul", "min", "max", "and", "or", "xor"]),
          unary(["neg", "abs", "not"]),
          shift,
          select,
          () => e.dotPairsI8(sub(registerType("i8", 16)), this.sevenBits(sub)),
          () => e.widen(sub(registerType("i8", 16)), this.tape.pick(["low", "high"]), this.tape.next(2) > 0),
          () => e.bitcast(sub(registerType("i8", 16)), "i16"),
          ...vector,
        ];
      case "i8":
        return [
          () => this.load(type, depth - 1),
          binary(["add", "sub", "min", "max", "and", "or", "xor"]),
          unary(["neg", "abs", "not"]),
          shift,
          select,
          () => e.bitcast(sub(registerType("i32", 4)), "i8"),
          ...vector,
        ];
      case "bool": {
        const numbers =
          lanes === 1 || lanes === 4 ? (["f32", "i32"] as const) : lanes === 8 ? (["i16"] as const) : (["i8"] as const);
        const of = same(this.tape.pick(numbers));
        return [
          () => e.binaryExactly(this.tape.pick(["eq", "ne", "lt", "le", "gt", "ge"]), sub(of), sub(of)),
          binary(["and", "or", "xor", "eq", "ne"]),
          unary(["not"]),
          select,
          ...vector,
        ];
      }
    }
  }

  /** b with the top bit of each byte cleared. */
  private sevenBits(sub: (of?: RegisterType) => Expression): Expression {
    return e.and(sub(registerType("i8", 16)), e.constant(127, registerType("i8", 16)));
  }

  /** Scalars out of vectors, and vectors out of scalars. */
  private scalarsOf(
    element: "f32" | "i32",
    lanes: number,
    sub: (of?: RegisterType) => Expression,
  ): (() => Expression)[] {
    if (!this.options.vectors) return [];
    if (lanes > 1) return [() => e.join(Array.from({ length: lanes }, () => sub(registerType(element))))];
    const wide = registerType(element, 4);
    const narrow = this.tape.pick([registerType("i8", 16), registerType("i16", 8)]);
    return [
      () => e.reduce(this.tape.pick(["add", "min", "max"]), sub(wide)),
      () => e.extract(sub(wide), this.tape.next(4)),
      ...(element === "i32" ? [(): Expression => e.extract(sub(narrow), this.tape.next(8))] : []),
    ];
  }

  private scope(body: () => void): void {
    this.scopes.push([]);
    this.variables.push([]);
    body();
    this.scopes.pop();
    this.variables.pop();
  }

  private store(): void {
    const type = this.tape.pick(
      this.options.vectors ? [...scalarTypes.slice(0, 2), ...vectorTypes.slice(0, 4)] : scalarTypes.slice(0, 2),
    );
    const fitting: Readonly<Record<string, readonly MemoryType[]>> = {
      f32: ["f32", "f16", "bf16"],
      i32: ["i32", "i16", "i8", "u8"],
      i16: ["i16", "i8", "u8"],
      i8: ["i8", "u8"],
    };
    this.k.store(this.buffer(this.tape.pick(fitting[type.element]!)), this.index(1), this.expression(type, 3));
  }

  statements(count: number, depth: number): void {
    for (let i = 0; i < count && !this.tape.ended; i++) {
      switch (this.tape.next(depth > 0 ? 8 : 5)) {
        case 0:
        case 1:
          this.store();
          break;
        case 2:
          this.scopes.at(-1)!.push(this.k.let("r", this.expression(this.type(), 3)));
          break;
        case 3: {
          const variable = this.k.variable("v", this.expression(this.type(), 2));
          this.variables.at(-1)!.push(variable);
          this.scopes.at(-1)!.push(variable.get);
          break;
        }
        case 4: {
          const all = this.variables.flat();
          if (all.length === 0) break;
          const variable = this.tape.pick(all);
          variable.set(this.expression(variable.get.type, 3));
          break;
        }
        case 5: {
          const from = this.tape.next(3);
          const to =
            this.tape.next(2) > 0 ? e.and(this.expression(registerType("i32"), 1), 7) : e.constant(this.tape.next(8));
          this.k.loop("i", from, to, 1 + this.tape.next(3), (index) => {
            this.loops.push(index);
            this.scope(() => {
              this.scopes.at(-1)!.push(index);
              this.statements(4, depth - 1);
            });
            this.loops.pop();
          });
          break;
        }
        case 6: {
          const condition = this.expression(registerType("bool"), 2);
          const branch = (): void => this.scope(() => this.statements(3, depth - 1));
          this.k.ifThen(condition, branch, this.tape.next(2) > 0 ? branch : undefined);
          break;
        }
        case 7: {
          const old = this.k.atomicAdd(
            this.buffer("i32"),
            this.index(1),
            this.expression(registerType("i32"), 1),
            this.tape.next(2) > 0 ? "old" : undefined,
          );
          if (old) this.scopes.at(-1)!.push(old);
          break;
        }
      }
    }
  }

  kernel(): Kernel {
    this.scopes[0]!.push(this.k.let("offset", e.and(this.scopes[0]![0]!, 3)));
    this.statements(12, 2);
    return this.k.finish();
  }
}

export function randomKernel(tape: readonly number[], options: RandomOptions): Kernel {
  return new Generator(new Tape(tape), options).kernel();
}
