/**
 * Walks a recipe: every parameter of what it makes becomes a value of its sources' parameters. The same walk checks a
 * recipe for all sizes, makes the modules of tests, and emits the graph of a conversion.
 */
import type { AssertStatement, Expression, Statement } from "../../../grammar/tree.js";
import { Size } from "../../axes/size.js";
import { closest } from "../../errors/closest.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, type Place, type Walk } from "../context.js";
import { describe, describeType } from "../describe.js";
import { bindToSpec, pairArguments, type CallArgument } from "../elaborate/calls.js";
import { CallNames } from "../elaborate/binding.js";
import { evaluate, needBoolean } from "../elaborate/evaluate.js";
import { genericParameter } from "../elaborate/generic.js";
import { markCalled } from "../elaborate/indexing.js";
import { runStatements } from "../elaborate/statements.js";
import { asTensor, axesOf, cast, expanded, findAxis, renameAll, report } from "../elaborate/tensors.js";
import type { Emitted } from "../emitter.js";
import { Scope } from "../scope.js";
import { integer } from "../numbers.js";
import { numberValue, unknown, type InstanceValue, type ModuleInfo, type Value } from "../values.js";
import { chainText, fill, namedBy, type Model } from "./chains.js";
import {
  decideAxes,
  decideTensorAxes,
  givenTensor,
  headModule,
  moduleIn,
  remainingAxis,
  resolvedHead,
  type ModuleSpec,
} from "./heads.js";
import { parametersOf, readBy, type ModuleParameter } from "./parameters.js";

/** One parameter of what a recipe makes. */
export interface MadeParameter {
  readonly path: string;
  /** With the axes of its declaration, in their order. */
  readonly value: Emitted;
  /** The parameter that is taken over as it is; absent where a line says what it is. */
  readonly taken?: string;
  /** The value of the line that sets it. */
  readonly line?: SourceSpan;
  /** Axes along which the value is repeated. */
  readonly copied: readonly string[];
}

/** What a recipe made. */
export interface Made {
  readonly target: InstanceValue;
  /** Sources by their names in the head. */
  readonly sources: ReadonlyMap<string, InstanceValue>;
  readonly parameters: ReadonlyMap<string, MadeParameter>;
}

/** What a recipe is applied to. */
export interface RecipeCall {
  readonly info: ModuleInfo;
  /** By parameter; none where the sources are made by their types. */
  readonly args?: ReadonlyMap<string, CallArgument>;
  /** Numbers that are given by name, where there are no arguments. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Sizes of the recipe's axes that are given. */
  readonly axes?: ReadonlyMap<string, { readonly size: Size; readonly span?: SourceSpan }>;
  /** The module whose parameters it sets; made by its type when absent. */
  readonly target?: { readonly module: InstanceValue; readonly span: SourceSpan };
  /** Where what is not read by any body does not have to be set: the path of the target's parameters that count. */
  readonly wanted?: ReadonlySet<string>;
  readonly span: SourceSpan;
  readonly place: Place;
}

/** Undefined after an error in the head. */
export function makeByRecipe(walk: Walk, call: RecipeCall): Made | undefined {
  return new Recipe(walk, call).make();
}

/** A line that sets a parameter, or all parameters below a module. */
interface Line {
  readonly statement: Statement;
  readonly path: Expression;
  readonly value: Expression;
  /** Path of the parameter or module. */
  readonly sets: string;
}

class Recipe {
  private readonly scope: Scope;
  private readonly place: Place;
  /** Where the target has its name as well: only the left sides of lines know it. */
  private targetPlace: Place;
  private readonly sources: Model[] = [];
  private readonly instances = new Map<string, InstanceValue>();
  private readonly used = new Set<string>();
  private readonly made = new Map<string, MadeParameter>();

  constructor(
    private readonly walk: Walk,
    private readonly call: RecipeCall,
  ) {
    this.scope = new Scope(call.info.scope);
    const { place } = call;
    this.place = { scope: this.scope, file: call.info.file, path: place.path ?? "", repetitions: [], batch: [] };
    this.targetPlace = this.place;
  }

  private get decl(): ModuleInfo["decl"] {
    return this.call.info.decl;
  }

  private at(node: { readonly span: { readonly start: number; readonly end: number } }): SourceSpan {
    return at(this.place, node);
  }

