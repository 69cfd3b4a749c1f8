/** One call of a builtin: its arguments by name, evaluated when asked for and as what is asked for. */
import type { Argument, CallExpression, Expression } from "../../../grammar/tree.js";
import type { Size } from "../../axes/size.js";
import { closest } from "../../errors/closest.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Attrs, Axis, DType, TensorType } from "../../ops/types.js";
import { at, type Place, type Walk } from "../context.js";
import { counted, describe } from "../describe.js";
import type { Emitted } from "../emitter.js";
import { valueOf, type StaticNumber } from "../numbers.js";
import { unknown, type Value } from "../values.js";
import { evaluate, needBoolean, needNumber, needSize } from "../elaborate/evaluate.js";
import { asTensor, cast, emit, emitOne, needTensor, report, tensor, type ErrorPlaces } from "../elaborate/tensors.js";

export interface BuiltinParameter {
  readonly name: string;
  readonly optional: boolean;
}

/** What the language knows about a function of its own: for calls, hovers, completion and the reference. */
export interface Builtin {
  readonly name: string;
  /** As in the reference: `softmax(x: [.., E], over: E) -> [.., E]`. */
  readonly signature: string;
  readonly doc: string;
  readonly params: readonly BuiltinParameter[];
  readonly run: (call: BuiltinCall) => Value;
}

/** `"x over k?"`: the parameters in order, optional ones with a question mark. */
export function builtin(
  name: string,
  params: string,
  signature: string,
  doc: string,
  run: (call: BuiltinCall) => Value,
): Builtin {
  const list = params
    .split(" ")
    .filter((text) => text !== "")
    .map((text) => ({ name: text.replace("?", ""), optional: text.endsWith("?") }));
  return { name, signature, doc, params: list, run };
}

/** Thrown to leave a builtin whose argument has been complained about. */
export class Stop extends Error {}

export class BuiltinCall {
  readonly span: SourceSpan;
  private readonly args = new Map<string, Expression>();
  private readonly values = new Map<string, Value>();

  constructor(
    readonly walk: Walk,
    readonly definition: Builtin,
    readonly node: CallExpression,
    readonly place: Place,
  ) {
    this.span = at(place, node);
  }

  /** Pairs arguments with parameters; false after an error. */
  bind(): boolean {
    const { params, name } = this.definition;
    let position = 0;
    let named = false;
    let good = true;
    const bad = (code: string, slots: Record<string, string | number>, span: SourceSpan, parts = {}): void => {
      good = false;
      report(this.walk, code, { callee: `\`${name}\``, ...slots }, span, parts);
    };
    for (const argument of this.node.args) {
      named ||= argument.name !== undefined;
      const param = this.paramOf(argument, named, position);
      if (!argument.name && param === params[position]) position++;
      if (!param) {
        if (argument.name) {
          const span = at(this.place, argument.name);
          const known = params.map((other) => other.name);
          const alike = isAxisWord(argument.name.text) && known.includes("over") ? ["over"] : [];
          const fixes = [...alike, ...closest(argument.name.text, known, 2)].map((text) => ({
            title: `write \`${text}\``,
            edits: [{ span, text }],
          }));
          bad("MOE2113", { name: argument.name.text }, span, { help: this.definition.signature, fixes });
        } else
          bad("MOE2112", { count: counted(params.length, "argument") }, at(this.place, argument), {
            help: this.definition.signature,
          });
      } else if (this.args.has(param.name)) bad("MOE2114", { name: param.name }, at(this.place, argument));
      else this.args.set(param.name, argument.value);
    }
    for (const param of params) {
      if (param.optional || this.args.has(param.name)) continue;
      if (good) bad("MOE2115", { name: param.name }, this.span, { help: this.definition.signature });
    }
    return good;
  }

  private paramOf(argument: Argument, named: boolean, position: number): BuiltinParameter | undefined {
    const { params } = this.definition;
    if (argument.name) return params.find((param) => param.name === argument.name!.text);
    const { value } = argument;
    if (named && value.kind === "name") {
      const pun = params.find((param) => param.name === value.name.text && !this.args.has(param.name));
      if (pun) return pun;
    }
    return params[position];
  }

