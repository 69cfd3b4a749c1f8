/** Statements of kernel IR as lines of scalar source text, with the library functions that they call. */
import { conversionBody, type Conversion } from "../../4-schedule/kernel-conversions.js";
import type { FragmentDeclaration } from "../../4-schedule/kernel-fragments.js";
import { functionBody, isFunctionOp } from "../../4-schedule/kernel-functions.js";
import type {
  Expression,
  FragmentStatement,
  MemoryType,
  RegisterType,
  Statement,
  UnaryOp,
} from "../../4-schedule/kernel-ir.js";
import { moecError } from "../../errors/raise.js";
import type { Dialect, LibraryFunction, PrintedBuffer, Scalar } from "./dialect.js";
import { bare, indexText, laneTexts } from "./expressions.js";
import { Names } from "./names.js";

export const scalarOf = (element: RegisterType["element"]): Scalar =>
  element === "f32" || element === "bool" ? element : "i32";

/** Library functions that some text calls, printed once each before it. */
export class Library {
  private readonly texts = new Map<string, readonly string[]>();

  constructor(private readonly dialect: Dialect) {}

  /** The identifier of a function. */
  name(wanted: LibraryFunction): string {
    const name = `moec_${wanted.replace(/-/g, "_")}`;
    if (this.texts.has(name)) return name;
    const { parameter, body, result } = isFunctionOp(wanted as UnaryOp)
      ? functionBody(wanted as never, 1)
      : conversionBody(wanted as Conversion, 1);
    const writer = new LaneWriter(this.dialect, this);
    const from = wanted.includes("to-f32") ? "i32" : "f32";
    const head = this.dialect.functionHead(name, writer.names.of(parameter), from, scalarOf(result.type.element));
    writer.indented(() => {
      writer.statements(body);
      writer.line(`return ${bare(laneTexts(writer, result)[0]!)};`);
    });
    this.texts.set(name, [head, ...writer.lines, "}"]);
    return name;
  }

  get lines(): readonly string[] {
    return [...this.texts.values()].flat();
  }
}

export class LaneWriter {
  readonly lines: string[] = [];
  readonly names = new Names();
  private readonly buffers = new Map<string, PrintedBuffer>();
  private readonly fragments = new Map<string, FragmentDeclaration>();
  private depth = 0;
  private temporaries = 0;

  constructor(
    readonly dialect: Dialect,
    readonly library: Library,
  ) {}

  line(text: string): void {
    this.lines.push("  ".repeat(this.depth) + text);
  }

  indented(write: () => void): void {
    this.depth++;
    write();
    this.depth--;
  }

  addBuffer(name: string, buffer: Omit<PrintedBuffer, "name">): PrintedBuffer {
    const printed = { ...buffer, name: this.names.of(name) };
    this.buffers.set(name, printed);
    return printed;
  }

  buffer(name: string): PrintedBuffer {
    const buffer = this.buffers.get(name);
    if (!buffer) throw new TypeError(`${name} is no buffer`);
    return buffer;
  }

  /** A value that later text may use several times. */
  named(type: Scalar, text: string): string {
    // Names and numbers are as cheap as a name.
    if (/^-?[\w.]+$/.test(text)) return text;
    const name = `t${this.temporaries++}`;
    this.line(this.dialect.declare(false, type, name, bare(text)));
    return name;
  }

