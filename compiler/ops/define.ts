/** Makes op records out of what the families write down; fills in the name from the key. */
import type { Attrs, OpDef } from "./types.js";

type Optional = "commutative" | "effect" | "attrs";
type Written<A extends Attrs> = Omit<OpDef<A>, "name" | "family" | Optional> & Partial<Pick<OpDef<A>, Optional>>;

/** One record; `attrs` none, no effect, not commutative unless said. */
export function defineOp<A extends Attrs = Attrs>(name: string, family: OpDef["family"], op: Written<A>): OpDef<A> {
  return { attrs: [], effect: false, commutative: false, ...op, name, family };
}
