/** Seeded randomness: the same numbers on every target. */
import { hashText } from "../../ops/text-hash.js";
import type { Axis } from "../../ops/types.js";
import { valueOf } from "../numbers.js";
import { builtin, result, typeOf, type Builtin, type BuiltinCall } from "./call.js";

function seedOf(call: BuiltinCall): number {
  if (call.has("seed")) return Math.trunc(valueOf(call.number("seed")) ?? 0) >>> 0;
  // Without a seed each place of a module draws its own numbers: place of the module and count of the draw.
  return hashText(`${call.place.instance?.path ?? ""}#${call.span.start}`);
}

/**
 * The axes asked for, with those of the tokens in front: a body per token draws for each token. A key has its axes
 * itself: tokens with equal keys draw equal numbers.
 */
function drawn(call: BuiltinCall, axes: readonly Axis[], key: readonly Axis[]): readonly Axis[] {
  const { batch } = call.place;
  const all = [...batch.filter((axis) => !axes.some(({ name }) => name === axis.name)), ...axes];
  return all.filter((axis) => !key.some(({ name }) => name === axis.name));
}

function draw(name: string, kind: string, doc: string): Builtin {
  return builtin(name, "axes? seed? key?", `${name}([T, E], seed: 1) -> f32[T, E]`, doc, (call) => {
    const axes = call.has("axes") ? call.newAxes("axes") : [];
    for (const axis of axes) call.introduce(axis.name, axis.size);
    const key = call.has("key") ? [call.tensor("key", "i32")] : [];
    const list = drawn(call, axes, key[0] ? typeOf(key[0]).axes : []).map(({ name: axis, size }) => ({
      name: axis,
      size,
    }));
    return result(call.emit("random", key, { kind, axes: list, seed: seedOf(call) }));
  });
}

export const randomFunctions: readonly Builtin[] = [
  draw("random", "normal", "Independent normal numbers with mean 0 and deviation 1, decided by the seed."),
  draw("normal", "normal", "Independent normal numbers with mean 0 and deviation 1."),
  draw("uniform", "uniform", "Independent numbers, uniform in [0, 1)."),
  draw("gumbel", "gumbel", "Independent Gumbel numbers: -log(-log(u)). Added to scores they make a choice random."),
];
