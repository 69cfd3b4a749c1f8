/** `random`: Threefry words of the number of the element, as integer expressions of the kernel. */
import { add, constant, convert, mul, neg, or, shl, shru, sqrt, unary, xor } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import { Computed, type Tensor, type TensorAxis } from "./tensor.js";
import type { Emitter } from "./emitter.js";

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** The words of `threefry` in `compiler/ops/threefry.ts` for counter (n, 0), scalar or in lanes. */
function words(emitter: Emitter, seed: number, key: Expression, n: Expression): readonly [Expression, Expression] {
  const { builder } = emitter;
  const keys = [constant(seed | 0), key, xor(key, constant((0x1bd11bda ^ seed) | 0))] as const;
  let a = builder.let("a", add(n, keys[0]));
  let b: Expression = builder.let("b", add(constant(0, n.type), keys[1]));
  for (let round = 0; round < 20; round++) {
    const turn = rotations[round % 8]!;
    a = builder.let("a", add(a, b));
    b = builder.let("b", xor(or(shl(b, turn), shru(b, 32 - turn)), a));
    if (round % 4 !== 3) continue;
    const group = (round + 1) / 4;
    a = builder.let("a", add(a, keys[group % 3]!));
    b = builder.let("b", add(add(b, keys[(group + 1) % 3]!), group));
  }
  return [a, b];
}

const number = (x: Expression): Expression => convert(x, "f32");
const log = (x: Expression): Expression => unary("log", x);

function transformed(kind: "uniform" | "normal" | "gumbel", first: Expression, second: Expression): Expression {
  switch (kind) {
    case "uniform":
      return mul(number(shru(first, 8)), 2 ** -24);
    case "normal": {
      const radius = sqrt(mul(log(mul(number(add(shru(first, 8), 1)), 2 ** -24)), -2));
      const angle = mul(mul(number(shru(second, 8)), 2 ** -24), 2 * Math.PI);
      return mul(radius, unary("cos", angle));
    }
    case "gumbel":
      return neg(log(neg(log(mul(add(number(shru(first, 9)), 0.5), 2 ** -23)))));
  }
}

export function random(
  kind: "uniform" | "normal" | "gumbel",
  axes: readonly TensorAxis[],
  seed: number,
  key: Tensor | undefined,
): Tensor {
  return new Computed("f32", [...(key?.axes ?? []), ...axes], { cost: 100 }, (emitter, at: Coordinates) => {
    let n = Coordinate.zero;
    for (const axis of axes) n = n.times(axis.size).plus(at.get(axis.name)!);
    const [a, b] = words(emitter, seed, key?.read(emitter, at) ?? constant(0), emitter.number(n));
    return transformed(kind, a, b);
  });
}
