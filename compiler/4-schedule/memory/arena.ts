/**
 * Offsets for the values of one call. A buffer lives from the first step that touches it to the last; one that is
 * touched both inside and outside of a loop lives through the whole loop. (Within one turn everything is written before
 * it is read, but for carried values, which are also written before the loop.)
 * Buffers are placed largest first at the lowest offset that no buffer alive at the same time covers (the greedy rule of
 * Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference").
 */
import type { PlanStep } from "../plan.js";

export interface Lifetime {
  readonly id: string;
  readonly bytes: number;
  /** First and last step, counted through loops. */
  readonly first: number;
  readonly last: number;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

/** Steps in order with the loops around them. */
function walk(steps: readonly PlanStep[]): {
  readonly touches: Map<string, number[]>;
  readonly loops: Span[];
  readonly count: number;
} {
  const touches = new Map<string, number[]>();
  const loops: Span[] = [];
  let count = 0;
  const visit = (list: readonly PlanStep[]): void => {
    for (const step of list) {
      if (step.kind === "loop") {
        const first = count;
        visit(step.steps);
        loops.push({ first, last: Math.max(first, count - 1) });
        continue;
      }
      for (const { buffer } of step.buffers) {
        const list = touches.get(buffer) ?? [];
        list.push(count);
        touches.set(buffer, list);
      }
      count++;
    }
  };
  visit(steps);
  return { touches, loops, count };
}

/**
 * Lifetimes of the buffers of one entry point.
 *
 * @param pinned Buffers that are read after the call.
 */
export function lifetimes(
  steps: readonly PlanStep[],
  buffers: readonly { readonly id: string; readonly bytes: number; readonly pinned: boolean }[],
): readonly Lifetime[] {
  const { touches, loops, count } = walk(steps);
  return buffers.map(({ id, bytes, pinned }) => {
    const own = touches.get(id);
    if (pinned || !own) return { id, bytes, first: 0, last: own || pinned ? Math.max(0, count - 1) : -1 };
    let first = own[0]!;
    let last = own.at(-1)!;
    // Inner loops were pushed before outer ones, so growing once in order is enough.
    for (const loop of loops) {
      const inside = own.some((at) => at >= loop.first && at <= loop.last);
      const outside = first < loop.first || last > loop.last;
      if (inside && outside) {
        first = Math.min(first, loop.first);
        last = Math.max(last, loop.last);
      }
    }
    return { id, bytes, first, last };
  });
}

export interface Placement {
  readonly offsets: ReadonlyMap<string, number>;
  readonly peak: number;
}

/** Offsets that keep buffers alive at the same time apart. `bytes` are multiples of 64. */
export function place(wanted: readonly Lifetime[]): Placement {
  const offsets = new Map<string, number>();
  const placed: (Lifetime & { readonly offset: number })[] = [];
  let peak = 0;
  const order = [...wanted].sort((a, b) => b.bytes - a.bytes || a.first - b.first || (a.id < b.id ? -1 : 1));
  for (const buffer of order) {
    const beside = placed
      .filter((other) => other.first <= buffer.last && buffer.first <= other.last)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of beside) {
      if (offset + buffer.bytes <= other.offset) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    offsets.set(buffer.id, offset);
    placed.push({ ...buffer, offset });
    peak = Math.max(peak, offset + buffer.bytes);
  }
  return { offsets, peak };
}
