/** Adds to the costs of a declaration what only a whole model has: caches, tables of which a token reads one row, training. */
import type { SourceSpan } from "../../compiler/errors/diagnostic.js";
import type {
  Emitted,
  EmittedRegion,
  RegionParam,
  Repetition,
  StoredState,
  StoredValue,
} from "../../compiler/1-check/emitter.js";
import { Size } from "../../compiler/axes/size.js";
import type { Attrs, OpCall, OpCost } from "../../compiler/ops/types.js";
import { CostEmitter } from "../../editor/server/cost/emitter.js";
import { TrainingTally } from "./training-tally.js";

export class ModelCostEmitter extends CostEmitter {
  readonly training = new TrainingTally();
  private readonly lasting = new Map<string, StoredState>();
  private readonly paths = new Map<Emitted, string>();
  /** Parameters that something else than a lookup reads. */
  private readonly computed = new Set<string>();
  private readonly lookedUp = new Set<string>();

  override clear(): void {
    super.clear();
    this.training.clear();
    this.lasting.clear();
    this.paths.clear();
    this.computed.clear();
    this.lookedUp.clear();
  }

  override stored(value: StoredValue): Emitted {
    const emitted = super.stored(value);
    this.training.stored(emitted, value.kind === "param");
    // Inside of layers and experts a lookup takes a slice, not a row of a vocabulary.
    if (value.repetitions.length === 0) this.paths.set(emitted, value.path);
    return emitted;
  }

  override state(state: StoredState): void {
    super.state(state);
    this.lasting.set(state.path, state);
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

  override region(
    params: readonly RegionParam[],
    body: (params: readonly Emitted[]) => readonly Emitted[],
    repetition?: Repetition,
  ): EmittedRegion {
    let region: EmittedRegion | undefined;
    this.training.open();
    try {
      const tallied = (values: readonly Emitted[]): readonly Emitted[] => {
        this.training.params(values);
        return body(values);
      };
      region = super.region(params, tallied, repetition);
      return region;
    } finally {
      this.training.close(region);
    }
  }

  protected override noteOp(
    name: string,
    operands: readonly Emitted[],
    call: OpCall,
    cost: OpCost,
    regions: readonly EmittedRegion[],
    results: readonly Emitted[],
  ): void {
    this.training.op(name, operands, call, cost.flops, regions, results);
  }

  /** True of a model with a state that each token changes for the next one. */
  get isRecurrent(): boolean {
    return [...this.lasting.values()].some(({ kind }) => kind === "fixed");
  }

  /** Experts of the bank that a parameter belongs to, of the smallest where banks are nested; undefined outside of banks. */
  bankOf(path: string): Size | undefined {
    const experts = this.params.get(path)?.repetitions.filter(({ kind }) => kind === "expert") ?? [];
    const [least] = experts.map(({ axis }) => axis.size).sort((a, b) => a.evaluate({}) - b.evaluate({}));
    return least;
  }

  /** Tables that are only looked up: of their rows a token reads one. */
  isTable(path: string): boolean {
    return this.lookedUp.has(path) && !this.computed.has(path);
  }

  /** Numbers that the caches of all layers keep for one position. */
  cacheRow(): Size {
    let sum = Size.zero;
    for (const { kind, axes, repetitions } of this.lasting.values()) {
      if (kind !== "cache") continue;
      const row = axes.slice(1).reduce((product, { size }) => product.times(size), Size.one);
      sum = sum.plus(repetitions.reduce((product, { axis }) => product.times(axis.size), row));
    }
    return sum;
  }
}
