/** A model of a checked project as a program: the walk of the checker again, with numbers for sizes. */
import type { CheckedProject } from "../../1-check/index.js";
import { checkAppends } from "../../1-check/cache-appends.js";
import { newWalk, type Place, type Walk } from "../../1-check/context.js";
import { checkDecoding } from "../../1-check/check-module.js";
import { callClosure, type CallArgument } from "../../1-check/elaborate/calls.js";
import { methodClosure } from "../../1-check/elaborate/closures.js";
import { makeInstance } from "../../1-check/elaborate/modules.js";
import { tensor } from "../../1-check/elaborate/tensors.js";
import { resolveType } from "../../1-check/elaborate/types.js";
import type { StoredState, StoredValue } from "../../1-check/emitter.js";
import { plainNumber } from "../../1-check/numbers.js";
import { Reporter } from "../../1-check/reporter.js";
import { Scope } from "../../1-check/scope.js";
import { storedAxes } from "../../1-check/type-emitter.js";
import { weightNames } from "../../1-check/weights.js";
import { pathNames } from "./path-names.js";
import {
  numberValue,
  type AxisArgument,
  type InstanceValue,
  type ModuleInfo,
  type Value,
} from "../../1-check/values.js";
import { Size } from "../../axes/size.js";
import { ENCODABLE_TYPES } from "../../checkpoints/encodable.js";
import type { Diagnostic } from "../../errors/diagnostic.js";
import type { MethodMember } from "../../../grammar/tree.js";
import type { ValueType } from "../../ops/types.js";
import type { Derivation, Entry, KnobDecl, ParamDecl, Program, StateDecl, StorageType, WeightSource } from "../ir.js";
import { GraphEmitter, ProgramRecord } from "./graph-emitter.js";
import { ProgramRefused } from "./refused.js";
import { readSettings } from "./settings.js";

export interface BuildOptions {
  /** Name of the model; the only one of the root file when absent. */
  readonly model?: string;
  /** Axes and number parameters of the model that replace its defaults. */
  readonly sizes?: Readonly<Record<string, number>>;
  readonly mode?: "train" | "infer";
  /** The training step at which schedules are read; their end when absent. */
  readonly step?: number;
}

/**
 * Builds the program of one model.
 *
 * @throws ProgramRefused with the diagnostics, when the project has errors or the sizes do not fit.
 */
export function buildProgram(project: CheckedProject, options: BuildOptions = {}): Program {
  refuseErrors(project);
  const info = modelOf(project, options.model);
  return buildMade(info, (walk) => modelInstance(walk, info, options), options);
}

/** @throws ProgramRefused when the project has errors. */
export function refuseErrors(project: CheckedProject): void {
  const errors = project.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) throw new ProgramRefused(errors);
}

/**
 * The program of a model that is made with sizes and arguments of any kind.
 *
 * @param info The declaration of what `make` gives.
 * @param make Makes the model, without a path before its parameters; called for each entry, since modules belong to the
 * walk that made them.
 */
export function buildMade(
  info: ModuleInfo,
  make: (walk: Walk) => InstanceValue,
  options: Omit<BuildOptions, "model" | "sizes"> = {},
): Program {
  const record = new ProgramRecord();
  const reporter = new Reporter({ file: info.file, start: info.decl.span.start, end: info.decl.span.end });
  const walkWith = (emitter: GraphEmitter, phase: Walk["options"]["phase"]): Walk =>
    newWalk(emitter, reporter, {
      mode: options.mode ?? "infer",
      phase,
      generic: false,
      checking: false,
      ...(options.step === undefined ? {} : { step: options.step }),
    });
  const entries: Entry[] = [];
  const runtimeSizes = new Set<string>();
  let weights: Program["weightNames"] = {};
  let settings: Program["settings"] = {};
  const methods = (info.decl.members ?? []).filter(
    (member) => member.kind === "method" && member.name !== undefined,
  ) as MethodMember[];
  for (const [position, method] of methods.entries()) {
    const name = method.name!.text;
    const build = (phase: Walk["options"]["phase"]): Walk => {
      const emitter = new GraphEmitter(record);
      const walk = walkWith(emitter, phase);
      const instance = make(walk);
      const derived: Derivation | undefined = phase === "decode" ? { from: name, form: "decode" } : undefined;
      const entry = buildEntry(walk, emitter, instance, method, derived, runtimeSizes);
      if (reporter.findings.length > 0) throw new ProgramRefused(diagnosticsOf(reporter));
      checkDecoding(walk);
      checkAppends(walk);
      if (reporter.findings.length > 0) throw new ProgramRefused(diagnosticsOf(reporter));
      entries.push(entry);
      if (phase === "prefill") {
        // Parameters are known once an entry has used them: the last walk names those of all.
        weights = namesOf(walk, instance, record);
        if (position === 0) settings = readSettings(walk, instance);
      }
      return walk;
    };
    const walk = build("prefill");
    // A body that differs for single tokens gets an entry for them.
    if (walk.usesPhase) build("decode");
  }
  if (reporter.findings.length > 0) throw new ProgramRefused(diagnosticsOf(reporter));
  const made = programOf(info.decl.name.text, record, entries, [...runtimeSizes]);
  return { ...made, weightNames: weights, settings };
}

