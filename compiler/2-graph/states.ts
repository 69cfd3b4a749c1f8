/** What the reference evaluator keeps between calls. */
import { MoecError } from "../errors/moec-error.js";
import { countElements, makeTensor } from "../ops/reference-tensor.js";
import type { ReferenceTensor, ReferenceValue } from "../ops/types.js";

/** Rows of one cache: `data` has room for more than `rows`. */
interface Cache {
  readonly kind: "cache";
  readonly dtype: ReferenceTensor["dtype"];
  readonly rowAxes: ReferenceTensor["axes"];
  readonly rows: number;
  readonly data: Float64Array;
}
interface Fixed {
  readonly kind: "fixed";
  readonly value: ReferenceValue;
}

/**
 * States by path and layer. Appending writes behind the rows that others may still look at, so a value given out stays
 * as it is until its cache is truncated and grows anew.
 */
export class StateStore {
  private entries = new Map<string, Cache | Fixed>();

  /** @param round What caches of f32 make of rows that are appended; nothing when left out. */
  constructor(private readonly round?: (rows: Float64Array) => Float64Array) {}

  /** Tokens that states of fixed size have seen: they hold no rows to count. */
  private seen = 0;

  /** Positions of the text so far: those in the caches, or those that states of fixed size have seen. */
  get past(): number {
    let most = this.seen;
    for (const entry of this.entries.values()) if (entry.kind === "cache") most = Math.max(most, entry.rows);
    return most;
  }

  private static key(path: string, layers: readonly number[]): string {
    return [path, ...layers].join("\u0000");
  }

  read(path: string, layers: readonly number[]): ReferenceValue | undefined {
    const entry = this.entries.get(StateStore.key(path, layers));
    return entry?.kind === "fixed" ? entry.value : undefined;
  }

  write(path: string, layers: readonly number[], value: ReferenceValue): void {
    this.entries.set(StateStore.key(path, layers), { kind: "fixed", value });
  }

  /** Put `value[rows, …]` behind the `past` rows of a cache and give all of them. Throws MOE2069. */
  append(path: string, layers: readonly number[], value: ReferenceTensor, past: number): ReferenceTensor {
    const key = StateStore.key(path, layers);
    const rowAxes = value.axes.slice(1);
    const width = countElements(rowAxes);
    const before = this.entries.get(key);
    const cache: Cache = before?.kind === "cache" ? before : StateStore.empty(value, rowAxes);
    if (cache.rows !== past) {
      throw new MoecError("MOE2069", `cache \`${path}\` holds ${cache.rows} positions, the call says ${past}`);
    }
    const rows = past + value.axes[0]!.size;
    const data = StateStore.withRoom(cache.data, past * width, rows * width);
    data.set(this.round && value.dtype === "f32" ? this.round(value.data) : value.data, past * width);
    this.entries.set(key, { ...cache, rows, data });
    return makeTensor(
      value.dtype,
      [{ name: value.axes[0]!.name, size: rows }, ...rowAxes],
      data.subarray(0, rows * width),
    );
  }

  private static empty(value: ReferenceTensor, rowAxes: Cache["rowAxes"]): Cache {
    return { kind: "cache", dtype: value.dtype, rowAxes, rows: 0, data: new Float64Array(0) };
  }

  private static withRoom(data: Float64Array, used: number, needed: number): Float64Array {
    if (data.length >= needed) return data;
    const larger = new Float64Array(Math.max(needed, 2 * data.length));
    larger.set(data.subarray(0, used));
    return larger;
  }

  /** True when states are kept and none of them is a cache, whose rows say how long the text is. */
  get countsTokens(): boolean {
    return this.entries.size > 0 && [...this.entries.values()].every(({ kind }) => kind === "fixed");
  }

  /** Says how many positions the text has after a call of a model that `countsTokens`. */
  passed(positions: number): void {
    this.seen = positions;
  }

  /** Forget all positions from `rows` on, in every cache. */
  truncate(rows: number): void {
    this.seen = Math.min(this.seen, rows);
    for (const [key, entry] of this.entries) {
      if (entry.kind === "cache" && entry.rows > rows) this.entries.set(key, { ...entry, rows });
    }
  }

  /** An independent copy. */
  clone(): StateStore {
    const copy = new StateStore(this.round);
    copy.seen = this.seen;
    for (const [key, entry] of this.entries) {
      copy.entries.set(key, entry.kind === "cache" ? { ...entry, data: entry.data.slice() } : entry);
    }
    return copy;
  }

  /** A view that one call writes to; `adopt` makes its writes last, dropping it forgets them. */
  begin(): StateStore {
    const view = new StateStore(this.round);
    view.seen = this.seen;
    view.entries = new Map(this.entries);
    return view;
  }

  adopt(view: StateStore): void {
    this.entries = view.entries;
    this.seen = view.seen;
  }
}
