/**
 * One kernel as the source of a JavaScript function `(m, address, end, scalar, from, to)`: views of the memory, byte
 * addresses and ends of the buffers, scalar parameters, and the range of blocks.
 *
 * With one thread the body is a plain loop. With more, the body of a thread is a generator that yields at every barrier,
 * and all threads of a block run from barrier to barrier in turn.
 */
import type { FragmentDeclaration } from "../kernel-fragments.js";
import { functionBody, functionOps, type FunctionBody } from "../kernel-functions.js";
import type { Expression, Kernel, MemoryType, Statement } from "../kernel-ir.js";
import { memoryBytes } from "../kernel-types.js";
import {
  laneTexts,
  named,
  registerName,
  viewIndex,
  type BufferPlace,
  type ByteReading,
  type Writer,
} from "./expressions.js";
import { writeFragment } from "./fragments.js";
import { encoded, viewNames, viewOf } from "./memory.js";
import { declaredNames, LONGEST_STATEMENT, partOf, partsHead } from "./parts.js";

class KernelWriter implements Writer {
  lines: string[] = [];
  /** What stands before the kernel's function: memory that its blocks share. */
  private readonly outside: string[] = [];
  /** Functions of long statements. */
  private readonly parts: string[] = [];
  /** Names that parts may take over: of registers, of what the kernel declares, and of the thread that runs it. */
  private readonly known = new Set(["$$thread", ...viewNames.map((view) => `m_${view}`)]);
  private readonly booleans = new Set<string>();
  private temporaries = 0;
  /** Most registers that one part writes. */
  private results = 0;
  private readonly places = new Map<string, BufferPlace>();
  private readonly fragments = new Map<string, FragmentDeclaration>();

  constructor(
    readonly kernel: string,
    readonly checked: boolean,
    readonly byteReading: ByteReading = "signed",
    private readonly threads = 1,
  ) {}

  line(text: string): void {
    if (/^(const|let|for) /.test(text)) for (const name of declaredNames(text)) this.known.add(name);
    this.lines.push(text);
  }

  /** A loop or a branch; as a function of its own where it is long and no thread waits in it. */
  private block(write: () => void): void {
    const { lines } = this;
    this.lines = [];
    write();
    const text = this.lines.join("\n");
    this.lines = lines;
    if (text.length <= LONGEST_STATEMENT || text.includes("yield;")) return void lines.push(text);
    const name = `run_${this.kernel}_${this.parts.length}`;
    const { source, call, results } = partOf(name, text, this.known, this.booleans);
    this.results = Math.max(this.results, results);
    this.parts.push(source);
    lines.push(call);
  }

  /** As `line`, for what is made once for all launches. */
  once(text: string): void {
    const { lines } = this;
    this.lines = this.outside;
    this.line(text);
    this.lines = lines;
  }

  /** What stands before the kernel's function. */
  head(): string {
    return [...this.outside, ...(this.parts.length > 0 ? [partsHead(this.results)] : []), ...this.parts].join("\n");
  }

  /** The register of a function's parameter. */
  parameter(name: string): string {
    const register = registerName(name, 0, 1);
    this.known.add(register);
    return register;
  }

  fresh(): string {
    return `t${this.temporaries++}`;
  }

  place(place: BufferPlace): void {
    this.places.set(place.name, place);
  }

  buffer(name: string): BufferPlace {
    const place = this.places.get(name);
    if (!place) throw new TypeError(`kernel ${this.kernel}: ${name} is no buffer`);
    return place;
  }

