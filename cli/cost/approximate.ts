/** Sizes as floating numbers: costs of long texts on large models are beyond whole numbers that a double holds. */
import type { Size, SizeArithmetic } from "../../compiler/axes/size.js";

/**
 * The value of a size for given values of its names: exact while it and its terms are below 2^53, rounded above.
 *
 * @throws RangeError when a name has no value.
 */
export function approximate(size: Size, values: Readonly<Record<string, number>>): number {
  return size.interpret<number>({
    ...ARITHMETIC,
    name: (name) => {
      const value = values[name];
      if (value === undefined) throw new RangeError(`size ${size.key} needs a value for ${name}`);
      return value;
    },
  });
}

const ARITHMETIC: Omit<SizeArithmetic<number>, "name"> = {
  constant: (value) => value,
  add: (left, right) => left + right,
  multiply: (left, right) => left * right,
  ceil: (left, right) => Math.ceil(left / right),
  floor: (left, right) => Math.floor(left / right),
  min: Math.min,
  max: Math.max,
};
