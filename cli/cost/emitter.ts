/** Adds to the costs of a declaration what only a whole model has: caches, and tables of which a token reads one row. */
import type { SourceSpan } from "../../compiler/errors/diagnostic.js";
import type { Emitted, EmittedRegion, StoredState, StoredValue } from "../../compiler/1-check/emitter.js";
import { Size } from "../../compiler/axes/size.js";
import type { Attrs } from "../../compiler/ops/types.js";
import { CostEmitter } from "../../editor/server/cost/emitter.js";

export class ModelCostEmitter extends CostEmitter {
  private readonly caches = new Map<string, StoredState>();
  private readonly paths = new Map<Emitted, string>();
  /** Parameters that something else than a lookup reads. */
  private readonly computed = new Set<string>();
  private readonly lookedUp = new Set<string>();

  override clear(): void {
    super.clear();
    this.caches.clear();
    this.paths.clear();
    this.computed.clear();
    this.lookedUp.clear();
  }

  override stored(value: StoredValue): Emitted {
    const emitted = super.stored(value);
    // Inside of layers and experts a lookup takes a slice, not a row of a vocabulary.
    if (value.repetitions.length === 0) this.paths.set(emitted, value.path);
    return emitted;
  }

  override state(state: StoredState): void {
    super.state(state);
    if (state.kind === "cache") this.caches.set(state.path, state);
  }

  override op(
    name: string,
    operands: readonly Emitted[],
    attrs: Attrs,
    span: SourceSpan,
    regions?: readonly EmittedRegion[],
  ): readonly Emitted[] {
    operands.forEach((operand, at) => {
      const path = this.paths.get(operand);
      if (path !== undefined) (name === "gather" && at === 0 ? this.lookedUp : this.computed).add(path);
    });
    return super.op(name, operands, attrs, span, regions);
  }

  /** Tables that are only looked up: of their rows a token reads one. */
  isTable(path: string): boolean {
    return this.lookedUp.has(path) && !this.computed.has(path);
  }

  /** Numbers that the caches of all layers keep for one position. */
  cacheRow(): Size {
    let sum = Size.zero;
    for (const { axes, repetitions } of this.caches.values()) {
      const row = axes.slice(1).reduce((product, { size }) => product.times(size), Size.one);
      sum = sum.plus(repetitions.reduce((product, { axis }) => product.times(axis.size), row));
    }
    return sum;
  }
}