  make(): Made | undefined {
    const { walk, call, decl } = this;
    const making = decl.making!;
    const { errors } = walk.reporter;
    this.decideAllAxes();
    if (walk.reporter.errors > errors) return undefined;
    for (const param of decl.params) this.bind(param);
    const spec = resolvedHead(walk, making.target, this.place);
    if (spec.kind !== "module") {
      if (spec.kind !== "unknown")
        report(walk, "MOE2269", { name: making.target.name.text, found: "no module" }, this.at(making.target.type!));
      return undefined;
    }
    // What a test makes is called as the test calls it; what a conversion makes as the recipe does.
    const target =
      call.args && !call.target
        ? this.madeFor(spec, call.place)
        : headModule(walk, making.target, spec, call.target, this.place, call.info);
    if (!target || walk.reporter.errors > errors) return undefined;
    this.shareAxes(target);
    const model = this.model(making.target.name.text, target, this.at(making.target.name));
    this.targetPlace = { ...this.place, scope: new Scope(this.scope) };
    this.targetPlace.scope.defineValue(model.name, target, this.at(making.target.name));
    this.run(model, making.body.statements, making.body.result);
    if (walk.reporter.errors > errors) return undefined;
    const wanted = call.wanted ?? readBy(walk, target);
    this.takeOver(model, wanted);
    if (walk.reporter.errors > errors) return undefined;
    for (const source of this.sources) this.warnUnused(source);
    return { target, sources: this.instances, parameters: this.made };
  }

  /** A target under the path of the place where the recipe is called. */
  private madeFor(spec: ModuleSpec, place: Place): InstanceValue | undefined {
    const { making } = this.decl;
    const own = { ...making!.target, name: { ...making!.target.name, text: place.path ?? "" } };
    return headModule(this.walk, own, spec, undefined, { ...this.place, path: "" }, this.call.info);
  }

  // ---- the head ----

  private decideAllAxes(): void {
    const { walk, call, decl } = this;
    const open = new Set(decl.axes.map(({ name }) => name.text));
    const decided = new Map<string, { readonly size: Size; readonly span: SourceSpan }>();
    for (const [name, { size, span }] of call.axes ?? []) decided.set(name, { size, span: span ?? call.span });
    const decide = (param: (typeof decl.params)[number], module: InstanceValue | undefined, span: SourceSpan): void => {
      if (module && param.type?.kind === "named-type") decideAxes(param.type, module, open, decided, span);
    };
    for (const param of decl.params) {
      const given = call.args?.get(param.name.text);
      if (given) decide(param, moduleIn(given.value), given.span);
    }
    // Modules decide first: what a tensor's axes are called is up to who calls.
    for (const param of decl.params) {
      const given = call.args?.get(param.name.text);
      if (given && param.type?.kind === "named-type")
        decideTensorAxes(param.type, given.value, open, decided, given.span);
    }
    if (call.target) decide(decl.making!.target, call.target.module, call.target.span);
    for (const { name } of decl.axes) {
      const known = decided.get(name.text);
      const symbol = (text: string): Size => walk.assumed.get(text) ?? Size.of(text);
      const size = known?.size ?? remainingAxis(walk, call.info, name.text, this.place, call.span, symbol);
      if (size) this.scope.defineValue(name.text, { kind: "axis", name: name.text, size }, this.at(name));
    }
  }

  private bind(param: ModuleInfo["decl"]["params"][number]): void {
    const { walk, call } = this;
    const name = param.name.text;
    const span = this.at(param.name);
    const spec = resolvedHead(walk, param, this.place);
    const argument = call.args?.get(name);
    const define = (value: Value): void => this.scope.defineValue(name, value, span);
    if (spec.kind === "module") {
      const module = argument && moduleIn(argument.value);
      if (argument && !module) {
        if (argument.value.kind !== "unknown")
          report(walk, "MOE2269", { name, found: describe(walk, argument.value) }, argument.span);
        return define(unknown);
      }
      const given = module && { module, span: argument.span };
      const made = headModule(walk, param, spec, given, this.place, call.info);
      if (!made) return define(unknown);
      define(made);
      this.shareAxes(made);
      this.sources.push(this.model(name, made, span));
      this.instances.set(name, made);
      return;
    }
    if (argument) {
      const names = new CallNames(closureOf(call.info, this.scope));
      return define(bindToSpec(walk, spec, argument, { name, span }, names, this.place));
    }
    if (spec.kind === "tensor") return define(givenTensor(walk, param, spec, this.place));
    if (walk.options.generic) return define(genericParameter(walk, param, this.place));
    const number = call.numbers?.[name];
    if (number !== undefined)
      return define(numberValue(Number.isInteger(number) ? integer(number) : { kind: "real", value: number }));
    if (!param.default) {
      report(walk, "MOE2115", { callee: `\`${this.decl.name.text}\``, name }, call.span);
      return define(unknown);
    }
    define(evaluate(walk, param.default, this.place));
  }

