/**
 * Checks a kernel: every name is defined once and before its use, types agree, indices are i32, buffers are used as they
 * are declared, and all threads of a block meet at every barrier. Schedules must pass; a problem is a mistake in the
 * compiler, not in the user's program.
 */
import {
  fragmentBuffers,
  fragmentOperands,
  fragmentProblem,
  fragmentThreads,
  warpThreads,
  type FragmentDeclaration,
} from "./kernel-fragments.js";
import { flowProblems } from "./kernel-uniformity.js";
import type {
  BufferParam,
  Expression,
  FragmentStatement,
  Kernel,
  MemoryType,
  RegisterType,
  Statement,
} from "./kernel-ir.js";
import { loadable, memoryBytes, operandsOf, registerType, reservedNames, sameType, typeText } from "./kernel-types.js";
import { expressionProblem } from "./kernel-verify-types.js";

interface BufferFacts {
  readonly element: MemoryType;
  readonly access: BufferParam["access"];
}

class Verifier {
  readonly problems: string[] = [];
  private readonly buffers = new Map<string, BufferFacts>();
  /** Registers that are visible, and whether they may be assigned. */
  private readonly visible = new Map<string, { readonly type: RegisterType; readonly mutable: boolean }>();
  private readonly fragments = new Map<string, FragmentDeclaration>();
  private readonly used = new Set<string>();

  constructor(private readonly kernel: Kernel) {}

  private problem(text: string): void {
    this.problems.push(`kernel ${this.kernel.name}: ${text}`);
  }

  private claim(name: string): void {
    if (!/^[A-Za-z_]\w*$/.test(name)) this.problem(`${JSON.stringify(name)} is no name`);
    if (reservedNames.includes(name)) this.problem(`${name} is a word of the text form`);
    if (this.used.has(name)) this.problem(`${name} is defined twice`);
    this.used.add(name);
  }

  private define(name: string, type: RegisterType, mutable: boolean): void {
    this.claim(name);
    this.visible.set(name, { type, mutable });
  }

  private wants(what: string, expression: Expression, type: RegisterType): void {
    if (!sameType(expression.type, type)) {
      this.problem(`${what} is ${typeText(expression.type)}, not ${typeText(type)}`);
    }
  }

  private access(name: string, how: "read" | "write", as: MemoryType | undefined, type: RegisterType): void {
    const buffer = this.buffers.get(name);
    if (!buffer) return this.problem(`${name} is no buffer`);
    if (buffer.access !== how && buffer.access !== "readwrite") {
      this.problem(`${name} is declared ${buffer.access}, but there is a ${how}`);
    }
    if (!loadable(as ?? buffer.element, type.element, type.lanes)) {
      this.problem(`${typeText(type)} does not fit ${as ?? buffer.element} memory (${name})`);
    }
  }

  private expression(expression: Expression): void {
    for (const operand of operandsOf(expression)) this.expression(operand);
    const { lanes } = expression.type;
    if (lanes < 1 || lanes > 64 || (lanes & (lanes - 1)) !== 0) this.problem(`${lanes} lanes are no power of two`);
    const mistake = expressionProblem(expression);
    if (mistake !== undefined) this.problem(mistake);
    if (expression.kind === "get") {
      const register = this.visible.get(expression.name);
      if (!register) this.problem(`${expression.name} is used where it is not defined`);
      else this.wants(`use of ${expression.name}`, { ...expression, type: register.type }, expression.type);
    }
    if (expression.kind === "load") {
      this.wants(`index of ${expression.buffer}`, expression.index, registerType("i32"));
      this.access(expression.buffer, "read", expression.as, expression.type);
    }
  }

  private nested(body: readonly Statement[]): void {
    const before = new Set(this.visible.keys());
    const fragments = new Set(this.fragments.keys());
    for (const statement of body) this.statement(statement);
    for (const name of [...this.visible.keys()]) if (!before.has(name)) this.visible.delete(name);
    for (const name of [...this.fragments.keys()]) if (!fragments.has(name)) this.fragments.delete(name);
  }

