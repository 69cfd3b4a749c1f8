/**
 * A model around one declaration of the library: sizes and settings are drawn from a seed within what `hints.ts` allows,
 * every argument becomes an input of the entry, the first axis that a call can decide is the axis of tokens.
 */
import type { AxisUse, Expression, NamedType, Parameter, TypeExpression } from "../../../grammar/index.js";
import { seedOf } from "../../schedule/inputs.js";
import type { LibraryDeclaration } from "./declarations.js";
import type { Hint, Sizes } from "./hints.js";

/** Draws whole numbers; the same seed gives the same numbers everywhere. */
export class Draw {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  }

  /** Between `from` and `to`, both possible. */
  between(from: number, to: number): number {
    let h = (this.state = (Math.imul(this.state, 0x2c1b3c6d) + 0x297a2d39) >>> 0);
    h = Math.imul(h ^ (h >>> 15), 0x9e3779b1) >>> 0;
    return from + (((h ^ (h >>> 13)) >>> 0) % (to - from + 1));
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)]!;
  }
}

/** Axes that are often even or that bound a number of choices. */
const RANGES: Readonly<Record<string, readonly number[]>> = {
  C: [2, 4, 6],
  D: [1, 2, 5, 8],
  E: [1, 2, 5, 6],
  H: [1, 2, 3],
};
const USUAL = [1, 2, 3, 5] as const;

/** What an argument must look like for the formula to mean something; `$` stands for numbers in -2..2. */
const DOMAINS: Readonly<Record<string, string>> = {
  p: "softmax($, over: LAST)",
  gates: "relu($)",
  variance: "exp($)",
  deviation: "exp($)",
  prior_deviation: "exp($)",
};

export interface DrawnModel {
  readonly text: string;
  readonly sizes: Sizes;
}

class ModelWriter {
  private readonly members: string[] = [];
  private readonly inputs: string[] = [];
  private readonly imports = new Set<string>();
  private readonly sizes: Record<string, number> = {};
  private readonly runtime: string | undefined;

  constructor(
    private readonly decl: LibraryDeclaration,
    private readonly hint: Hint,
    private readonly draw: Draw,
  ) {
    for (const axis of decl.axes) this.size(axis);
    this.runtime = this.runtimeAxis();
  }

  /** The size of an axis, drawn when it is first asked for. */
  private size(axis: string): number {
    return (this.sizes[axis] ??= this.draw.of(this.hint.sizes?.[axis] ?? RANGES[axis] ?? USUAL));
  }

  private get isFunction(): boolean {
    return this.decl.contract === "fn" || this.decl.contract === "loss" || this.decl.contract === "probe";
  }

  private get arguments(): readonly Parameter[] {
    return this.isFunction ? this.decl.settings : this.decl.inputs;
  }

  /** The axis whose size a call decides: what the hint says, else T, else the first that nothing else decides. */
  private runtimeAxis(): string | undefined {
    if (this.hint.runtime !== undefined) return this.hint.runtime === "" ? undefined : this.hint.runtime;
    const free = this.arguments.flatMap(({ type }) =>
      type?.kind === "named-type"
        ? (type.axes ?? []).flatMap(({ name, size }) => (name && !size ? [name.text] : []))
        : [],
    );
    const open = this.isFunction ? free : free.filter((axis) => !this.decl.axes.includes(axis));
    return open.includes("T") ? "T" : open[0];
  }

  /** A size expression of the library in numbers. */
  private number(expression: Expression): string {
    switch (expression.kind) {
      case "number":
        return String(expression.value);
      case "name":
        return String(this.size(expression.name.text));
      case "binary":
        return `(${this.number(expression.left)} ${expression.operator} ${this.number(expression.right)})`;
      default:
        throw new Error(`${this.decl.name}: a size by ${expression.kind} needs a hint`);
    }
  }

  /** An axis of an input, and whether tokens run along it. */
  private axis(use: AxisUse): string {
    const name = use.name?.text;
    if (name !== undefined && name === this.runtime) return "T";
    // The axis of tokens of the entry is called T: an axis of the same name but fixed size is renamed by position.
    const own = name === "T" ? "T2" : name;
    const said = use.size ?? (name === undefined || name in this.sizes ? undefined : this.decl.sized.get(name));
    const size = said ? this.number(said) : String(this.size(name!));
    if (name !== undefined && /^\d+$/.test(size)) this.sizes[name] = Number(size);
    return own === undefined ? size : `${own} = ${size}`;
  }

  private input(parameter: string, type: NamedType): string {
    const name = `in_${parameter}`;
    const axes = (type.axes ?? []).map((axis) => this.axis(axis));
    // A module for one token is given tokens.
    const batch = !axes.includes("T") && this.runtime === undefined && !this.hint.single;
    const written = batch ? ["T", ...axes] : axes;
    const kind = type.name?.text === "int" ? "int" : "";
    this.inputs.push(`${name}: ${kind}[${written.join(", ")}]`);
    const last = (written.at(-1) ?? "T").split(" ")[0]!;
    const domain = this.hint.inputs?.[parameter] ?? (kind === "" ? DOMAINS[parameter] : undefined) ?? "$";
    const value = domain.replaceAll("LAST", last).replaceAll("$", name);
    return type.name?.text === "bool" ? `(${value} > 0)` : value;
  }

  private instance(type: NamedType): string {
    const name = type.name!.text;
    this.imports.add(name);
    const axes = (type.axes ?? []).map((axis) =>
      axis.size ? this.number(axis.size) : String(this.size(axis.name!.text)),
    );
    return axes.length === 0 ? name : `${name}[${axes.join(", ")}]`;
  }

