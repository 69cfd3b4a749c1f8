/** Reads the head of a recipe: decides the axes, binds what is given under its name, and finds or makes the models. */
import type { Parameter } from "../../../grammar/tree.js";
import { Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import { CallNames } from "../elaborate/binding.js";
import { bindToSpec } from "../elaborate/calls.js";
import { headClosure } from "../elaborate/closures.js";
import { evaluate } from "../elaborate/evaluate.js";
import { genericParameter } from "../elaborate/generic.js";
import { report } from "../elaborate/tensors.js";
import { plainNumber } from "../numbers.js";
import { Scope } from "../scope.js";
import { numberValue, unknown, type InstanceValue, type ModuleInfo, type Value } from "../values.js";
import type { Model } from "./chains.js";
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
import { parametersOf } from "./parameters.js";
import type { RecipeCall } from "./recipe.js";

/** What the head of a recipe names. */
export interface Head {
  /** Inside of the recipe, with everything in scope but the target. */
  readonly place: Place;
  readonly sources: readonly Model[];
  /** Sources by their names in the head. */
  readonly instances: ReadonlyMap<string, InstanceValue>;
  readonly target: InstanceValue;
}

/** A model with all of its parameters. */
export function modelOf(walk: Walk, name: string, module: InstanceValue, span: SourceSpan): Model {
  return { name, path: module.path, parameters: parametersOf(walk, module, span) };
}

/** Undefined after an error. */
export function readHead(walk: Walk, call: RecipeCall): Head | undefined {
  return new HeadReader(walk, call).read();
}

class HeadReader {
  private readonly scope: Scope;
  private readonly place: Place;
  private readonly sources: Model[] = [];
  private readonly instances = new Map<string, InstanceValue>();

  constructor(
    private readonly walk: Walk,
    private readonly call: RecipeCall,
  ) {
    this.scope = new Scope(call.info.scope);
    const { place } = call;
    this.place = { scope: this.scope, file: call.info.file, path: place.path ?? "", repetitions: [], batch: [] };
  }

  private get decl(): ModuleInfo["decl"] {
    return this.call.info.decl;
  }

  read(): Head | undefined {
    const { reporter } = this.walk;
    const { errors } = reporter;
    this.refuseUnknown();
    this.decideAllAxes();
    if (reporter.errors > errors) return undefined;
    for (const param of this.decl.params) this.bind(param);
    const target = this.target();
    if (!target || reporter.errors > errors) return undefined;
    this.shareAxes(target);
    return { place: this.place, sources: this.sources, instances: this.instances, target };
  }

  private target(): InstanceValue | undefined {
    const { walk, call, place } = this;
    const { target } = this.decl.making!;
    const spec = resolvedHead(walk, target, place);
    if (spec.kind !== "module") {
      if (spec.kind !== "unknown")
        report(walk, "MOE2269", { name: target.name.text, found: "no module" }, at(place, target.type!));
      return undefined;
    }
    // What a test makes is called as the test calls it; what a conversion makes as the recipe does.
    return call.args && !call.target
      ? this.madeFor(spec, call.place)
      : headModule(walk, target, spec, call.target, place, call.info);
  }

  /** A target under the path of the place where the recipe is called. */
  private madeFor(spec: ModuleSpec, place: Place): InstanceValue | undefined {
    const { making } = this.decl;
    const own = { ...making!.target, name: { ...making!.target.name, text: place.path ?? "" } };
    return headModule(this.walk, own, spec, undefined, { ...this.place, path: "" }, this.call.info);
  }

  /** Sizes and numbers that are given by name are those of the head. */
  private refuseUnknown(): void {
    const { walk, call, decl } = this;
    const isAxis = (text: string): boolean => decl.axes.some(({ name }) => name.text === text);
    const isParameter = (text: string): boolean => decl.params.some(({ name }) => name.text === text);
    const unknownNames = [
      ...[...(call.axes?.keys() ?? [])].filter((name) => !isAxis(name)),
      ...Object.keys(call.numbers ?? {}).filter((name) => !isParameter(name)),
    ];
    for (const name of unknownNames) report(walk, "MOE2193", { model: decl.name.text, name }, call.span);
  }

  private decideAllAxes(): void {
    const { walk, call, decl } = this;
    const open = new Set(decl.axes.map(({ name }) => name.text));
    const decided = new Map<string, { readonly size: Size; readonly span: SourceSpan }>();
    for (const [name, { size, span }] of call.axes ?? []) decided.set(name, { size, span: span ?? call.span });
    const decide = (param: Parameter, module: InstanceValue | undefined, span: SourceSpan): void => {
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
      if (size) this.scope.defineValue(name.text, { kind: "axis", name: name.text, size }, at(this.place, name));
    }
  }

  private bind(param: Parameter): void {
    const { walk, call } = this;
    const name = param.name.text;
    const span = at(this.place, param.name);
    const spec = resolvedHead(walk, param, this.place);
    const number = call.numbers?.[name];
    const argument =
      call.args?.get(name) ??
      (number === undefined ? undefined : { value: numberValue(plainNumber(number)), span: call.span });
    const define = (value: Value): void => this.scope.defineValue(name, value, span);
    if (spec.kind === "module") {
      const module = argument && moduleIn(argument.value);
      if (argument && !module) {
        if (argument.value.kind !== "unknown")
          report(walk, "MOE2269", { name, found: describe(walk, argument.value) }, argument.span);
        return define(unknown);
      }
      const from = module && { module, span: argument.span };
      const made = headModule(walk, param, spec, from, this.place, call.info);
      if (!made) return define(unknown);
      define(made);
      this.shareAxes(made);
      this.sources.push(modelOf(walk, name, made, span));
      this.instances.set(name, made);
      return;
    }
    if (argument) {
      const names = new CallNames(headClosure(call.info, call.info.decl.params, this.scope));
      return define(bindToSpec(walk, spec, argument, { name, span }, names, this.place));
    }
    if (spec.kind === "tensor") return define(givenTensor(walk, param, spec, this.place));
    if (walk.options.generic) return define(genericParameter(walk, param, this.place));
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
}
