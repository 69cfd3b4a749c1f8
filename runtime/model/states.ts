/** What a model keeps between calls: caches with a position, and states of fixed size. */
import type { Plan, PlanBuffer, PlanState } from "../../compiler/4-schedule/plan.js";
import type { Device } from "../device.js";

/** A text so far with everything the model remembers of it; `Model.restore` goes on from there. */
export interface Snapshot {
  readonly tokens: readonly number[];
  /** How many positions the text has; the number of its tokens when absent. Inputs of floats have positions and no tokens. */
  readonly positions?: number;
  /** Bytes of the states in the plan's order: used positions of caches, all of fixed states. */
  readonly states: readonly Uint8Array[];
}

interface StateRange {
  readonly offset: number;
  readonly bytes: number;
}

export class States {
  private readonly states: readonly { readonly state: PlanState; readonly buffer: PlanBuffer }[];

  constructor(
    plan: Plan,
    private readonly device: Device,
  ) {
    const buffers = new Map(plan.buffers.map((buffer) => [buffer.id, buffer]));
    this.states = plan.states.map((state) => ({ state, buffer: buffers.get(state.buffer)! }));
  }

  /** True when dropping the last positions of the caches is all it takes to go back. */
  get canRewind(): boolean {
    return this.states.every(({ state }) => state.kind === "cache");
  }

  /** True when anything of a text is kept from call to call. */
  get goesOn(): boolean {
    return this.states.length > 0;
  }

  get hasCache(): boolean {
    return this.states.some(({ state }) => state.kind === "cache");
  }

  /** Fixed states get their initial value; caches need nothing, since nothing behind the position is read. */
  async reset(): Promise<void> {
    for (const { state, buffer } of this.states) {
      if (state.kind === "cache") continue;
      const values = state.dtype === "f32" ? new Float32Array(buffer.bytes / 4) : new Int32Array(buffer.bytes / 4);
      values.fill(state.init);
      await this.device.write("state", buffer.offset, new Uint8Array(values.buffer));
    }
  }

  async save(positions: number): Promise<readonly Uint8Array[]> {
    const saved: Uint8Array[] = [];
    for (const ranges of this.ranges(positions)) {
      const bytes = new Uint8Array(ranges.reduce((sum, range) => sum + range.bytes, 0));
      let at = 0;
      for (const range of ranges) {
        bytes.set(await this.device.read("state", range.offset, range.bytes), at);
        at += range.bytes;
      }
      saved.push(bytes);
    }
    return saved;
  }

  async restore(positions: number, saved: readonly Uint8Array[]): Promise<void> {
    const all = this.ranges(positions);
    for (const [index, ranges] of all.entries()) {
      let at = 0;
      for (const range of ranges) {
        await this.device.write("state", range.offset, saved[index]!.subarray(at, at + range.bytes));
        at += range.bytes;
      }
    }
  }

  /** Bytes that hold the first `positions` positions, run by run, for each state. */
  private ranges(positions: number): readonly (readonly StateRange[])[] {
    return this.states.map(({ state, buffer }) =>
      state.kind === "fixed"
        ? [{ offset: buffer.offset, bytes: buffer.bytes }]
        : Array.from({ length: Math.max(1, state.layers) * state.runs }, (_, index) => ({
            offset:
              buffer.offset +
              Math.floor(index / state.runs) * state.layerStride +
              (index % state.runs) * state.runStride,
            bytes: positions * state.positionBytes,
          })),
    );
  }
}