/** The program of some entries, with all that the record declares. */
export function programOf(
  name: string,
  record: ProgramRecord,
  entries: readonly Entry[],
  runtimeSizes: readonly string[],
): Program {
  return {
    name,
    params: stored(record, "param").map((value) => paramDecl(value, record)),
    states: [...record.states.values()].map(stateDecl),
    knobs: stored(record, "knob").map(knobDecl),
    runtimeSizes: [...new Set([...runtimeSizes, "past"])],
    entries,
    weightNames: {},
    settings: {},
  };
}

export function diagnosticsOf(reporter: Reporter): readonly Diagnostic[] {
  return reporter.findings.map((finding) => finding.diagnostic);
}

function modelOf(project: CheckedProject, name: string | undefined): ModuleInfo {
  const file = project.files.get(project.root);
  const models = [...(file?.modules.values() ?? [])].filter((info) => info.decl.contract === "model");
  const found =
    name === undefined
      ? models.length === 1
        ? models[0]
        : undefined
      : models.find((info) => info.decl.name.text === name);
  if (found) return found;
  const list = models.map((info) => `\`${info.decl.name.text}\``).join(", ");
  throw ProgramRefused.coded(
    "MOE2191",
    { name: name ?? "", models: list === "" ? "no model" : list },
    { file: project.root, start: 0, end: 0 },
  );
}

/**
 * The size that is given for an axis of a declaration.
 *
 * @throws ProgramRefused MOE2282 where it is no whole number from 1.
 */
export function givenSize(info: ModuleInfo, axis: string, size: number): Size {
  if (Number.isSafeInteger(size) && size >= 1) return Size.of(size);
  const { name } = info.decl;
  throw ProgramRefused.coded("MOE2282", { model: name.text, axis, size }, { file: info.file, ...name.span });
}

export function modelInstance(walk: Walk, info: ModuleInfo, options: BuildOptions): InstanceValue {
  const span = { file: info.file, ...info.decl.name.span };
  const sizes = options.sizes ?? {};
  const axes = new Map<string, AxisArgument>();
  for (const axis of info.decl.axes) {
    const size = sizes[axis.name.text];
    if (size === undefined) continue;
    axes.set(axis.name.text, { size: givenSize(info, axis.name.text, size), name: axis.name.text, span });
  }
  for (const axis of info.decl.axes) {
    if (axes.has(axis.name.text) || axis.default) continue;
    throw ProgramRefused.coded(
      "MOE2192",
      { model: info.decl.name.text, axis: axis.name.text },
      { file: info.file, ...axis.span },
    );
  }
  const args = info.decl.params.flatMap((param): CallArgument[] => {
    const value = sizes[param.name.text];
    return value === undefined
      ? []
      : [
          {
            name: param.name.text,
            value: numberValue(plainNumber(value)),
            span,
          },
        ];
  });
  const known = new Set([
    ...info.decl.axes.map((axis) => axis.name.text),
    ...info.decl.params.map((param) => param.name.text),
  ]);
  const strange = Object.keys(sizes).find((name) => !known.has(name));
  if (strange !== undefined) throw ProgramRefused.coded("MOE2193", { model: info.decl.name.text, name: strange }, span);
  const place: Place = { scope: info.scope, file: info.file, path: "", repetitions: [], batch: [] };
  const made = makeInstance(walk, info, axes, args, span, place);
  if (made.kind !== "instance") throw new ProgramRefused(diagnosticsOf(walk.reporter));
  return made;
}

/** The type of an entry's input; sizes that no declaration gives are those of the call. */
function inputType(
  walk: Walk,
  method: MethodMember,
  instance: InstanceValue,
  index: number,
  runtimeSizes: Set<string>,
): ValueType | undefined {
  const param = method.params[index]!;
  if (!param.type) return undefined;
  const place: Place = {
    scope: new Scope(instance.scope),
    file: instance.info.file,
    instance,
    repetitions: [],
    batch: [],
  };
  const spec = resolveType(walk, param.type, place);
  switch (spec.kind) {
    case "tensor":
      return {
        kind: "tensor",
        dtype: spec.dtype,
        axes: spec.axes.map((axis) => {
          if (!axis.size) runtimeSizes.add(axis.name);
          return { name: axis.name, size: axis.size ?? Size.of(axis.name) };
        }),
      };
    case "number":
      return { kind: "tensor", dtype: spec.integer ? "i32" : "f32", axes: [] };
    case "boolean":
      return { kind: "tensor", dtype: "bool", axes: [] };
    default:
      return undefined;
  }
}