  /** Axes of the models are names in the recipe, unless two of them disagree. */
  private shareAxes(module: InstanceValue): void {
    for (const [name, { size }] of module.axes) {
      const known = this.scope.own(name)?.value();
      if (!known) this.scope.defineValue(name, { kind: "axis", name, size });
      else if (known.kind === "axis" && !known.size.equals(size) && !this.isOwnAxis(name)) this.scope.forget(name);
    }
  }

  private isOwnAxis(name: string): boolean {
    return this.decl.axes.some((axis) => axis.name.text === name);
  }

  private model(name: string, module: InstanceValue, span: SourceSpan): Model {
    return { name, path: module.path, parameters: parametersOf(this.walk, module, span) };
  }

  // ---- the lines ----

  private run(target: Model, statements: readonly Statement[], result: Expression | undefined): void {
    const lines = statements.flatMap((statement) => this.lineOf(statement, target) ?? []);
    const bySets = new Map<string, Line>();
    for (const line of lines) {
      const before = bySets.get(line.sets);
      if (before)
        report(this.walk, "MOE2264", { path: chainText(line.path) ?? line.sets }, this.at(line.path), {
          labels: [{ span: this.at(before.path), text: "the first line for it" }],
        });
      else bySets.set(line.sets, line);
    }
    const models = [...this.sources, target];
    const note = (model: Model, node: Expression): void => {
      if (model !== target) this.used.add(model.name);
      else report(this.walk, "MOE2272", { name: target.name }, this.at(node));
    };
    for (const statement of statements) {
      const line = lines.find((one) => one.statement === statement);
      if (line) {
        if (bySets.get(line.sets) === line) this.set(line, target, bySets, models, note);
        continue;
      }
      switch (statement.kind) {
        case "let": {
          const filled = fill(statement.value, models, this.place, undefined, ({ model }, node) => note(model, node));
          runStatements(this.walk, [{ ...statement, value: filled.expression }], {
            ...this.place,
            scope: filled.place.scope,
          });
          for (const name of statement.names) {
            const value = filled.place.scope.own(name.text);
            if (value) this.scope.define(name.text, value);
          }
          break;
        }
        case "axis":
          runStatements(this.walk, [statement], this.place);
          break;
        case "assert":
          this.assert(statement);
          break;
        case "set":
        case "assign":
          // A path that names nothing has been complained about.
          break;
        case "expression-statement":
          report(this.walk, "MOE2267", {}, this.at(statement));
          break;
        default:
          statement satisfies never;
      }
    }
    if (result) report(this.walk, "MOE2267", {}, this.at(result));
  }

  private assert(statement: AssertStatement): void {
    const value = evaluate(this.walk, statement.value, this.place);
    if (needBoolean(this.walk, value, this.at(statement.value)) !== false) return;
    const message = statement.message?.value ?? "what the recipe asserts";
    report(this.walk, "MOE2270", { message }, this.at(statement.value));
  }

  private lineOf(statement: Statement, target: Model): Line | undefined {
    if (statement.kind !== "set" && statement.kind !== "assign") return undefined;
    const path: Expression =
      statement.kind === "set" ? statement.path : { kind: "name", name: statement.target, span: statement.target.span };
    const named = namedBy(path, [target]);
    if (!named) {
      this.unknownPath(path, target);
      return undefined;
    }
    // For hovers: the path is read as any chain is.
    if (this.walk.info) evaluate(this.walk, path, this.targetPlace);
    return { statement, path, value: statement.value, sets: named.path };
  }

