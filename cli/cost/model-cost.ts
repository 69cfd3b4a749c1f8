/**
 * What a model costs, without loading or building anything: its layers are walked once with types only, in numbers and
 * once more with names for its sizes.
 */
import { walkClosure, withAssumptions } from "../../compiler/1-check/check-module.js";
import type { Walk } from "../../compiler/1-check/context.js";
import { methodClosure } from "../../compiler/1-check/elaborate/closures.js";
import { makeInstance } from "../../compiler/1-check/elaborate/modules.js";
import { integer, valueOf } from "../../compiler/1-check/numbers.js";
import { numberValue, type AxisArgument, type ModuleInfo } from "../../compiler/1-check/values.js";
import type { CheckedProject } from "../../compiler/1-check/index.js";
import { Size } from "../../compiler/axes/size.js";
import { moecError } from "../../compiler/errors/raise.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { OpTypeError } from "../../compiler/ops/types.js";
import type { MethodMember } from "../../grammar/tree.js";
import { approximate } from "./approximate.js";
import { ModelCostEmitter } from "./emitter.js";
import { KEYS, type Bounded } from "./training-tally.js";

/** Amounts, in the sizes that were left as names; numbers where none was. */
export interface Amounts {
  /** Numbers in all parameters. */
  readonly parameters: Size;
  /** Those at work for one token: of a bank, as many experts as the routes have slots. */
  readonly active: Size;
  /** Numbers in tables of which a token reads one row (part of `active` too). */
  readonly tables: Size;
  /** Floating-point operations of one token behind `past` others, a multiply-add counting 2. */
  readonly operations: Size;
  /** Numbers that the caches keep for one position. */
  readonly cacheRow: Size;
}

/**
 * What a call costs in training, in the sizes that were left as names. Names too are its tokens, `past`, and `keys`: how many
 * keys a token sees on average in attention behind a cache.
 */
export interface TrainingAmounts {
  readonly forward: Size;
  readonly backward: Size;
  /** Operations of computing the layers of stacks a second time. */
  readonly again: Size;
  /** Bytes that the forward pass leaves for the backward pass; with layers computed again. */
  readonly kept: Size;
  readonly keptRecomputed: Size;
  /** Numbers that mixtures take and give. */
  readonly sent: Size;
}

export interface ParameterCount {
  readonly path: string;
  readonly all: number;
  readonly active: number;
  readonly isTable: boolean;
  /** Experts of its bank; undefined of a parameter that belongs to none. */
  readonly bank?: number;
}

export interface ModelCost {
  readonly name: string;
  /** The entry whose operations are counted. */
  readonly entry: string;
  /** The sizes and whole numbers of the model, by name. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly numbers: Amounts;
  /** The same with names for sizes; undefined when the model's form depends on all of them. */
  readonly formulas: Amounts | undefined;
  /** Sizes that stayed numbers in the formulas, since the layers differ by them. */
  readonly fixed: readonly string[];
  readonly parameters: readonly ParameterCount[];
  readonly training: TrainingAmounts;
  /** The same with the names of `formulas`; undefined where they do not give the numbers again. */
  readonly trainingFormulas: TrainingAmounts | undefined;
  /** Routes with a capacity. */
  readonly bounded: readonly Bounded[];
  /** Sizes that a call decides. */
  readonly free: readonly string[];
  /** True where tokens change a state one after the other. */
  readonly isRecurrent: boolean;
}

/**
 * The cost of a project's model.
 *
 * @param sizes replace the model's defaults, by name.
 * @throws MoecError MOE5420 when there is no such model, MOE5421 when a size has neither a default nor a value.
 */
export function modelCost(
  project: CheckedProject,
  options: { readonly model?: string; readonly sizes?: Readonly<Record<string, number>> } = {},
): ModelCost {
  const info = findModel(project, options.model);
  const entry = info.decl.members?.find((member) => member.kind === "method");
  if (!entry) throw moecError("MOE5420", { name: info.decl.name.text, reason: "it has no entry point" });
  const sizes = sizesOf(info, options.sizes ?? {});
  const walked = walkModel(info, entry, sizes, new Set());
  if (!walked) throw moecError("MOE5420", { name: info.decl.name.text, reason: "`moec check` says what is wrong" });
  const { emitter, walk } = walked;
  const inNumbers = amounts(emitter, walk);
  const training = trainingAmounts(emitter);
  const symbolic = symbols(info, entry, sizes, inNumbers, training);
  return {
    name: info.decl.name.text,
    entry: entry.name?.text ?? "",
    sizes,
    numbers: inNumbers,
    formulas: symbolic?.amounts,
    fixed: symbolic?.fixed ?? [],
    parameters: emitter.counts().map(({ path, all, active }) => ({
      path,
      all: all.evaluate({}),
      active: active.evaluate({}),
      isTable: emitter.isTable(path),
      ...bankOf(emitter, path),
    })),
    training,
    trainingFormulas: symbolic?.training,
    bounded: [...emitter.training.bounded],
    free: [...walk.free],
    isRecurrent: emitter.isRecurrent,
  };
}