function buildEntry(
  walk: Walk,
  emitter: GraphEmitter,
  instance: InstanceValue,
  method: MethodMember,
  derived: Derivation | undefined,
  runtimeSizes: Set<string>,
): Entry {
  const name = derived ? `${derived.from}.${derived.form}` : method.name!.text;
  const file = instance.info.file;
  const args = method.params.map((param, index): CallArgument => {
    const type = inputType(walk, method, instance, index, runtimeSizes);
    const span = { file, ...param.span };
    if (!type) throw ProgramRefused.coded("MOE2194", { entry: name, name: param.name.text }, span);
    return { value: tensor(emitter.input(type, param.name.text)), span };
  });
  const span = { file, ...method.span };
  const place: Place = { scope: instance.scope, file, instance, repetitions: [], batch: [] };
  const result = callClosure(walk, methodClosure(instance, method), args, span, place);
  if (result.kind === "unknown") throw new ProgramRefused(diagnosticsOf(walk.reporter));
  const items: readonly Value[] =
    result.kind === "tuple" ? (result.stream ? [result.items[0]!] : result.items) : [result];
  const outputs = items.map((item) => {
    if (item.kind !== "tensor") throw ProgramRefused.coded("MOE2195", { entry: name }, span);
    return item.value;
  });
  const names =
    outputs.length === 1
      ? ["result"]
      : outputs.map((value, index) => (value as { name?: string }).name ?? `result${index}`);
  return {
    name,
    ...(derived ? { derived } : {}),
    inputs: method.params.map((param) => param.name.text),
    outputs: names.map((text, index) => (names.indexOf(text) === index ? text : `${text}${index}`)),
    body: emitter.finish(outputs),
  };
}

function namesOf(walk: Walk, instance: InstanceValue, record: ProgramRecord): Program["weightNames"] {
  const isNamed = instance.info.decl.members?.some(({ kind }) => kind === "weights") === true;
  if (!isNamed) return { safetensors: pathNames(stored(record, "param")) };
  const names: Record<string, Record<string, WeightSource>> = {};
  for (const member of instance.info.decl.members ?? []) {
    if (member.kind !== "weights") continue;
    const own: Record<string, WeightSource> = {};
    for (const { path, location } of weightNames(walk, instance, member))
      if (record.stored.has(path)) own[path] = location;
    names[member.format.text] = { ...names[member.format.text], ...own };
  }
  return names;
}

function stored(record: ProgramRecord, kind: StoredValue["kind"]): readonly StoredValue[] {
  return [...record.stored.values()].filter((value) => value.kind === kind);
}

const STORAGE: readonly string[] = [...ENCODABLE_TYPES, "i32"] satisfies readonly StorageType[];

function paramDecl(value: StoredValue, record: ProgramRecord): ParamDecl {
  const contracted = [...(record.contracted.get(value.path) ?? [])];
  const formats = [
    ...(value.formats ?? []),
    ...(value.storage !== undefined && !STORAGE.includes(value.storage) ? [value.storage] : []),
  ];
  return {
    path: value.path,
    dtype: value.dtype,
    axes: storedAxes(value, new Set()),
    layerAxes: value.repetitions.filter(({ kind }) => kind === "layer").length,
    ...(contracted.length > 0
      ? { contracted: contracted.at(-1)!, ...(contracted.length > 1 ? { contractedAxes: contracted } : {}) }
      : {}),
    ...(value.storage !== undefined && STORAGE.includes(value.storage)
      ? { storage: value.storage as StorageType }
      : {}),
    ...(formats.length > 0 ? { formats } : {}),
    ...(value.init ? { init: value.init } : {}),
    span: value.span,
  };
}

function stateDecl(state: StoredState): StateDecl {
  const layers = state.repetitions.filter(({ kind }) => kind === "layer");
  return {
    path: state.path,
    kind: state.kind,
    dtype: state.dtype,
    axes: [...layers.map(({ axis }) => axis), ...state.axes],
    layerAxes: layers.length,
    init: state.init,
  };
}

function knobDecl(value: StoredValue): KnobDecl {
  return {
    path: value.path,
    dtype: value.dtype,
    axes: storedAxes(value, new Set()),
    layerAxes: value.repetitions.filter(({ kind }) => kind === "layer").length,
    init: value.init?.kind === "constant" ? value.init.value : 0,
    ...(value.range ? { range: value.range } : {}),
  };
}
