/** Values that are worked out when their name is used first. */
import type { Identifier } from "../../../grammar/tree.js";
import { at, type Place, type Walk } from "../context.js";
import { unknown, type Value } from "../values.js";
import { report } from "./tensors.js";

/** Evaluates at the first use; a name whose value needs itself is reported. */
export function once(walk: Walk, name: Identifier, place: Place, make: () => Value): () => Value {
  const made = madeOnce(walk, name, place, make);
  return () => made() ?? unknown;
}

/** What stands behind a name, made at its first use; undefined, and reported, while it is being made. */
export function madeOnce<R>(walk: Walk, name: Identifier, place: Place, make: () => R): () => R | undefined {
  let made: { readonly value: R } | undefined;
  let running = false;
  return () => {
    if (made) return made.value;
    if (running) {
      report(walk, "MOE2010", { name: name.text }, at(place, name));
      return undefined;
    }
    running = true;
    try {
      made = { value: make() };
    } finally {
      running = false;
    }
    return made.value;
  };
}