  private statement(statement: Statement): void {
    switch (statement.kind) {
      case "let":
      case "var":
        this.expression(statement.value);
        return this.define(statement.name, statement.value.type, statement.kind === "var");
      case "assign": {
        this.expression(statement.value);
        const register = this.visible.get(statement.name);
        if (!register?.mutable) return this.problem(`${statement.name} is assigned, but it is no var in sight`);
        return this.wants(`value for ${statement.name}`, statement.value, register.type);
      }
      case "store":
        this.expression(statement.index);
        this.expression(statement.value);
        this.wants(`index of ${statement.buffer}`, statement.index, registerType("i32"));
        return this.access(statement.buffer, "write", statement.as, statement.value.type);
      case "for":
        this.expression(statement.from);
        this.expression(statement.to);
        this.wants(`start of ${statement.name}`, statement.from, registerType("i32"));
        this.wants(`end of ${statement.name}`, statement.to, registerType("i32"));
        if (!Number.isInteger(statement.step) || statement.step < 1) this.problem(`step ${statement.step}`);
        this.define(statement.name, registerType("i32"), false);
        this.nested(statement.body);
        this.visible.delete(statement.name);
        return;
      case "if":
        this.expression(statement.condition);
        this.wants("a condition", statement.condition, registerType("bool"));
        this.nested(statement.then);
        return this.nested(statement.else);
      case "barrier":
        return;
      case "prefetch":
        this.expression(statement.index);
        this.wants(`index of ${statement.buffer}`, statement.index, registerType("i32"));
        if (!this.buffers.has(statement.buffer)) this.problem(`${statement.buffer} is no buffer`);
        return;
      case "block-fold": {
        this.expression(statement.value);
        const { type } = statement.value;
        if (type.lanes !== 1 || (type.element !== "f32" && type.element !== "i32")) {
          this.problem(`${typeText(type)} is not folded over the threads of a block`);
        }
        const { across } = statement;
        const isMask = across === undefined || (Number.isInteger(across) && across > 0 && across < warpThreads);
        // Threads hand registers to others of the same group, so each group is whole.
        if (!isMask || (across !== undefined && this.kernel.threads % warpThreads !== 0)) {
          this.problem(`nothing is folded across ${across} by ${this.kernel.threads} threads`);
        }
        return this.define(statement.name, type, false);
      }
      case "atomic-add":
        this.expression(statement.index);
        this.expression(statement.value);
        this.wants(`index of ${statement.buffer}`, statement.index, registerType("i32"));
        this.wants(`value for ${statement.buffer}`, statement.value, registerType("i32"));
        this.access(statement.buffer, "write", undefined, registerType("i32"));
        if (this.buffers.has(statement.buffer) && this.buffers.get(statement.buffer)?.element !== "i32") {
          this.problem(`atomic addition needs i32 memory (${statement.buffer})`);
        }
        if (statement.result !== undefined) this.define(statement.result, registerType("i32"), false);
        return;
      default:
        return this.fragment(statement);
    }
  }

  private fragment(statement: FragmentStatement): void {
    for (const index of fragmentOperands(statement)) {
      this.expression(index);
      this.wants("index of a fragment", index, registerType("i32"));
    }
    for (const { buffer, access } of fragmentBuffers(statement)) {
      const declared = this.buffers.get(buffer);
      if (!declared) this.problem(`${buffer} is no buffer`);
      else if (declared.access !== access && declared.access !== "readwrite") {
        this.problem(`${buffer} is declared ${declared.access}, but there is a ${access}`);
      }
    }
    const mistake = fragmentProblem(
      statement,
      (name) => this.fragments.get(name),
      (name) => this.buffers.get(name)?.element,
    );
    if (mistake !== undefined) this.problem(mistake);
    if (statement.kind !== "fragment") return;
    const { threads } = this.kernel;
    if (threads !== 1 && threads % fragmentThreads !== 0) this.problem(`${threads} threads do not hold fragments`);
    this.claim(statement.name);
    this.fragments.set(statement.name, statement);
  }

  run(): void {
    const { kernel } = this;
    if (!/^[A-Za-z_]\w*$/.test(kernel.name)) this.problem("its name is no name");
    if (!Number.isInteger(kernel.threads) || kernel.threads < 1) this.problem(`${kernel.threads} threads`);
    for (const { name, element, access } of kernel.buffers) {
      this.claim(name);
      this.buffers.set(name, { element, access });
    }
    for (const { name, element, length } of kernel.blockBuffers) {
      this.claim(name);
      if (!Number.isInteger(length) || length < 1) this.problem(`${name} has ${length} elements`);
      if (memoryBytes[element] === undefined) this.problem(`${name} has no memory type`);
      this.buffers.set(name, { element, access: "readwrite" });
    }
    for (const { name, type } of kernel.scalars) this.define(name, registerType(type), false);
    for (const statement of kernel.body) this.statement(statement);
    for (const text of flowProblems(kernel)) this.problem(text);
  }
}

/** Every problem of the kernel, in order; none when it is sound. */
export function verifyKernel(kernel: Kernel): readonly string[] {
  const verifier = new Verifier(kernel);
  verifier.run();
  return verifier.problems;
}

/** Problems of all kernels, and of their names. */
export function verifyKernels(kernels: readonly Kernel[]): readonly string[] {
  const seen = new Set<string>();
  const twice = kernels.flatMap(({ name }) =>
    seen.has(name) ? [`two kernels are called ${name}`] : (seen.add(name), []),
  );
  return [...twice, ...kernels.flatMap(verifyKernel)];
}
