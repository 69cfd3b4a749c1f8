/**
 * Reads the text form that `kernel-print.ts` writes. Anything else is refused with the line where it stops.
 */
import { binaryExactly } from "./kernel-expressions.js";
import type {
  BinaryOp,
  BlockBuffer,
  BufferParam,
  Expression,
  FoldOp,
  FragmentElement,
  FragmentOrder,
  FragmentPlace,
  FragmentStatement,
  Kernel,
  MemoryType,
  RegisterType,
  ScalarParam,
  Statement,
} from "./kernel-ir.js";
import { parseCall } from "./kernel-parse-calls.js";
import { KernelTextError, Tokens } from "./kernel-parse-tokens.js";
import { infix } from "./kernel-print.js";
import { loadedElement, memoryBytes, registerType } from "./kernel-types.js";

const operators = new Map(
  Object.entries(infix).flatMap(([op, text]) => (text === undefined ? [] : [[text, op as BinaryOp] as const])),
);

const isFoldOp = (text: string): text is FoldOp => ["add", "min", "max", "first"].includes(text);

class KernelReader {
  private readonly registers = new Map<string, RegisterType>();
  private readonly buffers = new Map<string, MemoryType>();

  constructor(private readonly tokens: Tokens) {}

  private define(name: string, type: RegisterType): string {
    if (this.registers.has(name) || this.buffers.has(name)) throw this.tokens.error(`${name} is defined twice`);
    this.registers.set(name, type);
    return name;
  }

  private memoryType(): MemoryType {
    const name = this.tokens.name();
    if (!Object.hasOwn(memoryBytes, name)) throw this.tokens.error(`${name} is no memory type`);
    return name as MemoryType;
  }

  private number(): number {
    const text = this.tokens.next();
    if (!/^-?\d+$/.test(text)) throw this.tokens.error(`${text} is no whole number`);
    return Number(text);
  }

  type(): RegisterType {
    const found = /^(f32|i32|i16|i8|bool)(?:x(\d+))?$/.exec(this.tokens.next());
    if (!found) throw this.tokens.error("expected a register type");
    return registerType(found[1] as RegisterType["element"], found[2] === undefined ? 1 : Number(found[2]));
  }

  /** After the name of a buffer: an optional memory type and the index. */
  private place(buffer: string): { readonly index: Expression; readonly as?: MemoryType } {
    if (!this.buffers.has(buffer)) throw this.tokens.error(`${buffer} is no buffer`);
    const as = this.tokens.take(".") ? this.memoryType() : undefined;
    this.tokens.expect("[");
    const index = this.expression();
    this.tokens.expect("]");
    return as === undefined ? { index } : { index, as };
  }

  expression(): Expression {
    const token = this.tokens.next();
    if (token === "(") {
      const left = this.expression();
      const text = this.tokens.next();
      const op = operators.get(text);
      if (!op) throw this.tokens.error(`${text} is no operator`);
      const right = this.expression();
      this.tokens.expect(")");
      return this.tokens.checked(() => binaryExactly(op, left, right));
    }
    if (token === "@block" || token === "@thread") {
      return { kind: token === "@block" ? "block" : "thread", type: registerType("i32") };
    }
    if (/^-?(\d|inf$|nan$)|^nan$/.test(token) || token === "true" || token === "false" || token === "inf") {
      return this.constant(token);
    }
    if (this.tokens.at("[") || (this.buffers.has(token) && this.tokens.at("."))) {
      const at = this.place(token);
      this.tokens.expect(":");
      const load = { kind: "load", buffer: token, ...at, type: this.type() } as const;
      const promises: { finite?: true; aligned?: true } = {};
      while (this.tokens.take(".")) {
        const promise = this.tokens.next();
        if (promise !== "finite" && promise !== "aligned") throw this.tokens.error(`${promise} is no promise`);
        promises[promise] = true;
      }
      return { ...load, ...promises };
    }
    const attributes: string[] = [];
    while (this.tokens.take(".")) attributes.push(this.tokens.next());
    if (this.tokens.take("(")) {
      const operands: Expression[] = [];
      while (!this.tokens.take(")")) {
        if (operands.length > 0) this.tokens.expect(",");
        operands.push(this.expression());
      }
      return this.tokens.checked(() => parseCall(token, attributes, operands));
    }
    const type = this.registers.get(token);
    if (!type) throw this.tokens.error(`${token} is not defined`);
    return { kind: "get", name: token, type };
  }

