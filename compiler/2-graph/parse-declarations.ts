/** Declarations of the graph's text form: the attributes behind a type become the fields of the record. */
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Attrs, AttrValue, TensorType } from "../ops/types.js";
import { STORED_AS } from "./ir.js";
import type { KnobDecl, ParamDecl, StateDecl, WeightSource } from "./ir.js";
import type { TextCursor } from "./text-cursor.js";

export interface DeclarationText {
  readonly path: string;
  readonly type: TensorType;
  readonly attrs: Attrs;
  readonly span?: SourceSpan;
}

/** Readers of one declaration's attributes; each one refuses what it does not know. */
class Fields {
  private readonly left: Set<string>;

  constructor(
    private readonly cursor: TextCursor,
    private readonly attrs: Attrs,
  ) {
    this.left = new Set(Object.keys(attrs));
  }

  private take(name: string): AttrValue | undefined {
    this.left.delete(name);
    return this.attrs[name];
  }

  has(name: string): boolean {
    return this.attrs[name] !== undefined;
  }

  number(name: string): number {
    const value = this.take(name);
    return typeof value === "number" ? value : this.cursor.fail(`a number \`${name}\``);
  }

  whole(name: string): number {
    const value = this.number(name);
    return Number.isSafeInteger(value) && value >= 0 ? value : this.cursor.fail(`a whole number \`${name}\``);
  }

  text(name: string): string {
    const value = this.take(name);
    return typeof value === "string" ? value : this.cursor.fail(`a name \`${name}\``);
  }

  flag(name: string): boolean {
    const value = this.take(name);
    return typeof value === "boolean" ? value : this.cursor.fail(`true or false for \`${name}\``);
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.take(name);
    return choices.find((choice) => choice === value) ?? this.cursor.fail(`\`${name}\` of ${choices.join(", ")}`);
  }

  numbers(name: string): readonly number[] {
    const value = this.take(name);
    const isList = Array.isArray(value) && value.every((item) => typeof item === "number");
    return isList ? value : this.cursor.fail(`numbers \`${name}\``);
  }

  names(name: string): readonly string[] {
    const value = this.take(name);
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    return isList ? value : this.cursor.fail(`names \`${name}\``);
  }

  inner(name: string): Fields {
    const value = this.take(name);
    const isRecord = typeof value === "object" && !Array.isArray(value) && !("key" in value && "constant" in value);
    return isRecord ? new Fields(this.cursor, value as Attrs) : this.cursor.fail(`\`${name}: {…}\``);
  }

  end(): void {
    for (const name of this.left) this.cursor.fail(`no attribute \`${name}\``);
  }
}

function readInit(fields: Fields): NonNullable<ParamDecl["init"]> {
  const kind = fields.oneOf("kind", ["normal", "constant"]);
  const init =
    kind === "normal" ? { kind, deviation: fields.number("deviation") } : { kind, value: fields.number("value") };
  fields.end();
  return init;
}

export function readParam(cursor: TextCursor, text: DeclarationText): ParamDecl {
  const fields = new Fields(cursor, text.attrs);
  const decl: ParamDecl = {
    path: text.path,
    dtype: text.type.dtype,
    axes: text.type.axes,
    layerAxes: fields.whole("layerAxes"),
    ...(fields.has("contracted") ? { contracted: fields.text("contracted") } : {}),
    ...(fields.has("contractedAxes") ? { contractedAxes: fields.names("contractedAxes") } : {}),
    ...(fields.has("formats") ? { formats: fields.names("formats") } : {}),
    ...(fields.has("contractedAxes") ? { contractedAxes: fields.names("contractedAxes") } : {}),
    ...(fields.has("formats") ? { formats: fields.names("formats") } : {}),
    ...(fields.has("storage") ? { storage: fields.oneOf("storage", STORED_AS) } : {}),
    ...(fields.has("init") ? { init: readInit(fields.inner("init")) } : {}),
    ...(text.span ? { span: text.span } : {}),
  };
  fields.end();
  return decl;
}

export function readState(cursor: TextCursor, text: DeclarationText): StateDecl {
  const fields = new Fields(cursor, text.attrs);
  const decl: StateDecl = {
    path: text.path,
    kind: fields.oneOf("kind", ["fixed", "cache"]),
    dtype: text.type.dtype,
    axes: text.type.axes,
    layerAxes: fields.whole("layerAxes"),
    init: fields.number("init"),
  };
  fields.end();
  return decl;
}

export function readKnob(cursor: TextCursor, text: DeclarationText): KnobDecl {
  const fields = new Fields(cursor, text.attrs);
  const range = fields.has("range") ? fields.numbers("range") : undefined;
  if (range && range.length !== 2) cursor.fail("two numbers `range`");
  const decl: KnobDecl = {
    path: text.path,
    dtype: text.type.dtype,
    axes: text.type.axes,
    layerAxes: fields.whole("layerAxes"),
    init: fields.number("init"),
    ...(range ? { range: [range[0]!, range[1]!] as const } : {}),
  };
  fields.end();
  return decl;
}

export function readWeight(cursor: TextCursor, attrs: Attrs): WeightSource {
  const fields = new Fields(cursor, attrs);
  const source: WeightSource = {
    pattern: fields.text("pattern"),
    ...(fields.has("axes") ? { axes: fields.names("axes") } : {}),
    ...(fields.has("interleaved") ? { interleaved: fields.flag("interleaved") } : {}),
  };
  fields.end();
  return source;
}
