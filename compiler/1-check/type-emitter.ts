/** The emitter of the checker: types and nothing else. */
import type { SourceSpan } from "../errors/diagnostic.js";
import { getOp } from "../ops/index.js";
import type { Attrs, Axis, Declarations, TensorType } from "../ops/types.js";
import type { Emitted, EmittedRegion, Emitter, RegionParam, Repetition, StoredState, StoredValue } from "./emitter.js";

/** The axes that a stored value has here: those of the repetitions which are not taken off, then its own. */
export function storedAxes(
  value: { repetitions: readonly Repetition[]; axes: readonly Axis[] },
  taken: ReadonlySet<string>,
) {
  return [...value.repetitions.filter((r) => !taken.has(r.path)).map((r) => r.axis), ...value.axes];
}

export class TypeEmitter implements Emitter {
  private readonly taken = new Set<string>();
  private readonly states = new Map<string, { kind: "fixed" | "cache"; type: TensorType }>();
  private readonly storedTypes = new Map<string, TensorType>();

  private readonly declared: Declarations = {
    param: (path) => this.storedTypes.get(path),
    knob: (path) => this.storedTypes.get(path),
    state: (path) => this.states.get(path),
  };

  op(
    name: string,
    operands: readonly Emitted[],
    attrs: Attrs,
    span: SourceSpan,
    regions: readonly EmittedRegion[] = [],
  ): readonly Emitted[] {
    const def = getOp(name);
    if (!def) throw new Error(`the op table has no ${name}`);
    const types = def.type({
      operands: operands.map((operand) => operand.type),
      attrs: regions.length > 0 ? withoutCounts(name, attrs, regions) : attrs,
      regions: regions.map((region) => region.type),
      declared: this.declared,
    });
    return types.map((type) => ({ type, source: span }));
  }

  region(
    params: readonly RegionParam[],
    body: (params: readonly Emitted[]) => readonly Emitted[],
    repetition?: Repetition,
  ): EmittedRegion {
    const took = repetition !== undefined && !this.taken.has(repetition.path);
    if (took) this.taken.add(repetition.path);
    try {
      const results = body(params.map(({ type }) => ({ type })));
      return {
        type: { params: params.map((param) => param.type), results: results.map((result) => result.type) },
        captures: false,
      };
    } finally {
      if (took) this.taken.delete(repetition.path);
    }
  }

  stored(value: StoredValue): Emitted {
    const axes = storedAxes(value, this.taken);
    this.storedTypes.set(value.path, { kind: "tensor", dtype: value.dtype, axes });
    return { type: { kind: "tensor", dtype: value.dtype, axes }, source: value.span };
  }

  bind(): void {
    // The type of a parameter is what it was.
  }

  repetitionKey(repetitions: readonly Repetition[]): string {
    let key = "";
    for (const { path, axis } of repetitions) if (!this.taken.has(path)) key += `${axis.name}=${axis.size.key},`;
    return key;
  }

  state(state: StoredState): void {
    this.states.set(state.path, { kind: state.kind, type: { kind: "tensor", dtype: state.dtype, axes: state.axes } });
  }

  name(): void {
    // Types have no names.
  }
}

/** The counts of operands that only a graph has: none while checking. */
export function withoutCounts(name: string, attrs: Attrs, regions: readonly EmittedRegion[]): Attrs {
  if (name === "mixture" || name === "dispatch") {
    const banks = attrs["banks"] as readonly { readonly experts: never }[];
    return { ...attrs, banks: banks.map(({ experts }) => ({ experts, params: 0 })), captures: 0 };
  }
  if (name === "stack") return { ...attrs, stacked: 0 };
  return regions.length === 0 ? attrs : { ...attrs };
}