  private unknownPath(path: Expression, target: Model): void {
    const span = this.at(path);
    const text = chainText(path);
    const prefixes = new Set<string>();
    for (const full of target.parameters.keys()) {
      const steps = full.slice(target.path.length + (target.path === "" ? 0 : 1)).split(".");
      steps.forEach((_, index) => prefixes.add(written(target.name, steps.slice(0, index + 1))));
    }
    const near = text === undefined ? [] : closest(written("", text.split(".")), prefixes, 1);
    report(
      this.walk,
      "MOE2262",
      { name: target.name, path: text === undefined ? "this" : written("", text.split(".")) },
      span,
      {
        ...(near[0] === undefined ? {} : { help: `did you mean \`${near[0]}\`?` }),
        fixes: near.map((one) => ({ title: `write \`${one}\``, edits: [{ span, text: one }] })),
      },
    );
  }

  /** The parameters that a line is the nearest one for. */
  private set(
    line: Line,
    target: Model,
    lines: ReadonlyMap<string, Line>,
    models: readonly Model[],
    note: (model: Model, node: Expression) => void,
  ): void {
    const { walk } = this;
    const whole = target.parameters.get(line.sets);
    const below = whole
      ? [whole]
      : [...target.parameters.values()].filter(
          ({ path }) => path.startsWith(line.sets === "" ? "" : `${line.sets}.`) && nearest(path, lines) === line,
        );
    if (!whole && this.byRecipe(line, target, models)) return;
    for (const parameter of below) {
      const rest = whole ? undefined : line.sets === "" ? `.${parameter.path}` : parameter.path.slice(line.sets.length);
      const filled = fill(line.value, models, this.place, rest, ({ model }, node) => note(model, node));
      if (filled.lacking.length > 0) {
        for (const { span, path } of filled.lacking) report(walk, "MOE2265", { path, target: parameter.path }, span);
        continue;
      }
      const value = evaluate(walk, filled.expression, filled.place);
      const span = this.at(line.value);
      this.keep(parameter, value, span);
    }
  }

  /** Keeps the value of a parameter, with missing axes repeated. */
  private keep(parameter: ModuleParameter, value: Value, span: SourceSpan): void {
    const { walk } = this;
    if (value.kind === "unknown") {
      // So that nobody says it is missing.
      this.made.set(parameter.path, { path: parameter.path, value: { type: parameter.stored }, copied: [] });
      return;
    }
    const { type } = parameter;
    const given = asTensor(walk, value, span, type.dtype);
    const fits =
      given?.type.kind === "tensor" &&
      (given.type.dtype === type.dtype || (given.type.dtype === "i32" && type.dtype === "f32")) &&
      given.type.axes.every(({ name, size }) => type.axes.some((axis) => axis.name === name && axis.size.equals(size)));
    if (!fits) {
      const found = given ? describeType(walk, given.type) : describe(walk, value);
      report(walk, "MOE2260", { path: parameter.path, wanted: describeType(walk, type), found }, span);
      return;
    }
    const copied = type.axes.flatMap(({ name }) => (findAxis(given, name) ? [] : [name]));
    const whole = expanded(walk, cast(walk, given, type.dtype, span), type.axes, span);
    this.made.set(parameter.path, {
      path: parameter.path,
      value: asStored(walk, whole, parameter, span),
      line: span,
      copied,
    });
  }

  /** `sparse.layers.moe = Upcycle(dense.layers.ffn)`: another recipe sets a part. */
  private byRecipe(line: Line, target: Model, models: readonly Model[]): boolean {
    const { walk } = this;
    const { value } = line;
    if (value.kind !== "call") return false;
    if (value.callee.kind === "index") markCalled(value.callee);
    const callee = evaluate(walk, value.callee, this.place);
    if (callee.kind !== "declaration" || callee.info.decl.contract !== "recipe") return false;
    const module = moduleIn(evaluate(walk, line.path, this.targetPlace));
    if (!module) {
      report(walk, "MOE2269", { name: chainText(line.path) ?? "", found: "several modules" }, this.at(line.path));
      return true;
    }
    const args = value.args.map((argument): CallArgument => {
      const named = namedBy(argument.value, models);
      if (named) this.used.add(named.model.name);
      return {
        ...(argument.name ? { name: argument.name.text } : {}),
        value: evaluate(walk, argument.value, this.place),
        span: this.at(argument.value),
      };
    });
    const span = this.at(value);
    const wanted = new Set(target.parameters.keys());
    const made = applied(walk, callee.info, callee.axes, args, span, this.place, {
      target: { module, span: this.at(line.path) },
      wanted,
    });
    for (const parameter of target.parameters.values()) {
      if (!parameter.path.startsWith(`${line.sets}.`)) continue;
      const own = made?.parameters.get(parameter.path);
      this.made.set(parameter.path, own ?? { path: parameter.path, value: { type: parameter.stored }, copied: [] });
    }
    return true;
  }