function bankOf(emitter: ModelCostEmitter, path: string): Pick<ParameterCount, "bank"> {
  const bank = emitter.bankOf(path)?.evaluate({});
  return bank === undefined ? {} : { bank };
}

function findModel(project: CheckedProject, wanted: string | undefined): ModuleInfo {
  const modules = [...(project.files.get(project.root)?.modules.values() ?? [])];
  const models = modules.filter(({ decl, file }) => decl.contract === "model" && file === project.root);
  const found =
    wanted === undefined ? models.length === 1 && models[0] : models.find((m) => m.decl.name.text === wanted);
  if (found) return found;
  const names = models.map(({ decl }) => decl.name.text).join(", ");
  const reason = models.length === 0 ? "the file declares no model" : `the file declares ${names}; choose with --model`;
  throw moecError("MOE5420", { name: wanted ?? project.root, reason });
}

/** Every size and whole number of the model: what is given, else the default. */
function sizesOf(info: ModuleInfo, given: Readonly<Record<string, number>>): Record<string, number> {
  const { decl, file } = info;
  const sizes: Record<string, number> = { ...given };
  const missing = decl.axes.find((axis) => axis.default === undefined && given[axis.name.text] === undefined);
  if (missing) throw moecError("MOE5421", { name: missing.name.text, model: decl.name.text });
  const unknownName = Object.keys(given).find(
    (name) => ![...decl.axes, ...decl.params].some((each) => each.name.text === name),
  );
  if (unknownName !== undefined) {
    throw moecError("MOE5420", { name: decl.name.text, reason: `it has no size \`${unknownName}\`` });
  }
  withAssumptions({ file, ...decl.span }, false, undefined, (walk) => {
    const instance = instanceOf(walk, info, sizes, new Set());
    if (instance.kind !== "instance") return;
    for (const { name } of [...decl.axes, ...decl.params]) {
      const value = instance.scope.own(name.text)?.value();
      if (value?.kind === "axis") sizes[name.text] = value.size.evaluate({});
      else if (value?.kind === "number" && Number.isInteger(valueOf(value.number))) {
        sizes[name.text] = valueOf(value.number)!;
      }
    }
  });
  return sizes;
}

interface Walked {
  readonly emitter: ModelCostEmitter;
  readonly walk: Walk;
}

