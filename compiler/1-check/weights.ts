/** `weights` blocks: paths of parameters and the names that checkpoints give them. */
import type { Expression, WeightEntry, WeightsMember } from "../../grammar/tree.js";
import { at, joinPath, type Place, type Walk } from "./context.js";
import { closest } from "../errors/closest.js";
import { describe } from "./describe.js";
import type { Repetition } from "./emitter.js";
import { memberPlace } from "./elaborate/members.js";
import { suggestName } from "./elaborate/names.js";
import { resolveType } from "./elaborate/types.js";
import type { InstanceValue, Value } from "./values.js";

/** Where one parameter lies; the same record as `WeightSource` of the graph. */
export interface WeightLocation {
  readonly pattern: string;
  readonly axes?: readonly string[];
  readonly interleaved?: boolean;
}
/** One path of the program with its place in a checkpoint. */
export interface WeightName {
  readonly path: string;
  readonly location: WeightLocation;
}

/** The index names of a path, with the repetition that each stands for. */
interface Found {
  readonly path: string;
  readonly axes: readonly string[];
  readonly repetitions: readonly Repetition[];
  readonly indices: ReadonlyMap<string, Repetition>;
  readonly offsets: Offsets;
}

/** By index name, the number that the first turn has, and by how much it grows from turn to turn. */
type Offsets = ReadonlyMap<string, { readonly first: number; readonly step: number }>;

export function checkWeights(walk: Walk, model: InstanceValue): void {
  for (const member of model.info.decl.members ?? []) if (member.kind === "weights") weightNames(walk, model, member);
}

/** All names of a block; what is wrong is said. */
export function weightNames(walk: Walk, model: InstanceValue, member: WeightsMember): readonly WeightName[] {
  const place = memberPlace(model);
  const seen = new Set<string>();
  return member.entries.flatMap((entry) => {
    const found = resolvePath(walk, entry.path, model, place);
    if (!found) return [];
    return found.flatMap((target) => {
      if (seen.has(target.path)) {
        walk.reporter.report("MOE2180", { path: target.path }, at(place, entry.path));
        return [];
      }
      seen.add(target.path);
      const location = locationOf(walk, entry, target, place);
      return location ? [{ path: target.path, location }] : [];
    });
  });
}

interface Step {
  readonly name: string;
  readonly node: Expression;
  readonly index?: { readonly text: string; readonly node: Expression };
}

function stepsOf(path: Expression): Step[] | undefined {
  if (path.kind === "name") return [{ name: path.name.text, node: path }];
  if (path.kind === "member") {
    const before = stepsOf(path.object);
    return (
      before && [
        ...before,
        { name: path.member.text, node: { kind: "name", name: path.member, span: path.member.span } },
      ]
    );
  }
  if (path.kind !== "index" || path.entries.length !== 1) return undefined;
  const before = stepsOf(path.object);
  const [entry] = path.entries;
  const last = before?.at(-1);
  if (!before || !last || entry?.kind !== "plain") return undefined;
  const text =
    entry.value.kind === "name" ? entry.value.name.text : entry.value.kind === "number" ? entry.value.text : undefined;
  return text === undefined ? undefined : [...before.slice(0, -1), { ...last, index: { text, node: entry.value } }];
}

interface State {
  readonly value: Value;
  readonly indices: ReadonlyMap<string, Repetition>;
  readonly offsets: Offsets;
}