  private constant(token: string): Expression {
    const words: Record<string, number> = { true: 1, false: 0, nan: NaN, inf: Infinity, "-inf": -Infinity };
    const value = words[token] ?? Number(token);
    const plain = registerType(token === "true" || token === "false" ? "bool" : "i32");
    const type = this.tokens.take(":") ? this.type() : plain;
    return { kind: "constant", value: type.element === "f32" ? Math.fround(value) : value, type };
  }

  private statements(): Statement[] {
    this.tokens.expect("{");
    return this.statementsToEnd();
  }

  private statementsToEnd(): Statement[] {
    const list: Statement[] = [];
    while (!this.tokens.take("}")) list.push(this.statement());
    return list;
  }

  private statement(): Statement {
    const word = this.tokens.name();
    if (this.tokens.at("[") || this.tokens.at(".")) {
      const at = this.place(word);
      this.tokens.expect("=");
      return { kind: "store", buffer: word, ...at, value: this.expression() };
    }
    switch (word) {
      case "let":
      case "var": {
        const name = this.tokens.name();
        this.tokens.expect("=");
        const value = this.expression();
        return { kind: word, name: this.define(name, value.type), value };
      }
      case "set": {
        const name = this.tokens.name();
        this.tokens.expect("=");
        return { kind: "assign", name, value: this.expression() };
      }
      case "for":
        return this.loop();
      case "if": {
        const condition = this.expression();
        this.tokens.expect("then");
        const then = this.statements();
        return { kind: "if", condition, then, else: this.tokens.take("else") ? this.statements() : [] };
      }
      case "barrier":
        return { kind: "barrier" };
      case "prefetch":
        return { kind: "prefetch", ...this.fragmentPlace() };
      case "fold":
        return this.fold();
      case "atomic":
        return this.atomic();
      case "fragment":
      case "load_fragment":
      case "store_fragment":
      case "multiply_fragments":
      case "scale_fragment":
      case "scale_fragment_rows":
        return this.fragment(word);
      default:
        throw this.tokens.error(`${word} begins no statement`);
    }
  }

  private loop(): Statement {
    const name = this.tokens.name();
    this.tokens.expect("=");
    const from = this.expression();
    this.tokens.expect("to");
    const to = this.expression();
    this.tokens.expect("step");
    const step = this.number();
    this.define(name, registerType("i32"));
    return { kind: "for", name, from, to, step, body: this.statements() };
  }

  private fold(): Statement {
    const op = this.tokens.name();
    if (!isFoldOp(op)) throw this.tokens.error(`${op} folds nothing`);
    const across = this.tokens.take("across") ? this.number() : undefined;
    const name = this.tokens.name();
    this.tokens.expect("=");
    const value = this.expression();
    const fold = { kind: "block-fold", name: this.define(name, value.type), op, value } as const;
    return across === undefined ? fold : { ...fold, across };
  }

  private oneOf<T extends string>(words: readonly T[]): T {
    const word = this.tokens.name();
    const found = words.find((one) => one === word);
    if (found === undefined) throw this.tokens.error(`expected one of ${words.join(", ")}`);
    return found;
  }

  private fragmentPlace(): FragmentPlace {
    const buffer = this.tokens.name();
    return { buffer, index: this.place(buffer).index };
  }

  private lines(): FragmentPlace & { readonly stride: number; readonly order: FragmentOrder } {
    const place = this.fragmentPlace();
    this.tokens.expect("by");
    return { ...place, stride: this.number(), order: this.oneOf(["rows", "columns", "words"]) };
  }

