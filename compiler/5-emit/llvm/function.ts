/**
 * One LLVM function under construction, in SSA form: kernel IR is structured, so the values that a mutable register has
 * at the head of a loop or after a branch are found by looking at what the body assigns. No register lives in memory,
 * and code generation alone gives good code without the optimizer.
 */
import type { MemoryType, Statement } from "../../4-schedule/kernel-ir.js";
import type { FragmentPlan } from "./fragments.js";
import type { Target } from "../../targets/index.js";

/** A value with its type, as operands are written. */
export interface Value {
  readonly type: string;
  readonly text: string;
}

export interface BufferBase {
  readonly element: MemoryType;
  /** An i8* with the address of the first element. */
  readonly pointer: string;
}

/** Intrinsics that a module declares, by their declaration. */
export type Declarations = Set<string>;

export class LlvmFunction {
  readonly lines: string[] = [];
  readonly buffers = new Map<string, BufferBase>();
  /** What each register in sight holds now. */
  private values = new Map<string, Value>();
  private count = 0;
  /** Where fragments are held, when the kernel has some. */
  fragments: FragmentPlan | undefined;
  /** Label of the block that is being written. */
  private label = "entry";

  constructor(
    readonly name: string,
    readonly target: Target,
    private readonly declarations: Declarations,
  ) {}

  private fresh(wish: string): string {
    return `%${wish.replace(/\W/g, "_")}.${this.count++}`;
  }

  line(text: string): void {
    this.lines.push(`  ${text}`);
  }

  /** The result of an instruction. */
  value(type: string, instruction: string, wish = "v"): Value {
    const text = this.fresh(wish);
    this.line(`${text} = ${instruction}`);
    return { type, text };
  }

  /** Call an intrinsic, which the module then declares. */
  intrinsic(name: string, result: string, args: readonly Value[]): Value {
    this.declarations.add(`declare ${result} @${name}(${args.map(({ type }) => type).join(", ")})`);
    const list = args.map(({ type, text }) => `${type} ${text}`).join(", ");
    return this.value(result, `call ${result} @${name}(${list})`);
  }

  /** The same without a result. */
  effect(name: string, args: readonly Value[]): void {
    this.declarations.add(`declare void @${name}(${args.map(({ type }) => type).join(", ")})`);
    this.line(`call void @${name}(${args.map(({ type, text }) => `${type} ${text}`).join(", ")})`);
  }

  /** A constant of the module, by its line. */
  constant(line: string): void {
    this.declarations.add(line);
  }

  bind(name: string, value: Value): void {
    this.values.set(name, value);
  }

  get(name: string): Value {
    const value = this.values.get(name);
    if (!value) throw new TypeError(`kernel ${this.name}: register ${name} is not defined`);
    return value;
  }

  /** What is bound under a name, if anything is. */
  find(name: string): Value | undefined {
    return this.values.get(name);
  }

  /** What `write` binds is forgotten after it. */
  scoped<T>(write: () => T): T {
    const outer = this.values;
    this.values = new Map(outer);
    const result = write();
    this.values = outer;
    return result;
  }

  buffer(name: string): BufferBase {
    const buffer = this.buffers.get(name);
    if (!buffer) throw new TypeError(`kernel ${this.name}: ${name} is no buffer`);
    return buffer;
  }

  private open(label: string): void {
    this.lines.push(`${label}:`);
    this.label = label;
  }

  /** Registers of the outer scope that `body` assigns. */
  private carried(body: readonly Statement[]): readonly string[] {
    const found = new Set<string>();
    const walk = (statements: readonly Statement[]): void => {
      for (const statement of statements) {
        if (statement.kind === "assign" && this.values.has(statement.name)) found.add(statement.name);
        if (statement.kind === "for") walk(statement.body);
        if (statement.kind === "if") [statement.then, statement.else].forEach(walk);
      }
    };
    walk(body);
    return [...found];
  }

  /**
   * for (i = from; i < to; i += step), tested before the first turn.
   *
   * @param write Writes the body; the loop variable is `index`.
   */
  loop(from: Value, to: Value, step: number, body: readonly Statement[], write: (index: Value) => void): void {
    const id = this.count++;
    const [head, inside, after] = [`head.${id}`, `body.${id}`, `after.${id}`];
    const before = this.label;
    const names = this.carried(body);
    const entering = names.map((name) => this.get(name));
    this.line(`br label %${head}`);
    this.open(head);
    const index: Value = { type: "i32", text: this.fresh("i") };
    const phis = names.map((name) => ({ type: this.get(name).type, text: this.fresh(name) }));
    // The values that come from the body are known after it: the lines are put here then.
    const at = this.lines.length;
    names.forEach((name, i) => this.bind(name, phis[i]!));
    const again = this.value("i1", `icmp slt i32 ${index.text}, ${to.text}`, "again");
    this.line(`br i1 ${again.text}, label %${inside}, label %${after}`);
    this.open(inside);
    const outer = new Map(this.values);
    write(index);
    const next = this.value("i32", `add i32 ${index.text}, ${step}`, "next");
    const last = this.label;
    this.line(`br label %${head}`);
    const phi = (own: Value, first: string, then: string): string =>
      `  ${own.text} = phi ${own.type} [ ${first}, %${before} ], [ ${then}, %${last} ]`;
    this.lines.splice(
      at,
      0,
      phi(index, from.text, next.text),
      ...names.map((name, i) => phi(phis[i]!, entering[i]!.text, this.get(name).text)),
    );
    this.values = outer;
    this.open(after);
  }

  branch(condition: Value, then: readonly Statement[], otherwise: readonly Statement[], write: WriteStatements): void {
    const id = this.count++;
    const [yes, no, after] = [`then.${id}`, `else.${id}`, `after.${id}`];
    const names = this.carried([...then, ...otherwise]);
    const outer = this.values;
    this.line(`br i1 ${condition.text}, label %${yes}, label %${no}`);
    const side = (label: string, body: readonly Statement[]): { readonly label: string; readonly values: Value[] } => {
      this.open(label);
      this.values = new Map(outer);
      write(this, body);
      const values = names.map((name) => this.get(name));
      this.line(`br label %${after}`);
      return { label: this.label, values };
    };
    const [first, second] = [side(yes, then), side(no, otherwise)];
    this.open(after);
    this.values = outer;
    names.forEach((name, i) => {
      const [a, b] = [first.values[i]!, second.values[i]!];
      const phi = `phi ${a.type} [ ${a.text}, %${first.label} ], [ ${b.text}, %${second.label} ]`;
      this.bind(name, this.value(a.type, phi, name));
    });
  }
}

/** Writes statements; passed along to keep the files apart. */
export type WriteStatements = (f: LlvmFunction, statements: readonly Statement[]) => void;