function resolvePath(walk: Walk, path: Expression, model: InstanceValue, place: Place): Found[] | undefined {
  const steps = stepsOf(path);
  if (!steps) {
    walk.reporter.report("MOE2181", {}, at(place, path));
    return undefined;
  }
  let states: State[] = [{ value: model, indices: new Map(), offsets: new Map() }];
  for (const [number, step] of steps.entries()) {
    const last = number === steps.length - 1;
    const next: State[] = [];
    let missing: InstanceValue | undefined;
    for (const state of states) {
      for (const instance of instancesOf(state.value)) {
        const member = instance.module.info.decl.members?.find(
          (candidate) => "name" in candidate && candidate.name?.text === step.name,
        );
        const given = instance.module.args.get(step.name);
        if (last && member?.kind === "param") {
          const found = paramOf(walk, instance.module, step.name);
          if (found) return finish(walk, states, step, place);
        }
        if (!member && !given) {
          missing = instance.module;
          continue;
        }
        const value = instance.module.scope.own(step.name)?.value();
        if (!value || value.kind === "unknown") return undefined;
        next.push(
          ...indexed(value, step, {
            ...state,
            indices: instance.index ? withIndex(state, instance.index) : state.indices,
          }),
        );
      }
    }
    if (next.length === 0) {
      if (missing) unknownMember(walk, missing, step, place);
      else walk.reporter.report("MOE2181", {}, at(place, path));
      return undefined;
    }
    states = next;
  }
  // A path that ends at a matrix or another module names no single tensor.
  walk.reporter.report("MOE2182", { found: describe(walk, states[0]!.value) }, at(place, steps.at(-1)!.node));
  return undefined;
}

function withIndex(state: State, index: readonly [string, Repetition]): ReadonlyMap<string, Repetition> {
  return new Map([...state.indices, index]);
}

interface Inside {
  readonly module: InstanceValue;
  readonly index?: readonly [string, Repetition];
}

/** The instances whose members a name behind this value means. */
function instancesOf(value: Value): readonly Inside[] {
  switch (value.kind) {
    case "instance":
      return [{ module: value }];
    case "bank":
      return value.groups.flatMap((group) => (group.module.kind === "instance" ? [{ module: group.module }] : []));
    case "stack":
      return value.runs.flatMap(({ modules }) => modules.flatMap(instancesOf));
    case "tuple":
      return value.items.flatMap(instancesOf);
    default:
      return [];
  }
}

/** Applies `[i]`: to each run of a stack, to an element of a pool. */
function indexed(value: Value, step: Step, state: State): State[] {
  if (!step.index) return [{ ...state, value }];
  if (value.kind === "stack") {
    return value.runs.flatMap((run) =>
      run.modules.map((module, place) => ({
        value: module,
        indices: new Map([...state.indices, [step.index!.text, run.repetition]]),
        offsets: withOffset(state, step.index!.text, (run.from.constant ?? 0) + place, run.modules.length),
      })),
    );
  }
  if (value.kind === "pool") {
    const count = value.count.constant ?? 1;
    const fixed = Number(step.index.text);
    const numbers = Number.isInteger(fixed) ? [fixed] : Array.from({ length: count }, (_, i) => i);
    return numbers.map((i) => ({
      value: value.at(i),
      indices: state.indices,
      offsets: withOffset(state, step.index!.text, i, 0),
    }));
  }
  return [{ ...state, value }];
}

function withOffset(state: State, index: string, first: number, step: number): Offsets {
  return new Map([...state.offsets, [index, { first, step }]]);
}

function paramOf(
  walk: Walk,
  module: InstanceValue,
  name: string,
): Pick<Found, "path" | "axes" | "repetitions"> | undefined {
  const member = module.info.decl.members?.find(
    (candidate) => candidate.kind === "param" && candidate.name.text === name,
  );
  if (member?.kind !== "param") return undefined;
  const spec = resolveType(walk, member.type, memberPlace(module));
  if (spec.kind !== "tensor") return undefined;
  return {
    path: joinPath(module.path, name),
    axes: spec.axes.map((axis) => axis.name),
    repetitions: module.repetitions,
  };
}

function finish(walk: Walk, states: readonly State[], step: Step, _place: Place): Found[] {
  return states.flatMap((state) =>
    instancesOf(state.value).flatMap(({ module }) => {
      const found = paramOf(walk, module, step.name);
      return found ? [{ ...found, indices: state.indices, offsets: state.offsets }] : [];
    }),
  );
}