  has(name: string): boolean {
    return this.args.has(name);
  }

  expression(name: string): Expression {
    return this.args.get(name)!;
  }

  spanOf(name: string): SourceSpan {
    const node = this.args.get(name);
    return node ? at(this.place, node) : this.span;
  }

  /** Leaves the builtin with an error. */
  fail(code: string, slots: Record<string, string | number>, name?: string, help?: string): never {
    report(
      this.walk,
      code,
      slots,
      name === undefined ? this.span : this.spanOf(name),
      help === undefined ? {} : { help },
    );
    throw new Stop();
  }

  /** The argument, evaluated once however often it is asked for. */
  value(name: string): Value {
    const value = this.values.get(name) ?? evaluate(this.walk, this.expression(name), this.place);
    this.values.set(name, value);
    if (value.kind === "unknown") throw new Stop();
    return value;
  }

  tensor(name: string, dtype?: DType): Emitted {
    const value = this.value(name);
    const result = needTensor(this.walk, value, this.spanOf(name), dtype, this.definition.name);
    if (!result) throw new Stop();
    // Whole numbers are numbers; truth values are not, and the op will say so.
    return dtype === "f32" && typeOf(result).dtype === "i32"
      ? cast(this.walk, result, "f32", this.spanOf(name))
      : result;
  }

  routes(name: string): Emitted {
    const value = this.value(name);
    if (value.kind === "tensor" && value.value.type.kind === "routes") return value.value;
    return this.fail(
      "MOE2048",
      { op: this.definition.name, expected: "routes", found: describe(this.walk, value) },
      name,
      value.kind === "tensor" ? "`choose(p, top: k)` makes routes of weights" : undefined,
    );
  }

  /** A tensor or a number, for elementwise use. */
  maybeNumber(name: string): StaticNumber | undefined {
    const value = this.value(name);
    return value.kind === "number" || value.kind === "axis"
      ? needNumber(this.walk, value, this.spanOf(name))
      : undefined;
  }

  number(name: string): StaticNumber {
    const number = needNumber(this.walk, this.value(name), this.spanOf(name));
    if (!number) throw new Stop();
    return number;
  }

  /** A number as a double; 1 while it depends on a symbol, when only types are derived. */
  double(name: string, otherwise: number): number {
    return this.has(name) ? (valueOf(this.number(name)) ?? 1) : otherwise;
  }

  size(name: string): Size {
    const size = needSize(this.walk, this.value(name), this.spanOf(name));
    if (!size) throw new Stop();
    return size;
  }

  /** A computed number as a size; symbols are assumed to divide. */
  exact(number: StaticNumber, name: string): Size {
    const size = needSize(this.walk, { kind: "number", number }, this.spanOf(name));
    if (!size) throw new Stop();
    return size;
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.has(name) ? (needBoolean(this.walk, this.value(name), this.spanOf(name)) ?? otherwise) : otherwise;
  }

  /** One of a few words, written bare: `overflow: drop`. */
  word<W extends string>(name: string, words: readonly W[], otherwise: W): W {
    const node = this.args.get(name);
    if (!node) return otherwise;
    const text = node.kind === "name" ? node.name.text : node.kind === "string" ? node.value : "";
    const found = words.find((word) => word === text);
    return found ?? this.fail("MOE2094", { found: text, words: words.map((word) => `\`${word}\``).join(", ") }, name);
  }

  /** The name of an axis, as written. */
  axis(name: string): string {
    const node = this.expression(name);
    if (node.kind === "name") {
      const binding = this.place.scope.lookup(node.name.text);
      if (binding?.span) this.walk.info?.definition(at(this.place, node), binding.span, binding.doc);
      return node.name.text;
    }
    return this.fail("MOE2095", {}, name);
  }

