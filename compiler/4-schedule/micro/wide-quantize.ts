/**
 * Activations to the integer records of native products: by blocks of 32, q = round(x * 127 / max|x|) half to even, scale
 * = max|x| / 127; an all-zero block has scale 0.
 */
import { add, constant, div, max, mul, reduce, splat, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { blockElements } from "./layouts.js";
import { blockBound, magnitude, quantsOf } from "./quantize.js";
import { activationBytes, activationScales, activationSums, recordColumns, recordCount } from "./wide-layouts.js";

/**
 * Quantize `columns` elements (a multiple of 32) from element `from` of `source` to the records from byte `to` of
 * `target` (i8). A last record with one block only ends in zeros.
 */
export function quantizeRecords(
  k: KernelBuilder,
  source: BufferHandle,
  from: Operand,
  columns: number,
  target: BufferHandle,
  to: Operand,
  lanes = 16,
): void {
  const half = (x: Expression, record: Expression, number: 0 | 1): void => {
    const parts = Array.from({ length: blockElements / lanes }, (_, i) =>
      k.let("x", k.load(source, add(x, number * blockElements + i * lanes), { lanes })),
    );
    const largest = k.let(
      "largest",
      parts.map(magnitude).reduce((a, b) => max(a, b)),
    );
    const { bound, inverse } = blockBound(k, largest);
    const numbers = parts.map((part, i) => {
      const quants = quantsOf(k, part, inverse);
      k.store(target, add(record, number * blockElements + i * lanes), quants);
      return quants;
    });
    k.store(target, add(record, activationScales + 4 * number), div(bound, 127), { as: "f32" });
    const total = k.let(
      "total",
      numbers.reduce((a, b) => add(a, b)),
    );
    k.store(target, add(record, activationSums + 4 * number), mul(reduce("add", total), -8), { as: "i32" });
  };
  const whole = Math.floor(columns / recordColumns);
  const place = (index: Operand): readonly [Expression, Expression] => [
    k.let("from", add(mul(index, recordColumns), from)),
    k.let("to", add(mul(index, activationBytes), to)),
  ];
  k.loop("record", 0, whole, 1, (index) => {
    const [x, record] = place(index);
    half(x, record, 0);
    half(x, record, 1);
  });
  if (whole === recordCount(columns)) return;
  const [x, record] = place(constant(whole));
  half(x, record, 0);
  const zero = splat(constant(0), lanes);
  for (let i = 0; i < blockElements; i += lanes) k.store(target, add(record, blockElements + i), zero);
  k.store(target, add(record, activationScales + 4), constant(0, { element: "f32", lanes: 1 }), { as: "f32" });
  k.store(target, add(record, activationSums + 4), constant(0), { as: "i32" });
}