  /** A module or number that a parameter asks for. Undefined leaves its default. */
  private setting(parameter: Parameter): string | undefined {
    const name = parameter.name.text;
    const hinted = this.hint.values?.[name];
    if (hinted !== undefined) return this.draw.of(typeof hinted === "function" ? hinted(this.sizes) : hinted);
    const type = parameter.type;
    if (type?.kind !== "named-type") return undefined;
    const word = type.name?.text;
    if (word === "int" && name === "k") return String(this.draw.between(1, this.choices()));
    if (parameter.default) return undefined;
    switch (word) {
      case "int":
        return String(this.draw.between(1, 3));
      case "float":
        return this.draw.of(["0.5", "1.0", "2.0"]);
      case "bool":
        return this.draw.of(["true", "false"]);
      case "mask":
        this.imports.add("Causal");
        return "Causal";
      case "matrix":
        this.imports.add("Dense");
        return "Dense";
      case "bank":
        return this.use(name, `${String(this.size("E"))} of ${this.module()}`);
      case "block":
        return this.use(name, this.module());
      default:
        return this.use(name, this.instance(type));
    }
  }

  private module(): string {
    this.imports.add("SwiGLU");
    return `SwiGLU[${String(this.size("D"))}, 3]`;
  }

  private use(name: string, value: string): string {
    this.members.push(`use own_${name} = ${value}`);
    return `own_${name}`;
  }

  /** How many there are to choose from. */
  private choices(): number {
    const axis = ["E", "R", "N", "F", "V"].find((each) => each in this.sizes);
    return axis === undefined ? 1 : this.sizes[axis]!;
  }

  private value(parameter: Parameter): string | undefined {
    const type: TypeExpression | undefined = parameter.type;
    const tensors = this.arguments.some((each) => each.type?.kind === "named-type" && each.type.axes !== undefined);
    if (type?.kind === "named-type" && this.hint.values?.[parameter.name.text] === undefined) {
      if (type.name?.text === "routes") {
        const e = `E = ${String(this.size("E"))}`;
        this.inputs.push(`in_${parameter.name.text}: [T, ${e}]`);
        const k = this.draw.between(1, this.size("E"));
        return `choose(softmax(in_${parameter.name.text}, over: E), top: ${String(k)})`;
      }
      const tensor = type.axes !== undefined && (type.name === undefined || /^(int|bool|f32)$/.test(type.name.text));
      if (tensor) return this.input(parameter.name.text, type);
      // Functions of numbers work on tensors entry by entry.
      if (!tensors && this.isFunction && type.name?.text === "float" && !parameter.default) {
        this.inputs.push(`in_${parameter.name.text}: [T]`);
        return (this.hint.inputs?.[parameter.name.text] ?? "$").replaceAll("$", `in_${parameter.name.text}`);
      }
    }
    return this.setting(parameter);
  }

  private list(parameters: readonly Parameter[], value: (parameter: Parameter) => string | undefined): string {
    return parameters
      .flatMap((parameter) => {
        const text = value(parameter);
        return text === undefined ? [] : [`${parameter.name.text}: ${text}`];
      })
      .join(", ");
  }

  /** Positional arguments: a call of a module has no names. */
  private positional(): string {
    return this.arguments.map((parameter) => this.value(parameter)).join(", ");
  }

  private body(): string {
    const { decl, hint } = this;
    if (this.isFunction) {
      const call = `${decl.name}(${this.list(decl.settings, (parameter) => this.value(parameter))})`;
      return (hint.result ?? "$").replaceAll("$", call);
    }
    const axes = decl.axes.length === 0 ? "" : `[${decl.axes.map((axis) => String(this.size(axis))).join(", ")}]`;
    const settings = this.list(decl.settings, (parameter) => this.setting(parameter));
    const instance = `${decl.name}${axes}${settings === "" ? "" : `(${settings})`}`;
    if (decl.contract === "mask") return this.masked(instance);
    if (decl.contract === "schedule") return "in_x * $()".replace("$", decl.name);
    this.members.push(`use m = ${instance}`);
    if (decl.densify) {
      const d = decl.axes[0]!;
      const more = `densified(x: [T, ${d} = ${String(this.size(d))}]) => x @ m.densify()`;
      this.more.push(more);
    }
    const call = `m(${this.positional()})`;
    const usual = decl.contract === "router" ? "weights($)" : "$";
    return (hint.result ?? usual).replaceAll("$", call);
  }

  private readonly more: string[] = [];

  private masked(instance: string): string {
    const heads = this.size("H");
    const width = this.draw.of([2, 4]);
    this.members.push(`param q: [D = 5, H = ${String(heads)}, C = ${String(width)}]`);
    this.members.push(`param k: [D = 5, H = ${String(heads)}, C = ${String(width)}]`);
    this.inputs.push("in_x: [T, D = 5]");
    return `attend(in_x @ q, (in_x @ k)[T -> S], (in_x @ k)[T -> S], mask: ${instance}, query: T)`;
  }

  write(): DrawnModel {
    if (this.decl.contract === "schedule") this.inputs.push("in_x: [T]");
    const body = this.body();
    const imports = [...this.imports].filter((name) => name !== this.decl.name);
    const own = `import { ${this.decl.name} } from "../../${this.decl.file}"\n`;
    const std = imports.length === 0 ? "" : `import { ${imports.join(", ")} } from "std"\n`;
    const entries = [`forward(${this.inputs.join(", ")}) => ${body}`, ...this.more];
    return {
      text: `${own}${std}model Sample {\n  ${[...this.members, ...entries].join("\n  ")}\n}\n`,
      sizes: this.sizes,
    };
  }
}

/** A model around the declaration, with sizes and settings by the seed. */
export function drawModel(decl: LibraryDeclaration, hint: Hint, seed: number): DrawnModel {
  return new ModelWriter(decl, hint, new Draw(seedOf(decl.name, { start: seed }))).write();
}
