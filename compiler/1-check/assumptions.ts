/**
 * Divisions of symbols. A declaration that divides `D` by `H` is walked again with `D` written as `H * D.by.H`, so that
 * `H * (D / H)` is `D` again without any rule for it. What a declaration was found to divide is remembered, and modules
 * that use it take it on at once.
 */
import type { Expression, ModuleDecl } from "../../grammar/tree.js";
import { Size } from "../axes/size.js";
import { AssumeDivisible, type Walk } from "./context.js";
import { declaredNames } from "./declared-names.js";
import type { AxisArgument, ModuleInfo } from "./values.js";

/** Symbol -> what divides it. */
export type Divisors = ReadonlyMap<string, Size>;

const found = new WeakMap<ModuleDecl, Divisors>();

/** What the declaration itself divides, as far as it was walked. */
export function divisorsOf(decl: ModuleDecl): Divisors | undefined {
  return found.get(decl);
}

export function rememberDivisors(decl: ModuleDecl, divisors: Divisors): void {
  found.set(decl, divisors);
}

/** A division that came up inside a module is one of that module: written in its own axes for whoever uses it next. */
export function learn(decl: ModuleDecl, axes: ReadonlyMap<string, AxisArgument>, cause: AssumeDivisible): void {
  const own = new Map<string, Size>();
  for (const [name, { size }] of axes) {
    const symbol = size.names[0];
    if (symbol !== undefined && size.equals(Size.of(symbol))) own.set(symbol, Size.of(name));
  }
  const name = own.get(cause.symbol)?.names[0];
  if (name === undefined || !cause.by.names.every((part) => own.has(part))) return;
  const known = found.get(decl);
  found.set(decl, new Map([...(known ?? []), [name, both(known?.get(name), cause.by.substitute(own))]]));
}

/** What is divided by two things is taken to be a multiple of their product; their least common one has no formula. */
function both(known: Size | undefined, by: Size): Size {
  if (!known || by.dividedBy(known)) return by;
  return known.dividedBy(by) ? known : known.times(by);
}

/** The divisions known so far, with the one that stopped the walk and those of the modules it had made until then. */
export function extended(divisors: Divisors, walk: Walk, cause: AssumeDivisible): Divisors {
  const all = new Map(divisors);
  all.set(cause.symbol, both(divisors.get(cause.symbol), cause.by));
  for (const { decl, axes } of walk.made) {
    for (const [name, by] of found.get(decl) ?? []) take(all, axes, name, by);
  }
  return all;
}

/**
 * What a module was found to divide its users divide too: where they do not assume it yet, they begin anew at once
 * instead of in the middle of its body.
 */
export function inherit(walk: Walk, decl: ModuleDecl, axes: ReadonlyMap<string, AxisArgument>): void {
  const known = found.get(decl);
  if (!known) return;
  const all = new Map<string, Size>();
  for (const [name, by] of known) take(all, axes, name, by);
  for (const [symbol, by] of all) {
    if (walk.assumed.has(symbol) || walk.free.has(symbol) || by.names.some((part) => walk.free.has(part))) continue;
    // No error, as in `needSize`.
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw new AssumeDivisible(symbol, by);
  }
}

/**
 * What a declaration will inherit from the modules that it uses, as far as their sizes are its own axes or numbers: known
 * before its first walk, it saves the walks that would end at these modules.
 */
export function foreseen({ decl, scope }: ModuleInfo): Divisors {
  const all = new Map<string, Size>();
  const own = new Set(decl.axes.map(({ name }) => name.text));
  const taken = declaredNames(decl);
  for (const member of decl.members ?? []) {
    if (member.kind !== "use") continue;
    const index = member.value.kind === "call" ? member.value.callee : member.value;
    if (index.kind !== "index" || index.object.kind !== "name") continue;
    const name = index.object.name.text;
    const value = own.has(name) || taken.has(name) ? undefined : scope.lookup(name)?.value();
    const known = value?.kind === "declaration" ? found.get(value.info.decl) : undefined;
    if (value?.kind !== "declaration" || !known) continue;
    const axes = new Map<string, AxisArgument>();
    for (const [place, entry] of index.entries.entries()) {
      const axis = entry.kind === "plain" ? value.info.decl.axes[place] : undefined;
      const size = entry.kind === "plain" && axis ? plainSize(entry.value, own) : undefined;
      if (axis && size) axes.set(axis.name.text, { size });
    }
    for (const [symbol, by] of known) if (by.names.every((part) => axes.has(part))) take(all, axes, symbol, by);
  }
  return all;
}

function plainSize(expression: Expression, axes: ReadonlySet<string>): Size | undefined {
  if (expression.kind === "number")
    return Number.isSafeInteger(expression.value) && !expression.unit ? Size.of(expression.value) : undefined;
  return expression.kind === "name" && axes.has(expression.name.text) ? Size.of(expression.name.text) : undefined;
}

function take(all: Map<string, Size>, axes: ReadonlyMap<string, AxisArgument>, name: string, by: Size): void {
  const size = axes.get(name)?.size;
  const symbol = size?.names[0];
  if (!size || symbol === undefined || !size.equals(Size.of(symbol)) || all.has(symbol)) return;
  const sizes = new Map([...axes].map(([axis, argument]) => [axis, argument.size] as const));
  const divisor = by.substitute(sizes);
  if (divisor.constant !== 1 && !divisor.names.includes(symbol)) all.set(symbol, divisor);
}

const worked = new WeakMap<Divisors, ReadonlyMap<string, Size>>();

/** `D` divided by `H` stands for `H * D.by.H`; chains are worked out to the end. */
export function products(divisors: Divisors): ReadonlyMap<string, Size> {
  let known = worked.get(divisors);
  if (!known) worked.set(divisors, (known = workedOut(divisors)));
  return known;
}

function workedOut(divisors: Divisors): ReadonlyMap<string, Size> {
  const made = new Map<string, Size>();
  const product = (name: string, open: readonly string[]): Size => {
    const by = divisors.get(name);
    if (!by || open.includes(name)) return Size.of(name);
    const known = made.get(name);
    if (known) return known;
    const inner = new Map(by.names.map((part) => [part, product(part, [...open, name])]));
    const size = by.substitute(inner).times(Size.of(`${name}.by.${by.key.replace(/\W/g, "_")}`));
    made.set(name, size);
    return size;
  };
  for (const name of divisors.keys()) product(name, []);
  return made;
}