  private declare(word: "const" | "let", name: string, value: Expression): void {
    const texts = laneTexts(this, value);
    texts.forEach((text, lane) => {
      const register = registerName(name, lane, texts.length);
      if (value.type.element === "bool") this.booleans.add(register);
      this.line(`${word} ${register} = ${text};`);
    });
  }

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.statement(statement);
  }

  private statement(statement: Statement): void {
    switch (statement.kind) {
      case "let":
        return this.declare("const", statement.name, statement.value);
      case "var":
        return this.declare("let", statement.name, statement.value);
      case "assign": {
        const { lanes } = statement.value.type;
        // All lanes are computed before the first is written: a shuffle may read its own register.
        const texts = laneTexts(this, statement.value).map((text) => (lanes === 1 ? text : named(this, text)));
        const copies = texts.map((text) => (lanes > 1 && text.startsWith("$") ? this.copy(text) : text));
        copies.forEach((text, lane) => this.line(`${registerName(statement.name, lane, lanes)} = ${text};`));
        return;
      }
      case "store":
        return this.store(statement.buffer, statement.as, statement.index, statement.value);
      case "for": {
        const from = laneTexts(this, statement.from)[0]!;
        const to = this.copy(laneTexts(this, statement.to)[0]!);
        const name = registerName(statement.name, 0, 1);
        return this.block(() => {
          this.line(`for (let ${name} = ${from}; ${name} < ${to}; ${name} = ${name} + ${statement.step} | 0) {`);
          this.statements(statement.body);
          this.line("}");
        });
      }
      case "if": {
        const condition = laneTexts(this, statement.condition)[0]!;
        return this.block(() => {
          this.line(`if (${condition}) {`);
          this.statements(statement.then);
          if (statement.else.length > 0) {
            this.line("} else {");
            this.statements(statement.else);
          }
          this.line("}");
        });
      }
      case "barrier":
        // Alone, a thread never waits.
        return this.threads > 1 ? this.line("yield;") : undefined;
      case "prefetch":
        return;
      case "block-fold":
        return this.fold(statement);
      case "atomic-add": {
        const buffer = this.buffer(statement.buffer);
        const start = named(this, viewIndex(this, buffer, undefined, statement.index, 1, "written"));
        const element = `${buffer.views}i32[${start}]`;
        const value = laneTexts(this, statement.value)[0]!;
        if (statement.result === undefined) return this.line(`${element} += ${value};`);
        const name = registerName(statement.result, 0, 1);
        this.line(`const ${name} = ${element};`);
        return this.line(`${element} = ${name} + ${value};`);
      }
      default:
        if (statement.kind === "fragment") this.fragments.set(statement.name, statement);
        return writeFragment(this, statement, this.threads, (name) => this.fragments.get(name)!);
    }
  }

  /** Threads run in turn up to a barrier, so the first one finds an empty list and the last one leaves a full one. */
  private fold({ name, op, value, across }: Statement & { kind: "block-fold" }): void {
    const own = laneTexts(this, value)[0]!;
    const register = registerName(name, 0, 1);
    if (this.threads === 1) return this.line(`const ${register} = ${own};`);
    this.line(`$$folded[$$thread] = ${own}; yield;`);
    const pair = { type: value.type } as const;
    const a = { ...pair, kind: "get", name: "folded_a" } as const;
    const b = { ...pair, kind: "get", name: "folded_b" } as const;
    const joined = op === "first" ? a : ({ ...pair, kind: "binary", op, left: a, right: b } as const);
    const [first, second] = [registerName(a.name, 0, 1), registerName(b.name, 0, 1)];
    // Those whose numbers are the same in all bits but the ones that are folded across.
    const mine = across === undefined ? "" : `.filter((_, i) => ((i ^ $$thread) & ${~across}) === 0)`;
    this.line(
      `const ${register} = $$folded${mine}.reduce((${first}, ${second}) => ${laneTexts(this, joined)[0]!}); yield;`,
    );
  }

  private copy(text: string): string {
    const name = this.fresh();
    this.line(`const ${name} = ${text};`);
    return name;
  }

  private store(name: string, as: MemoryType | undefined, index: Expression, value: Expression): void {
    const buffer = this.buffer(name);
    const memory = as ?? buffer.element;
    const { lanes } = value.type;
    const start = viewIndex(this, buffer, as, index, lanes, "written");
    const base = lanes === 1 ? start : named(this, start);
    const texts = laneTexts(this, value).map((text) => (lanes === 1 ? text : named(this, text)));
    texts.forEach((text, lane) =>
      this.line(
        `${buffer.views}${viewOf[memory]}[${lane === 0 ? base : `${base} + ${lane}`}] = ${encoded(memory, text)};`,
      ),
    );
  }
}

