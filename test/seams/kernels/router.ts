/** Softmax router with the best k experts of each token, and the grouping of its choices by expert. */
import { KernelBuilder } from "../../../compiler/4-schedule/kernel-builder.js";
import {
  add,
  all,
  and,
  block,
  compare,
  constant,
  div,
  exp,
  max,
  min,
  mul,
  or,
  select,
  sub,
  thread,
} from "../../../compiler/4-schedule/kernel-expressions.js";
import type { Expression, Kernel } from "../../../compiler/4-schedule/kernel-ir.js";
import { f32 } from "../../../compiler/4-schedule/kernel-types.js";
import { at } from "./variant.js";

/** Most experts that fit into the shared buffer. */
export const mostExperts = 128;

/**
 * scores[T, E] -> index[T, k], weight[T, k] (probabilities of the chosen, normalized to 1), counts[E] += tokens. Ties go
 * to the lowest index, NaN is never chosen. One block a token.
 */
export function router(threads: number): Kernel {
  const k = new KernelBuilder("router", { doc: "softmax, then the best k, ties to the lowest index", threads });
  const scores = k.buffer("scores", "f32", "read");
  const index = k.buffer("index", "i32", "readwrite");
  const weight = k.buffer("weight", "f32", "readwrite");
  const counts = k.buffer("counts", "i32", "readwrite");
  const experts = k.scalar("experts", "i32");
  const choices = k.scalar("choices", "i32");
  const share = k.blockBuffer("share", "f32", "shared", mostExperts);
  const value = k.blockBuffer("value", "f32", "shared", threads);
  const place = k.blockBuffer("place", "i32", "shared", threads);

  /** Combine what the threads have, in a tree; thread 0 has the result, after a barrier. */
  const tree = (join: (other: Expression) => void): void => {
    k.barrier();
    for (let half = threads / 2; half >= 1; half /= 2) {
      k.ifThen(compare("lt", thread, half), () => join(add(thread, half)));
      k.barrier();
    }
  };
  const folded = (op: (a: Expression, b: Expression) => Expression, own: Expression): Expression => {
    k.store(value, thread, own);
    tree((other) => k.store(value, thread, op(k.load(value, thread), k.load(value, other))));
    const result = k.let("folded", k.load(value, 0));
    // Nobody writes `value` again before all have read it.
    k.barrier();
    return result;
  };

  const start = k.let("start", mul(block, experts));
  const largest = k.variable("largest", constant(-Infinity, f32));
  k.loop("e", thread, experts, threads, (e) => largest.set(max(largest.get, k.load(scores, add(start, e)))));
  const top = folded(max, largest.get);
  // A row of -inf has all zeros.
  const shift = k.let("shift", select(compare("eq", top, -Infinity), 0, top));
  const sum = k.variable("sum", constant(0, f32));
  k.loop("e", thread, experts, threads, (e) => {
    const power = k.let("power", exp(sub(k.load(scores, add(start, e)), shift)));
    k.store(share, e, power);
    sum.set(add(sum.get, power));
  });
  const total = folded(add, sum.get);
  k.loop("e", thread, experts, threads, (e) =>
    k.store(share, e, select(compare("gt", total, 0), div(k.load(share, e), total), 0)),
  );
  const chosen = k.variable("chosen", constant(0, f32));
  k.loop("choice", 0, choices, 1, (choice) => {
    const best = k.variable("best", constant(-1, f32));
    const which = k.variable("which", 0x7fffffff);
    k.loop("e", thread, experts, threads, (e) => {
      const own = k.let("own", k.load(share, e));
      k.ifThen(compare("gt", own, best.get), () => {
        best.set(own);
        which.set(e);
      });
    });
    k.store(value, thread, best.get);
    k.store(place, thread, which.get);
    tree((other) => {
      const [mine, theirs] = [k.let("mine", k.load(value, thread)), k.let("theirs", k.load(value, other))];
      const tie = all(compare("eq", theirs, mine), compare("lt", k.load(place, other), k.load(place, thread)));
      k.ifThen(or(compare("gt", theirs, mine), tie), () => {
        k.store(value, thread, theirs);
        k.store(place, thread, k.load(place, other));
      });
    });
    k.ifThen(compare("eq", thread, 0), () => {
      const winner = k.let("winner", min(k.load(place, 0), sub(experts, 1)));
      const slot = k.let("slot", at(block, choices, choice));
      k.store(index, slot, winner);
      k.store(weight, slot, k.load(value, 0));
      chosen.set(add(chosen.get, k.load(value, 0)));
      // Lower than what a search starts from: never chosen again.
      k.store(share, winner, -2);
      k.atomicAdd(counts, winner, 1);
    });
    k.barrier();
  });
  k.ifThen(and(compare("eq", thread, 0), compare("gt", chosen.get, 0)), () =>
    k.loop("choice", 0, choices, 1, (choice) => {
      const slot = k.let("slot", at(block, choices, choice));
      k.store(weight, slot, div(k.load(weight, slot), chosen.get));
    }),
  );
  return k.finish();
}

/** index[pairs], counts[E] -> offsets[E + 1], slots[pairs]: the pairs of each expert in order. One block. */
export function grouping(threads: number): Kernel {
  const k = new KernelBuilder("grouping", { doc: "pairs of token and choice, sorted by expert", threads });
  const index = k.buffer("index", "i32", "read");
  const counts = k.buffer("counts", "i32", "read");
  const offsets = k.buffer("offsets", "i32", "write");
  const slots = k.buffer("slots", "i32", "write");
  const experts = k.scalar("experts", "i32");
  const pairs = k.scalar("pairs", "i32");
  k.loop("expert", thread, add(experts, 1), threads, (expert) => {
    const next = k.variable("next", 0);
    k.loop("before", 0, expert, 1, (before) => next.set(add(next.get, k.load(counts, before))));
    k.store(offsets, expert, next.get);
    k.loop("pair", 0, pairs, 1, (pair) =>
      k.ifThen(compare("eq", k.load(index, pair), expert), () => {
        k.store(slots, next.get, pair);
        next.set(add(next.get, 1));
      }),
    );
  });
  return k.finish();
}