function unknownMember(walk: Walk, module: InstanceValue, step: Step, place: Place): void {
  const names = (module.info.decl.members ?? []).flatMap((member) =>
    ["param", "use", "stack"].includes(member.kind) && "name" in member && member.name ? [member.name.text] : [],
  );
  const fixes = step.node.kind === "name" ? suggestName(walk, place, step.node.name, names) : {};
  walk.reporter.report("MOE2015", { name: step.name, module: module.info.decl.name.text }, at(place, step.node), fixes);
}

function locationOf(walk: Walk, entry: WeightEntry, target: Found, place: Place): WeightLocation | undefined {
  let source = entry.source;
  let interleaved = false;
  if (source.kind === "call" && source.callee.kind === "name") {
    const name = source.callee.name.text;
    const [argument] = source.args;
    if (name !== "interleaved" || !argument || source.args.length !== 1) {
      const span = at(place, source.callee);
      walk.reporter.report("MOE2183", { name }, span, {
        help: '`interleaved(…)` is the only way; the order of the axes in the file is written behind the name: `"…"[F, D]`',
        fixes: [{ title: "write `interleaved`", edits: [{ span, text: "interleaved" }] }].filter(
          () => closest(name, ["interleaved"]).length > 0,
        ),
      });
      return undefined;
    }
    interleaved = true;
    source = argument.value;
  }
  let axes: string[] | undefined;
  let text = source;
  if (source.kind === "index") {
    text = source.object;
    axes = source.entries.map((item) =>
      item.kind === "plain" && item.value.kind === "name" ? item.value.name.text : "?",
    );
  }
  if (text.kind !== "string") {
    walk.reporter.report("MOE2184", {}, at(place, text));
    return undefined;
  }
  const pattern = withOffsets(text.value, target);
  if (!checkPlaceholders(walk, text.value, target, at(place, text))) return undefined;
  if (axes && !checkAxes(walk, axes, target, text.value, at(place, source))) return undefined;
  return { pattern, ...(axes ? { axes } : {}), ...(interleaved ? { interleaved } : {}) };
}

/**
 * `{i}` in a run that starts at layer 3 is `{i+3}`, for the second of three layers that take turns `{i*3+1}`; a fixed
 * element of a pool is written as its number.
 */
function withOffsets(pattern: string, target: Found): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const offset = target.offsets.get(name);
    if (!offset) return whole;
    const { first, step } = offset;
    if (!target.indices.has(name)) return String(first);
    return `{${name}${step === 1 ? "" : `*${step}`}${first === 0 ? "" : `+${first}`}}`;
  });
}

function checkPlaceholders(walk: Walk, pattern: string, target: Found, span: ReturnType<typeof at>): boolean {
  const expert = target.repetitions.some((repetition) => repetition.kind === "expert");
  for (const [, name] of pattern.matchAll(/\{(\w+)\}/g)) {
    if (target.indices.has(name!) || target.offsets.has(name!) || (name === "e" && expert)) continue;
    walk.reporter.report("MOE2185", { name: name! }, span);
    return false;
  }
  for (const name of target.indices.keys()) {
    if (pattern.includes(`{${name}}`)) continue;
    walk.reporter.report("MOE2186", { name }, span);
    return false;
  }
  return true;
}

/** The axes in brackets are those of the parameter, with the expert axis unless `{e}` counts the experts. */
function checkAxes(
  walk: Walk,
  axes: readonly string[],
  target: Found,
  pattern: string,
  span: ReturnType<typeof at>,
): boolean {
  const experts = pattern.includes("{e}")
    ? []
    : target.repetitions.filter(({ kind }) => kind === "expert").map(({ axis }) => axis.name);
  const wanted = [...experts, ...target.axes];
  const same = axes.length === wanted.length && wanted.every((axis) => axes.includes(axis));
  if (!same)
    walk.reporter.report("MOE2187", { path: target.path, wanted: wanted.join(", "), found: axes.join(", ") }, span);
  return same;
}