  /** One axis name or a list of them. */
  axes(name: string): readonly string[] {
    const node = this.expression(name);
    if (node.kind !== "list") return [this.axis(name)];
    return node.items.map((item) =>
      item.value.kind === "name" ? item.value.name.text : this.fail("MOE2095", {}, name),
    );
  }

  /** A list that makes axes: `[T = 16, D]`. */
  newAxes(name: string): readonly Axis[] {
    return this.axisList(this.expression(name)).map(({ name: axis, size }) =>
      size ? { name: axis, size } : this.fail("MOE2096", { axis }, name),
    );
  }

  /** A list of axes, each with its size where one is written or known. */
  axisList(node: Expression): readonly { readonly name: string; readonly size?: Size }[] {
    const items = node.kind === "list" ? node.items : [{ value: node }];
    return items.map((item) => {
      if ("name" in item && item.name) {
        const size = needSize(this.walk, evaluate(this.walk, item.value, this.place), at(this.place, item.value));
        if (!size) throw new Stop();
        return { name: item.name.text, size };
      }
      if (item.value.kind !== "name") {
        report(this.walk, "MOE2095", {}, at(this.place, item.value));
        throw new Stop();
      }
      const text = item.value.name.text;
      const known = this.place.scope.lookup(text)?.value();
      if (known?.kind === "unknown" || (!known && this.place.scope.tainted)) throw new Stop();
      return known?.kind === "axis" ? { name: text, size: known.size } : { name: text };
    });
  }

  /** What is too large is the number, not the tensor. */
  private places(): ErrorPlaces {
    return this.has("k") ? { MOE2046: this.spanOf("k") } : {};
  }

  /** Emits an op with several results. */
  emitAll(name: string, operands: readonly Emitted[], attrs: Attrs, args: readonly string[] = []): readonly Emitted[] {
    const spans = args.map((argument) => this.spanOf(argument));
    const results = emit(this.walk, name, operands, attrs, this.span, spans, undefined, this.places());
    if (!results) throw new Stop();
    return results;
  }

  /** Emits an op with one result. */
  emit(name: string, operands: readonly Emitted[], attrs: Attrs, args: readonly string[] = []): Emitted {
    const spans = args.map((argument) => this.spanOf(argument));
    const result = emitOne(this.walk, name, operands, attrs, this.span, spans, this.places());
    if (!result) throw new Stop();
    return result;
  }

  constant(value: number, dtype: DType = "f32"): Emitted {
    return this.emit("constant", [], { value, dtype });
  }

  asTensor(value: Value, dtype?: DType): Emitted {
    const result = asTensor(this.walk, value, this.span, dtype);
    if (!result) throw new Stop();
    return result;
  }

  /** The axis the tensor has under this name; an error that lists its axes when it has none. */
  axisOf(value: Emitted, axis: string, argument: string): Axis {
    const axes = value.type.kind === "tensor" ? value.type.axes : value.type.tokens;
    const found = axes.find((candidate) => candidate.name === axis);
    if (found) return found;
    const names = axes.map((candidate) => candidate.name);
    const node = this.args.get(argument);
    const span = this.spanOf(argument);
    const fixes =
      node?.kind === "name" ? names.map((text) => ({ title: `write \`${text}\``, edits: [{ span, text }] })) : [];
    report(this.walk, "MOE2042", { op: this.definition.name, axis, axes: names.join(", ") }, span, { fixes });
    throw new Stop();
  }

  /** Makes the name of a new axis known to what follows. */
  introduce(name: string, size: Size): void {
    if (!this.place.scope.lookup(name)) this.place.scope.defineValue(name, { kind: "axis", name, size });
  }
}

export function typeOf(value: Emitted): TensorType {
  if (value.type.kind !== "tensor") throw new Stop();
  return value.type;
}

export function result(value: Emitted): Value {
  return tensor(value);
}

export { unknown };

/** What other libraries call the axis that a function works along. */
function isAxisWord(name: string): boolean {
  return name === "dim" || name === "axis" || name === "dims";
}
