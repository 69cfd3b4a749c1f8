/** What a declaration costs, in its own sizes: `D * E + 3 * D * E * F` parameters, or numbers where all are given. */
import { genericInstance, walkClosure, withAssumptions } from "../../../compiler/1-check/check-module.js";
import type { Walk } from "../../../compiler/1-check/context.js";
import { bodyOf, isFunctionForm, methodClosure } from "../../../compiler/1-check/elaborate/closures.js";
import { makeInstance } from "../../../compiler/1-check/elaborate/modules.js";
import type { ModuleInfo } from "../../../compiler/1-check/values.js";
import { Size } from "../../../compiler/axes/size.js";
import { MoecError } from "../../../compiler/errors/moec-error.js";
import { OpTypeError } from "../../../compiler/ops/types.js";
import { CostEmitter } from "./emitter.js";

export interface Measure {
  /** Numbers to learn. */
  readonly parameters: Size;
  /** Those that work for one token: of a bank, as many experts as the routes have slots. */
  readonly active: Size;
  /** Floating-point operations of one token with nothing before it, a multiply-add counting 2. */
  readonly operations: Size;
  /** Bytes that move for it, f32 and without any fusion. */
  readonly bytes: Size;
}

/** Functions, masks and schedules have nothing to learn. */
export function isMeasurable({ decl }: ModuleInfo): boolean {
  return !isFunctionForm(decl) && decl.contract !== "mask" && decl.contract !== "schedule";
}

/** Undefined for functions and for declarations that have errors. */
export function measure(info: ModuleInfo): Measure | undefined {
  const { decl, file } = info;
  if (!isMeasurable(info)) return undefined;
  const concrete = decl.axes.every((axis) => axis.default) && decl.params.every((param) => param.default);
  const emitter = new CostEmitter();
  let made: Walk | undefined;
  try {
    const walked = withAssumptions({ file, ...decl.span }, !concrete, undefined, (walk) => {
      emitter.clear();
      // What was walked before is walked again, since it costs again; branches that are not taken cost nothing.
      made = { ...walk, emitter, options: { ...walk.options, checking: false } };
      runAll(made, info, concrete);
    });
    if (walked.reporter.findings.length > 0 || !made) return undefined;
  } catch (error) {
    // What cannot be measured has an error of its own, which the checker says.
    if (error instanceof OpTypeError || error instanceof MoecError || error instanceof RangeError) return undefined;
    throw error;
  }
  const walk = made;
  const perToken = new Map([...walk.free].map((name) => [name, Size.one] as const)).set("past", Size.zero);
  const sum = (sizes: readonly Size[]): Size => sizes.reduce((total, size) => total.plus(size), Size.zero);
  const { cost } = emitter;
  return {
    parameters: sum(emitter.counts().map(({ all }) => all)).substitute(perToken),
    active: sum(emitter.counts().map(({ active }) => active)).substitute(perToken),
    operations: cost.flops.substitute(perToken),
    bytes: cost.bytes.substitute(perToken),
  };
}

function runAll(walk: Walk, info: ModuleInfo, concrete: boolean): void {
  const { decl, file, scope } = info;
  const span = { file, ...decl.name.span };
  const instance = concrete
    ? makeInstance(walk, info, new Map(), [], span, { scope, file, path: "", repetitions: [], batch: [] })
    : genericInstance(walk, info, false);
  if (instance.kind !== "instance" || instance.info !== info) return;
  for (const name of instance.scope.ownNames()) instance.scope.own(name)?.value();
  const methods = decl.members?.filter((member) => member.kind === "method") ?? [];
  // One entry of a model stands for its cost; a module has one body.
  const [first] = decl.contract === "model" ? methods : methods.filter((method) => !method.name);
  if (first) walkClosure(walk, methodClosure(instance, first), { file, ...first.span });
  const body = decl.value && bodyOf(instance);
  if (body) walkClosure(walk, body, { file, ...decl.value.span });
}
