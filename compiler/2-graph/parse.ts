/** Reads the text form of a program (`print.ts`) back. Types and structure are for `verify` to check. */
import { Size } from "../axes/size.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Attrs, AttrValue, Axis, DType, TensorType, ValueType } from "../ops/types.js";
import { DERIVED_FORMS } from "./ir.js";
import type { Derivation, Entry, Node, Program, Region, Value, WeightSource } from "./ir.js";
import { readKnob, readParam, readState, readWeight } from "./parse-declarations.js";
import { TextCursor } from "./text-cursor.js";

/** Regions in regions in a text: far above any model, far below the call stack. */
const maximalDepth = 200;

/**
 * The program that `printProgram` printed.
 *
 * @throws MoecError MOE2077 with the offset, on anything else.
 */
export function parseProgram(text: string): Program {
  const reader = new Reader(new TextCursor(text));
  return reader.program();
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class Reader {
  constructor(private readonly cursor: TextCursor) {}

  program(): Program {
    const { cursor } = this;
    cursor.expect("program");
    const name = cursor.name();
    cursor.expect("{");
    cursor.expect("sizes");
    const runtimeSizes: string[] = [];
    // The list may be empty: then the next line begins with a word that names a part.
    while (cursor.peek() !== "}" && !this.atPart()) {
      runtimeSizes.push(cursor.name());
      if (!cursor.take(",")) break;
    }
    const parts = { params: [], states: [], knobs: [], entries: [], weightNames: {}, settings: {} };
    const program: Writable<Program> = { name, runtimeSizes, ...parts };
    while (!cursor.take("}")) this.part(program);
    if (!cursor.atEnd()) cursor.fail("the end");
    return program;
  }

  private atPart(): boolean {
    return this.cursor.follows(/(?:setting|param|state|knob|weights|entry)[ ]/y);
  }

  private part(program: Writable<Program>): void {
    const { cursor } = this;
    if (cursor.take("setting")) {
      const name = cursor.name();
      cursor.expect("=");
      program.settings = { ...program.settings, [name]: cursor.json() };
    } else if (cursor.take("param")) program.params = [...program.params, readParam(cursor, this.declaration())];
    else if (cursor.take("state")) program.states = [...program.states, readState(cursor, this.declaration())];
    else if (cursor.take("knob")) program.knobs = [...program.knobs, readKnob(cursor, this.declaration())];
    else if (cursor.take("weights")) {
      const format = cursor.name();
      program.weightNames = { ...program.weightNames, [format]: this.weights() };
    } else if (cursor.take("entry")) program.entries = [...program.entries, this.entry()];
    else cursor.fail("a declaration, an entry or `}`");
  }

  private declaration() {
    const path = this.cursor.name();
    this.cursor.expect(":");
    const type = this.tensorType();
    const attrs = this.attrs();
    const span = this.span();
    return { path, type, attrs, ...(span ? { span } : {}) };
  }

  private weights(): Readonly<Record<string, WeightSource>> {
    const { cursor } = this;
    const sources: [string, WeightSource][] = [];
    cursor.expect("{");
    while (!cursor.take("}")) {
      const path = cursor.name();
      cursor.expect(":");
      sources.push([path, readWeight(cursor, this.attrs())]);
    }
    return Object.fromEntries(sources);
  }

  private entry(): Entry {
    const name = this.cursor.name();
    const derived = this.derivation();
    const inputs = this.list("(", ")", () => this.cursor.name());
    this.cursor.expect("->");
    const outputs = this.list("(", ")", () => this.cursor.name());
    return { name, ...(derived ? { derived } : {}), inputs, outputs, body: this.region(0) };
  }

  private derivation(): Derivation | undefined {
    const form = DERIVED_FORMS.find((each) => this.cursor.take(each));
    if (form === undefined) return undefined;
    this.cursor.expect("of");
    return { from: this.cursor.name(), form };
  }

  private region(depth: number): Region {
    const { cursor } = this;
    if (depth > maximalDepth) cursor.fail(`at most ${maximalDepth} regions in one another`);
    const params = this.list("(", ")", () => this.value());
    cursor.expect("=>");
    cursor.expect("{");
    const nodes: Node[] = [];
    while (!cursor.take("return")) nodes.push(this.node(depth));
    const results = cursor.peek() === "%" ? this.ids() : [];
    cursor.expect("}");
    return { params, nodes, results };
  }

  private node(depth: number): Node {
    const { cursor } = this;
    const results: Value[] = [];
    if (!cursor.take("=")) {
      do results.push(this.value());
      while (cursor.take(","));
      cursor.expect("=");
    }
    const op = cursor.name();
    // The next line may begin with the results of the next node.
    const operands = cursor.onSameLine("%") ? this.ids() : [];
    const attrs = cursor.peek() === "{" ? this.attrs() : {};
    const regions: Region[] = [];
    while (cursor.peek() === "(") regions.push(this.region(depth + 1));
    const span = this.span();
    return { op, operands, attrs, regions, results, ...(span ? { span } : {}) };
  }

  private id(): number {
    this.cursor.expect("%");
    return this.cursor.whole();
  }

  private ids(): number[] {
    const ids = [this.id()];
    while (this.cursor.take(",")) ids.push(this.id());
    return ids;
  }

  private value(): Value {
    const id = this.id();
    const name = this.cursor.peek() === ":" ? undefined : this.cursor.name();
    this.cursor.expect(":");
    const type = this.type();
    return name === undefined ? { id, type } : { id, type, name };
  }

  private type(): ValueType {
    if (!this.cursor.take("routes")) return this.tensorType();
    this.cursor.expect("[");
    const tokens: Axis[] = [];
    while (this.cursor.peek() !== ";") {
      tokens.push(this.axis());
      if (!this.cursor.take(",")) break;
    }
    this.cursor.expect(";");
    const experts = this.axis();
    this.cursor.expect(";");
    const slots = this.cursor.size("]");
    this.cursor.expect("]");
    return { kind: "routes", tokens, experts, slots };
  }

  private tensorType(): TensorType {
    const dtype = this.cursor.match(/f32|i32|bool/y, "a type") as DType;
    const axes = this.cursor.peek() === "[" ? this.list("[", "]", () => this.axis()) : [];
    return { kind: "tensor", dtype, axes };
  }

  private axis(): Axis {
    const name = this.cursor.name();
    return { name, size: this.cursor.take("=") ? this.cursor.size(",];") : Size.of(name) };
  }

  private list<T>(open: string, close: string, item: () => T): T[] {
    const items: T[] = [];
    this.cursor.expect(open);
    if (this.cursor.take(close)) return items;
    do items.push(item());
    while (this.cursor.take(","));
    this.cursor.expect(close);
    return items;
  }

  private span(): SourceSpan | undefined {
    if (!this.cursor.take("@")) return undefined;
    const file = this.cursor.quoted();
    this.cursor.expect(":");
    const start = this.cursor.whole();
    this.cursor.expect("-");
    return { file, start, end: this.cursor.whole() };
  }

  private attrs(depth = 0): Attrs {
    const fields = this.list("{", "}", (): [string, AttrValue] => {
      const name = this.cursor.name();
      this.cursor.expect(":");
      return [name, this.attr(depth + 1)];
    });
    return Object.fromEntries(fields);
  }

  private attr(depth: number): AttrValue {
    const { cursor } = this;
    if (depth > maximalDepth) cursor.fail(`at most ${maximalDepth} brackets in one another`);
    const next = cursor.peek();
    if (next === "<") return this.size();
    if (next === "[") return this.list("[", "]", () => this.attr(depth + 1));
    if (next === "{") return this.attrs(depth);
    if (next === '"') return cursor.quoted();
    if (cursor.take("true")) return true;
    if (cursor.take("false")) return false;
    if (cursor.take("nan")) return NaN;
    if (cursor.take("inf")) return Infinity;
    if (cursor.take("-inf")) return -Infinity;
    if (/[-\d]/.test(next)) return Number(cursor.match(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/y, "a number"));
    return cursor.name();
  }

  private size(): Size {
    this.cursor.expect("<");
    const size = this.cursor.size(">");
    this.cursor.expect(">");
    return size;
  }
}