/** Makes the model and walks its first entry; undefined when that reports anything. */
function walkModel(
  info: ModuleInfo,
  entry: MethodMember,
  sizes: Readonly<Record<string, number>>,
  named: ReadonlySet<string>,
): Walked | undefined {
  const { decl, file } = info;
  const emitter = new ModelCostEmitter();
  let made: Walk | undefined;
  let isWhole = false;
  try {
    const outer = withAssumptions({ file, ...decl.span }, named.size > 0, undefined, (walk) => {
      emitter.clear();
      isWhole = false;
      // What was walked before is walked again, since it costs again; branches that are not taken cost nothing.
      made = { ...walk, emitter, options: { ...walk.options, checking: false } };
      const instance = instanceOf(made, info, sizes, named);
      if (instance.kind !== "instance") return;
      for (const name of instance.scope.ownNames()) instance.scope.own(name)?.value();
      walkClosure(made, methodClosure(instance, entry), { file, ...entry.span });
      isWhole = true;
    });
    return outer.reporter.findings.length === 0 && isWhole && made ? { emitter, walk: made } : undefined;
  } catch (error) {
    if (error instanceof OpTypeError || error instanceof MoecError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function instanceOf(
  walk: Walk,
  info: ModuleInfo,
  sizes: Readonly<Record<string, number>>,
  named: ReadonlySet<string>,
): ReturnType<typeof makeInstance> {
  const { decl, file, scope } = info;
  const sized = (name: string): Size =>
    named.has(name) ? (walk.assumed.get(name) ?? Size.of(name)) : Size.of(sizes[name]!);
  const axes = new Map<string, AxisArgument>();
  for (const { name } of decl.axes) {
    if (sizes[name.text] === undefined) continue;
    axes.set(name.text, { size: sized(name.text), name: name.text, span: { file, ...name.span } });
  }
  const span = { file, ...decl.name.span };
  const args = decl.params
    .filter(({ name, knob }) => sizes[name.text] !== undefined && !knob)
    .map(({ name }) => ({ name: name.text, value: numberValue(integer(sized(name.text))), span }));
  return makeInstance(walk, info, axes, args, span, { scope, file, path: "", repetitions: [], batch: [] });
}

function amounts(emitter: ModelCostEmitter, walk: Walk): Amounts {
  const perToken = new Map([...walk.free].map((name) => [name, Size.one] as const));
  const sum = (sizes: readonly Size[]): Size => sizes.reduce((total, size) => total.plus(size), Size.zero);
  const counts = emitter.counts();
  return {
    parameters: sum(counts.map(({ all }) => all)),
    active: sum(counts.map(({ active }) => active)),
    tables: sum(counts.filter(({ path }) => emitter.isTable(path)).map(({ all }) => all)),
    operations: emitter.cost.flops.substitute(perToken),
    cacheRow: emitter.cacheRow(),
  };
}

function trainingAmounts(emitter: ModelCostEmitter): TrainingAmounts {
  const { unseen, backward, again, kept, keptRecomputed, sent } = emitter.training;
  return { forward: emitter.cost.flops.minus(unseen), backward, again, kept, keptRecomputed, sent };
}

/**
 * The same walk with names. The form of a model may depend on a size: layers differ by their number, a position is rounded.
 * A name is kept when the formulas with it give the numbers again; the others stay numbers.
 */
function symbols(
  info: ModuleInfo,
  entry: MethodMember,
  sizes: Readonly<Record<string, number>>,
  numbers: Amounts,
  training: TrainingAmounts,
): { readonly amounts: Amounts; readonly training?: TrainingAmounts; readonly fixed: readonly string[] } | undefined {
  const { decl } = info;
  const all = [...decl.axes, ...decl.params].map(({ name }) => name.text).filter((name) => sizes[name] !== undefined);
  const counts = new Set(
    (decl.members ?? []).flatMap((member) => (member.kind === "stack" && member.index ? namesIn(member.count) : [])),
  );
  interface Attempt extends Walked {
    readonly names: string;
    readonly amounts: Amounts;
  }
  let last: Attempt | undefined;
  const attempt = (names: readonly string[]): Attempt | undefined => {
    const key = names.join();
    if (last?.names === key) return last;
    const walked = walkModel(info, entry, sizes, new Set(names));
    const found = walked && amounts(walked.emitter, walked.walk);
    if (!found || !isSame(found, numbers, sizes)) return undefined;
    return (last = { ...walked, names: key, amounts: found });
  };
  const free = all.filter((name) => !counts.has(name));
  const kept = most(free, (names) => attempt(names) !== undefined);
  const found = kept.length > 0 ? attempt(kept) : undefined;
  if (!found) return undefined;
  const named = trainingAmounts(found.emitter);
  const isExact = callsOf(found.walk).every((call) => agrees(named, training, sizes, call));
  const fixed = all.filter((name) => !kept.includes(name));
  return { amounts: found.amounts, ...(isExact ? { training: named } : {}), fixed };
}

/** The names that work together: all, or what the halves have, found by halving. */
function most(names: readonly string[], works: (names: readonly string[]) => boolean): readonly string[] {
  if (names.length === 0 || works(names)) return names;
  if (names.length === 1) return [];
  const middle = names.length >> 1;
  const halves = [names.slice(0, middle), names.slice(middle)].map((half) => most(half, works));
  const joined = halves.flat();
  if (halves.some((half) => half.length === 0) || works(joined)) return joined;
  // What works apart may not work together.
  return halves[0]!.length >= halves[1]!.length ? halves[0]! : halves[1]!;
}

/**
 * Whether formulas give these numbers at these sizes, for tokens behind none and behind 1000. Operations on the sizes
 * themselves (a handful of scalars) are there with names only, so operations may differ by 1 in 10 000.
 */
function isSame(formulas: Amounts, numbers: Amounts, sizes: Readonly<Record<string, number>>): boolean {
  return (Object.keys(numbers) as (keyof Amounts)[]).every((key) =>
    [0, 1000].every((past) => {
      const found = valueAt(formulas[key], { ...sizes, past });
      const expected = approximate(numbers[key], { past });
      return found !== undefined && Math.abs(found - expected) <= (key === "operations" ? 1e-4 * expected + 64 : 0);
    }),
  );
}

/** Calls at which formulas are compared: one token behind many, and several without any. */
function callsOf(walk: Walk): readonly Readonly<Record<string, number>>[] {
  const call = (tokens: number, past: number): Readonly<Record<string, number>> => ({
    ...Object.fromEntries([...walk.free].map((name) => [name, tokens])),
    past,
    [KEYS]: past + tokens,
  });
  return [call(1, 1000), call(64, 0)];
}

/** Whether formulas give what was counted in numbers, as `isSame`. */
function agrees(
  formulas: TrainingAmounts,
  numbers: TrainingAmounts,
  sizes: Readonly<Record<string, number>>,
  call: Readonly<Record<string, number>>,
): boolean {
  return (Object.keys(numbers) as (keyof TrainingAmounts)[]).every((key) => {
    const found = valueAt(formulas[key], { ...sizes, ...call });
    const expected = approximate(numbers[key], call);
    return found !== undefined && Math.abs(found - expected) <= 1e-4 * expected + 64;
  });
}

/** The value of a formula; `E.by.8` in it is the eighth part of E. */
function valueAt(formula: Size, sizes: Readonly<Record<string, number>>): number | undefined {
  const parts = formula.names.map((name) => {
    const [whole = "", divisor = "1"] = name.split(".by.");
    return [name, (sizes[whole] ?? NaN) / (sizes[divisor] ?? Number(divisor))] as const;
  });
  return parts.every(([, value]) => Number.isInteger(value))
    ? approximate(formula, Object.fromEntries(parts))
    : undefined;
}

/** Names that an expression reads. */
function namesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  if ("kind" in node && node.kind === "identifier" && "text" in node) return [String(node.text)];
  return Object.values(node).flatMap(namesIn);
}