  // ---- what no line sets ----

  private takeOver(target: Model, wanted: ReadonlySet<string> | undefined): void {
    const { walk } = this;
    const missing: string[] = [];
    for (const parameter of target.parameters.values()) {
      if (this.made.has(parameter.path) || wanted?.has(parameter.path) === false) continue;
      const below = target.path === "" ? `.${parameter.path}` : parameter.path.slice(target.path.length);
      const same = this.sources.flatMap((source) => {
        const found = source.parameters.get(source.path === "" ? below.slice(1) : source.path + below);
        return found && isSame(found, parameter) ? [{ source, found }] : [];
      });
      const [only, ...others] = same;
      const span = this.at(this.decl.making!.target.name);
      if (!only) missing.push(parameter.path);
      else if (others.length > 0) {
        const sources = same.map(({ source }) => `\`${source.name}\``).join(" and ");
        report(walk, "MOE2263", { path: parameter.path, sources }, span);
      } else {
        const read = only.found.read(span);
        if (!read) continue;
        this.used.add(only.source.name);
        const value = asStored(walk, read, parameter, span);
        this.made.set(parameter.path, { path: parameter.path, value, taken: only.found.path, copied: [] });
      }
    }
    if (missing.length === 0) return;
    const shown = missing.slice(0, SHOWN).map((path) => `\`${path}\``);
    const rest = missing.length - shown.length;
    const paths = rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
    report(walk, "MOE2261", { paths }, this.at(this.decl.making!.target.name));
  }

  private warnUnused(source: Model): void {
    if (this.used.has(source.name)) return;
    const param = this.decl.params.find(({ name }) => name.text === source.name);
    if (param && this.walk.options.checking) report(this.walk, "MOE2266", { name: source.name }, this.at(param.name));
  }
}

/** How many missing parameters are named. */
const SHOWN = 3;

/** Applies a recipe to the arguments of a call. */
export function applied(
  walk: Walk,
  info: ModuleInfo,
  axes: RecipeCall["axes"],
  args: readonly CallArgument[],
  span: SourceSpan,
  place: Place,
  more: Pick<RecipeCall, "target" | "wanted"> = {},
): Made | undefined {
  if (args.some(({ value }) => value.kind === "unknown")) return undefined;
  const label = `\`${info.decl.name.text}\``;
  const { errors } = walk.reporter;
  const paired = pairArguments(walk, info.decl.params, args, { label, file: info.file }, span);
  if (walk.reporter.errors > errors) return undefined;
  const call = { info, args: paired, ...(axes ? { axes } : {}), span, place, ...more };
  return walk.reporter.within(span, () => makeByRecipe(walk, call));
}

/** The line whose path lies nearest above a parameter. */
function nearest(path: string, lines: ReadonlyMap<string, Line>): Line | undefined {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("."))) {
    const line = lines.get(at);
    if (line) return line;
    if (!at.includes(".")) return lines.get("");
  }
}

/** Path steps as they are written: numbers stand in brackets. */
function written(first: string, steps: readonly string[]): string {
  return steps.reduce((text, step) => {
    if (/^\d+$/.test(step)) return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, first);
}

function isSame(one: ModuleParameter, other: ModuleParameter): boolean {
  return (
    one.type.dtype === other.type.dtype &&
    one.type.axes.length === other.type.axes.length &&
    one.type.axes.every(
      ({ name, size }, index) => other.type.axes[index]!.name === name && other.type.axes[index]!.size.equals(size),
    )
  );
}

/** A value with a parameter's outer axes, in their order, under the names of its declaration. */
function asStored(walk: Walk, value: Emitted, parameter: ModuleParameter, span: SourceSpan): Emitted {
  const names = new Map(axesOf(value).map(({ name }, index) => [name, parameter.stored.axes[index]!.name]));
  return renameAll(walk, value, names, span);
}

function closureOf(info: ModuleInfo, scope: Scope) {
  return {
    kind: "closure",
    params: info.decl.params,
    body: { kind: "error", span: info.decl.span },
    scope,
    file: info.file,
    span: info.decl.span,
    names: info.names,
    axes: new Map(),
    label: `\`${info.decl.name.text}\``,
  } as const;
}