let functions: string | undefined;

/** Source of the functions that kernels call: exp, log, sin, cos, tanh on one lane. */
export function functionsSource(): string {
  return (functions ??= writeFunctions());
}

function writeFunctions(): string {
  return functionOps.map((op) => functionSource(op, functionBody(op, 1))).join("\n");
}

/** Source of one function of a lane; its long loops stand beside it, in a scope of their own. */
export function functionSource(name: string, { parameter, body, result }: FunctionBody): string {
  const writer = new KernelWriter(name, false);
  const argument = writer.parameter(parameter);
  writer.statements(body);
  const value = laneTexts(writer, result)[0]!;
  const own = `function (${argument}) {\n${writer.lines.join("\n")}\nreturn ${value};\n}`;
  return `const ${name} = (() => {\n${writer.head()}\nreturn ${own};\n})();`;
}

const viewsOf = (prefix: string, memory: string): string =>
  viewNames.map((view) => `const ${prefix}${view} = ${memory}.${view};`).join(" ");

/** Each block finds its memory as if nobody had been there before. */
function blockBuffers(kernel: Kernel, writer: KernelWriter, space: "shared" | "local"): void {
  // Threads of a block have local memory of their own each; else blocks come one after the other.
  const each = space === "local" && kernel.threads > 1;
  for (const { name, element, length, space: own } of kernel.blockBuffers) {
    if (own !== space) continue;
    const bytes = Math.ceil((length * memoryBytes[element]) / 4) * 4;
    const made = `const b_${name} = block(${bytes}); ${viewsOf(`b_${name}_`, `b_${name}`)} const e_${name} = ${bytes};`;
    if (each) writer.line(made);
    else {
      writer.once(made);
      writer.line(`b_${name}.u8.fill(255);`);
    }
    writer.place({ name, element, views: `b_${name}_`, address: "0", end: `e_${name}` });
  }
}

/** Source of the body of `new Function("fround", "n", "fail", "divided", "block", "uneven", source)`. */
export function kernelSource(kernel: Kernel, checked: boolean, byteReading: ByteReading): string {
  const writer = new KernelWriter(kernel.name, checked, byteReading, kernel.threads);
  kernel.buffers.forEach(({ name, element }, i) => {
    writer.line(`const a_${name} = address[${i}]; const e_${name} = end[${i}];`);
    writer.place({ name, element, views: "m_", address: `a_${name}`, end: `e_${name}` });
  });
  kernel.scalars.forEach(({ name }, i) => writer.line(`const ${registerName(name, 0, 1)} = scalar[${i}];`));
  writer.line("for (let $$block = from; $$block < to; $$block++) {");
  blockBuffers(kernel, writer, "shared");
  if (kernel.threads === 1) {
    writer.line("const $$thread = 0;");
    blockBuffers(kernel, writer, "local");
    writer.statements(kernel.body);
  } else {
    writer.line(`const $$folded = new Array(${kernel.threads});`);
    writer.line("const body = function* ($$thread) {");
    blockBuffers(kernel, writer, "local");
    writer.statements(kernel.body);
    writer.line("};");
    writer.line(`const threads = Array.from({ length: ${kernel.threads} }, (_, thread) => body(thread));`);
    writer.line("for (;;) { let done = 0; for (const thread of threads) if (thread.next().done) done++;");
    writer.line(`if (done === ${kernel.threads}) break; if (done > 0) uneven(${JSON.stringify(kernel.name)}); }`);
  }
  writer.line("}");
  const head = `"use strict";\n${functionsSource()}\n${writer.head()}\nreturn function run_${kernel.name}(m, address, end, scalar, from, to) {`;
  return `${head}\n${viewsOf("m_", "m")}\n${writer.lines.join("\n")}\n};`;
}
