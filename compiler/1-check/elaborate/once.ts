/** Values that are worked out when their name is used first. */
import type { Identifier } from "../../../grammar/tree.js";
import { at, type Place, type Walk } from "../context.js";
import type { Value } from "../values.js";
import { report } from "./tensors.js";

/** Evaluates at the first use; a name whose value needs itself is reported. */
export function once(walk: Walk, name: Identifier, place: Place, make: () => Value): () => Value {
  let value: Value | undefined;
  let running = false;
  return () => {
    if (value) return value;
    if (running) return report(walk, "MOE2010", { name: name.text }, at(place, name));
    running = true;
    try {
      value = make();
    } finally {
      running = false;
    }
    return value;
  };
}