  private fragment(word: string): FragmentStatement {
    if (word === "store_fragment") {
      const lines = this.lines();
      this.tokens.expect("=");
      return { kind: "fragment-store", fragment: this.tokens.name(), ...lines };
    }
    const name = this.tokens.name();
    this.tokens.expect("=");
    if (word === "scale_fragment_rows") return { kind: "fragment-scale-rows", sum: name, rows: this.fragmentPlace() };
    if (word === "load_fragment") return { kind: "fragment-load", fragment: name, ...this.lines() };
    if (word === "fragment") {
      const role = this.oneOf(["left", "right", "sum"]);
      const element = this.oneOf<FragmentElement>(["f16", "bf16", "i8", "f32", "i32"]);
      this.tokens.expect("[");
      const rows = this.number();
      this.tokens.expect(",");
      const columns = this.number();
      this.tokens.expect("]");
      return { kind: "fragment", name, role, element, rows, columns };
    }
    const first = this.tokens.name();
    this.tokens.expect(",");
    if (word === "multiply_fragments") {
      return { kind: "fragment-multiply", sum: name, left: first, right: this.tokens.name() };
    }
    const rows = this.fragmentPlace();
    this.tokens.expect(",");
    return { kind: "fragment-scale", sum: name, part: first, rows, columns: this.fragmentPlace() };
  }

  private atomic(): Statement {
    const result = this.tokens.at("=") ? undefined : this.tokens.name();
    this.tokens.expect("=");
    this.tokens.expect("add");
    const buffer = this.tokens.name();
    const { index } = this.place(buffer);
    this.tokens.expect(",");
    const value = this.expression();
    if (result === undefined) return { kind: "atomic-add", buffer, index, value };
    return { kind: "atomic-add", buffer, index, value, result: this.define(result, registerType("i32")) };
  }

  kernel(): Kernel {
    this.tokens.expect("kernel");
    const name = this.tokens.name();
    this.tokens.expect("threads");
    const threads = this.number();
    const doc = this.tokens.string();
    this.tokens.expect("{");
    const buffers: BufferParam[] = [];
    const scalars: ScalarParam[] = [];
    const blockBuffers: BlockBuffer[] = [];
    for (;;) {
      if (this.tokens.take("buffer")) buffers.push(this.buffer());
      else if (this.tokens.take("scalar")) scalars.push(this.scalar());
      else if (this.tokens.take("shared")) blockBuffers.push(this.blockBuffer("shared"));
      else if (this.tokens.take("local")) blockBuffers.push(this.blockBuffer("local"));
      else return { name, doc, buffers, scalars, blockBuffers, threads, body: this.statementsToEnd() };
    }
  }

  private bufferName(): string {
    const name = this.tokens.name();
    if (this.buffers.has(name) || this.registers.has(name)) throw this.tokens.error(`${name} is defined twice`);
    this.tokens.expect(":");
    return name;
  }

  private buffer(): BufferParam {
    const name = this.bufferName();
    const element = this.memoryType();
    const access = this.tokens.name();
    if (access !== "read" && access !== "write" && access !== "readwrite") {
      throw this.tokens.error(`${access} is no way of access`);
    }
    this.buffers.set(name, element);
    return { name, element, access };
  }

  private scalar(): ScalarParam {
    const name = this.tokens.name();
    this.tokens.expect(":");
    const type = loadedElement(this.memoryType());
    return { name: this.define(name, registerType(type)), type };
  }

  private blockBuffer(space: BlockBuffer["space"]): BlockBuffer {
    const name = this.bufferName();
    const element = this.memoryType();
    this.tokens.expect("[");
    const length = this.number();
    this.tokens.expect("]");
    this.buffers.set(name, element);
    return { name, element, space, length };
  }
}

/** All kernels of a text. Throws KernelTextError with the line of the first mistake. */
export function parseKernels(text: string): readonly Kernel[] {
  const tokens = new Tokens(text);
  const kernels: Kernel[] = [];
  while (!tokens.done) kernels.push(new KernelReader(tokens).kernel());
  return kernels;
}

/** The one kernel of a text. */
export function parseKernel(text: string): Kernel {
  const kernels = parseKernels(text);
  if (kernels.length !== 1) throw new KernelTextError(`expected one kernel, found ${kernels.length}`, 1);
  return kernels[0]!;
}