  /** A name for a value whose type the language finds itself. */
  kept(text: string): string {
    const name = `t${this.temporaries++}`;
    this.line(this.dialect.keep(name, bare(text)));
    return name;
  }

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.statement(statement);
  }

  private block(head: string, body: readonly Statement[]): void {
    this.line(head);
    this.indented(() => this.statements(body));
  }

  private declare(mutable: boolean, name: string, value: Expression): void {
    const { element, lanes } = value.type;
    const texts = laneTexts(this, value);
    texts.forEach((text, lane) =>
      this.line(this.dialect.declare(mutable, scalarOf(element), this.names.of(name, lane, lanes), bare(text))),
    );
  }

  private assign(name: string, value: Expression): void {
    const { element, lanes } = value.type;
    const texts = laneTexts(this, value);
    if (lanes === 1) return this.line(`${this.names.of(name)} = ${bare(texts[0]!)};`);
    // All lanes are computed before the first is written: a shuffle may read the register that it sets.
    const copies = texts.map((text) => {
      const copy = `t${this.temporaries++}`;
      this.line(this.dialect.declare(false, scalarOf(element), copy, bare(text)));
      return copy;
    });
    copies.forEach((copy, lane) => this.line(`${this.names.of(name, lane, lanes)} = ${copy};`));
  }

  private store(statement: Statement & { kind: "store" }): void {
    const buffer = this.buffer(statement.buffer);
    const memory: MemoryType = statement.as ?? buffer.element;
    const scalar = scalarOf(statement.value.type.element);
    const index = this.named("i32", indexText(this, statement.index));
    const values = laneTexts(this, statement.value);
    const texts = values.length === 1 ? values.map(bare) : values.map((text) => this.named(scalar, text));
    const half = (conversion: Conversion, value: string): string => `${this.library.name(conversion)}(${value})`;
    texts.forEach((value, lane) => {
      for (const line of this.dialect.store({ buffer, memory, index, lane }, value, half)) this.line(line);
    });
  }

  private statement(statement: Statement): void {
    switch (statement.kind) {
      case "let":
      case "var":
        return this.declare(statement.kind === "var", statement.name, statement.value);
      case "assign":
        return this.assign(statement.name, statement.value);
      case "store":
        return this.store(statement);
      case "for": {
        const from = indexText(this, statement.from);
        // The bound is evaluated once, before the body changes what it is made of.
        const to = this.steady(statement.to);
        this.block(this.dialect.loop(this.names.of(statement.name), bare(from), to, statement.step), statement.body);
        return this.line("}");
      }
      case "if":
        this.block(`if (${bare(laneTexts(this, statement.condition)[0]!)}) {`, statement.then);
        if (statement.else.length > 0) this.block("} else {", statement.else);
        return this.line("}");
      case "barrier":
        return this.dialect.barrier.forEach((line) => this.line(line));
      case "prefetch":
        // Groups of threads hide the time that memory takes.
        return;
      case "block-fold": {
        const { element } = statement.value.type;
        const value = bare(laneTexts(this, statement.value)[0]!);
        const folded = this.dialect.blockFold(statement.op, element as "f32" | "i32", value, statement.across);
        return this.line(this.dialect.declare(false, scalarOf(element), this.names.of(statement.name), folded));
      }
      case "atomic-add": {
        const buffer = this.buffer(statement.buffer);
        const index = this.named("i32", indexText(this, statement.index));
        const value = bare(laneTexts(this, statement.value)[0]!);
        const old = this.dialect.atomicAdd({ buffer, memory: buffer.element, index, lane: 0 }, value);
        if (statement.result === undefined) return this.line(this.dialect.ignore(old));
        return this.line(this.dialect.declare(false, "i32", this.names.of(statement.result), old));
      }
      default:
        return this.fragment(statement);
    }
  }

  private fragment(statement: FragmentStatement): void {
    if (!this.dialect.fragment) throw moecError("MOE4240", { target: "this GPU", lacks: "matrices in registers" });
    if (statement.kind === "fragment") this.fragments.set(statement.name, statement);
    this.line(
      this.dialect.fragment(
        statement,
        (name) => this.fragments.get(name)!,
        (name) => this.names.of(name),
        ({ buffer, index }) => ({ buffer: this.buffer(buffer), index: indexText(this, index) }),
      ),
    );
  }

  private steady(bound: Expression): string {
    const text = indexText(this, bound);
    if (bound.kind === "constant") return text;
    const name = `t${this.temporaries++}`;
    this.line(this.dialect.declare(false, "i32", name, bare(text)));
    return name;
  }
}
