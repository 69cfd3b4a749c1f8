/** Names in force at a place: block inside body inside module inside file. */
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Value } from "./values.js";

export interface Binding {
  /** Evaluated at the first use, since members may use each other in any order. */
  value(): Value;
  /** Where the name was declared. */
  readonly span?: SourceSpan | undefined;
  /** The documentation comment above the declaration. */
  readonly doc?: string;
  /** Imported from where it is not: nothing to suggest to anyone. */
  readonly missing?: true;
}

/** A name whose value is there already. */
class KnownBinding implements Binding {
  constructor(
    private readonly known: Value,
    readonly span: SourceSpan | undefined,
  ) {}

  value(): Value {
    return this.known;
  }
}

export class Scope {
  /** Made with the first name: most scopes never have one. */
  private bindings: Map<string, Binding> | undefined;

  private doubt = false;

  constructor(readonly parent?: Scope) {}

  /** Says that a call here failed, which might have made axes with names of its own. */
  taint(): void {
    this.doubt = true;
  }

  /** True when a name that is not found may be missing because of an earlier error. */
  get tainted(): boolean {
    return this.doubt || (this.parent?.tainted ?? false);
  }

  define(name: string, binding: Binding): void {
    (this.bindings ??= new Map()).set(name, binding);
  }

  defineValue(name: string, value: Value, span?: SourceSpan): void {
    this.define(name, new KnownBinding(value, span));
  }

  /** A name that was asked for and is not there, so that its uses are not errors of their own. */
  defineMissing(name: string, span: SourceSpan): void {
    this.define(name, { value: () => ({ kind: "unknown" }), span, missing: true });
  }

  /** Takes a name of this scope back. */
  forget(name: string): void {
    this.bindings?.delete(name);
  }

  own(name: string): Binding | undefined {
    return this.bindings?.get(name);
  }

  lookup(name: string): Binding | undefined {
    return this.bindings?.get(name) ?? lookupIn(this.parent, name);
  }

  /** All names in force here, for suggestions and completion. */
  names(): readonly string[] {
    const own = [...(this.bindings ?? [])].flatMap(([name, binding]) => (binding.missing ? [] : [name]));
    return [...new Set([...own, ...(this.parent?.names() ?? [])])];
  }

  /** Names bound in this scope itself. */
  ownNames(): readonly string[] {
    return [...(this.bindings?.keys() ?? [])];
  }
}

/** Names of a block in braces. */
export class BlockScope extends Scope {}

/** As a loop: names of files and of the language lie behind many scopes. */
function lookupIn(from: Scope | undefined, name: string): Binding | undefined {
  for (let scope = from; scope; scope = scope.parent) {
    const found = scope.own(name);
    if (found) return found;
  }
  return undefined;
}
