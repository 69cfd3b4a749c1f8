/** The parameters of a module and of everything inside of it, by path, under the axis names of whoever made the module. */
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { TensorType } from "../../ops/types.js";
import { walkClosure } from "../check-module.js";
import type { Walk } from "../context.js";
import { bodyOf, methodClosure } from "../elaborate/closures.js";
import { renameAll } from "../elaborate/tensors.js";
import type { Emitted, StoredValue } from "../emitter.js";
import { Reporter } from "../reporter.js";
import { Scope } from "../scope.js";
import { TypeEmitter } from "../type-emitter.js";
import type { InstanceValue, Value } from "../values.js";

/** Names of a module's axes outside of it, innermost module first. */
type Outward = readonly ReadonlyMap<string, string>[];

export interface ModuleParameter {
  readonly path: string;
  /** Its own type: axes of repetitions first, named as its module names them. */
  readonly stored: TensorType;
  /** The same axes under the names outside. */
  readonly type: TensorType;
  /** Reads it where the walk is, under the names outside. */
  readonly read: (span: SourceSpan) => Emitted | undefined;
}

/** All parameters of a module by path, whether a body reads them or not. */
export function parametersOf(walk: Walk, root: InstanceValue, span: SourceSpan): ReadonlyMap<string, ModuleParameter> {
  const found = new Map<string, ModuleParameter>();
  withTypesOnly(walk, () => visitInstance(walk, root, [], span, found));
  return found;
}

function visitInstance(
  walk: Walk,
  instance: InstanceValue,
  outside: Outward,
  span: SourceSpan,
  found: Map<string, ModuleParameter>,
): void {
  const names = new Map(
    [...instance.axes].flatMap(([name, axis]) => (axis.name === undefined ? [] : [[name, axis.name] as const])),
  );
  const outward = [names, ...outside];
  for (const [name, value] of instance.args)
    visit(walk, value, instance.defaults.has(name) ? outward : outside, span, found);
  for (const member of instance.info.decl.members ?? []) {
    if (!("name" in member) || !member.name) continue;
    const { text } = member.name;
    if (member.kind === "use" || member.kind === "stack" || member.kind === "let-member") {
      visit(walk, instance.scope.own(text)?.value(), outward, span, found);
    }
    if (member.kind !== "param") continue;
    const read = (): Value | undefined => instance.scope.own(text)?.value();
    const value = read();
    if (value?.kind !== "tensor") visit(walk, value, outward, span, found);
    else if (value.value.type.kind === "tensor") {
      const path = instance.path === "" ? text : `${instance.path}.${text}`;
      if (found.has(path)) continue;
      const renamed = (stored: Emitted, at: SourceSpan): Emitted =>
        outward.reduce((one, map) => renameAll(walk, one, map, at), stored);
      const { type } = renamed(value.value, span);
      if (type.kind !== "tensor") continue;
      found.set(path, {
        path,
        stored: value.value.type,
        type,
        read: (at) => {
          const now = read();
          return now?.kind === "tensor" ? renamed(now.value, at) : undefined;
        },
      });
    }
  }
}

function visit(
  walk: Walk,
  value: Value | undefined,
  outward: Outward,
  span: SourceSpan,
  found: Map<string, ModuleParameter>,
): void {
  switch (value?.kind) {
    case "instance":
      return visitInstance(walk, value, outward, span, found);
    case "bank":
      for (const { module } of value.groups) visit(walk, module, outward, span, found);
      return;
    case "stack":
      for (const { modules } of value.runs) for (const module of modules) visit(walk, module, outward, span, found);
      return;
    case "pool":
      for (let index = 0; index < (value.count.constant ?? 1); index++)
        visit(walk, value.at(index), outward, span, found);
      return;
    case "tuple":
      for (const item of value.items) visit(walk, item, outward, span, found);
      return;
    default:
      return;
  }
}

/**
 * Paths of the parameters that the bodies of a module read: a checkpoint holds these. Undefined when a body cannot be
 * walked for all sizes, so that nobody knows.
 */
export function readBy(walk: Walk, module: InstanceValue): ReadonlySet<string> | undefined {
  const emitter = new ReadEmitter();
  const failed = withTypesOnly(
    walk,
    () => {
      const inside = (depth: number): void => {
        const repetition = module.repetitions[depth];
        if (!repetition) return walkBodies(walk, module);
        emitter.region(
          [],
          () => {
            inside(depth + 1);
            return [];
          },
          repetition,
        );
      };
      inside(0);
      return walk.reporter.errors > 0;
    },
    emitter,
  );
  return failed ? undefined : emitter.paths;
}

function walkBodies(walk: Walk, module: InstanceValue): void {
  const span = { file: module.info.file, ...module.info.decl.name.span };
  const named = (module.info.decl.members ?? []).flatMap((member) =>
    member.kind === "method" && member.name ? [methodClosure(module, member)] : [],
  );
  for (const body of [bodyOf(module) ?? [], named].flat()) {
    // The axes of a call become known in a scope that goes away, not in the module.
    walkClosure(walk, { ...body, scope: new Scope(body.scope) }, span);
  }
}

/** Notes what is read. */
class ReadEmitter extends TypeEmitter {
  readonly paths = new Set<string>();

  override stored(value: StoredValue): Emitted {
    if (value.kind === "param") this.paths.add(value.path);
    return super.stored(value);
  }
}

/**
 * Runs `body` on the walk without leaving anything in what it builds or says. The walk itself is lent: members of
 * modules emit into the walk that made them.
 */
function withTypesOnly<R>(walk: Walk, body: () => R, emitter = new TypeEmitter()): R {
  const before = { ...walk };
  const reporter = new Reporter({ file: "", start: 0, end: 0 });
  // Results that are recalled by type read nothing, so nothing is taken from memory.
  Object.assign(walk, {
    emitter,
    reporter,
    info: undefined,
    options: { ...walk.options, checking: false },
    free: new Set(walk.free),
  });
  try {
    return body();
  } finally {
    Object.assign(walk, before);
  }
}
