/** How many tokens an expert takes: ceil(factor * tokens * slots / experts). */
import type { Size } from "../../axes/size.js";
import { Size as Sizes } from "../../axes/size.js";
import type { RoutesType } from "../../ops/types.js";
import { divide, integer, multiply, round, sizeOf, type StaticNumber } from "../numbers.js";
import { Stop, type BuiltinCall } from "./call.js";

export function ceilOf(call: BuiltinCall, factor: StaticNumber, routes: RoutesType): Size {
  const tokens = routes.tokens.reduce((product, axis) => product.times(axis.size), Sizes.one);
  const even = divide(integer(tokens.times(routes.slots)), integer(routes.experts.size));
  const size = sizeOf(round(multiply(factor, even), "ceil"));
  if (!size) {
    call.fail("MOE2087", { found: "the capacity" }, "capacity");
    throw new Stop();
  }
  return size;
}
