/** Random numbers from a seed, a key and the number of the element. */
import { Size } from "../axes/size.js";
import { elementsOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType } from "./op-use.js";
import { countElements, makeTensor, tensorAt } from "./reference-tensor.js";
import { threefry } from "./threefry.js";
import type { OpCall, TensorType } from "./types.js";

const kinds = ["uniform", "normal", "gumbel"] as const;
type RandomKind = (typeof kinds)[number];

function randomType(call: OpCall): TensorType {
  const use = new OpUse("random", call);
  use.arity(0, 1);
  use.oneOf("kind", kinds);
  if (use.whole("seed", 0) >= 2 ** 32) use.badAttr("seed", "a whole number below 2^32");
  const keys = call.operands.length === 1 ? use.tensor(0, ["i32"]).axes : [];
  const axes = [...keys, ...use.newAxes("axes")];
  use.distinct(axes);
  return tensorType("f32", axes);
}

/** One number from the two words of an element. The uniform ones are multiples of 2^-24 and exact in f32. */
export function randomNumber(kind: RandomKind, first: number, second: number): number {
  switch (kind) {
    case "uniform":
      return (first >>> 8) * 2 ** -24;
    case "normal": {
      // Box and Muller; the +1 keeps 0 away from the logarithm.
      const radius = Math.sqrt(-2 * Math.log(((first >>> 8) + 1) * 2 ** -24));
      return radius * Math.cos(2 * Math.PI * (second >>> 8) * 2 ** -24);
    }
    case "gumbel":
      // Halfway between multiples of 2^-23, hence exact in f32 and never 0 or 1.
      return -Math.log(-Math.log(((first >>> 9) + 0.5) * 2 ** -23));
  }
}

const random = defineOp("random", "random", {
  doc: "Independent numbers: `uniform` in [0, 1) on multiples of 2^-24, `normal` with mean 0 and deviation 1 (Box-Muller), `gumbel` (-log(-log(u))). Element n, counted row-major over `axes`, comes from Threefry-2x32-20 with key (seed, key) and counter (n, 0), on every target; the i32 operand `key` is 0 when absent, and where it has axes of its own, they stand first and each of its entries draws by itself. Equal seeds and keys give equal numbers.",
  example: "fn f[T, E](x: [T, E]) => x + random([T, E], seed: 1)",
  attrs: ["kind", "axes", "seed"],
  gradient: "none",
  type: (call) => [randomType(call)],
  // 20 rounds of 3 operations are integer work; the transform to the distribution is counted: 1, 5 and 4.
  cost: (call) => {
    const each = { uniform: 1, normal: 5, gumbel: 4 }[call.attrs.kind as RandomKind];
    return moving([...call.operands, randomType(call)], elementsOf(randomType(call)).times(Size.of(each)));
  },
  reference: (context, operands, call) => {
    const keys = operands.length > 0 ? tensorAt(operands, 0) : undefined;
    const kind = call.attrs.kind as RandomKind;
    const drawn = new OpUse("random", call).newAxes("axes");
    const axes = drawn.map(({ name, size }) => ({ name, size: context.size(size) }));
    const each = countElements(axes);
    const result = makeTensor("f32", [...(keys?.axes ?? []), ...axes]);
    for (let i = 0; i < result.data.length; i++) {
      const key = keys ? keys.data[Math.floor(i / each)]! : 0;
      const [first, second] = threefry([call.attrs.seed as number, key], [i % each, 0]);
      result.data[i] = randomNumber(kind, first, second);
    }
    return [result];
  },
  lowering: { kind: "template", template: "random" },
});

export const randomOps = { random } as const;
