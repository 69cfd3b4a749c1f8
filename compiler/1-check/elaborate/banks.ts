/** Banks of experts and pools of modules: `E of SwiGLU[D, F]`, `[48 of A, 8 of B]`, `(L / 2) of bank(…)`. */
import type { ListExpression, OfExpression } from "../../../grammar/tree.js";
import { Size } from "../../axes/size.js";
import { at, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import type { Repetition } from "../emitter.js";
import { unknown, type BankGroup, type BankValue, type Value } from "../values.js";
import { evaluate, needSize } from "./evaluate.js";
import { bareInstance } from "./modules.js";
import { fresh, report } from "./tensors.js";

/** Name of the axis over experts where the count is no axis. */
const EXPERTS = "E";

export function evaluateOf(walk: Walk, expression: OfExpression, place: Place): Value {
  const counted = evaluate(walk, expression.count, place);
  const count = needSize(walk, counted, at(place, expression.count));
  if (!count) return unknown;
  const { constant } = count;
  if (constant !== undefined && constant < 1)
    return report(walk, "MOE2130", { count: constant }, at(place, expression.count));
  const wanted = counted.kind === "axis" ? counted.name : EXPERTS;
  const axis = fresh(
    wanted,
    place.repetitions.map((repetition) => repetition.axis.name),
  );
  const repetition: Repetition = { kind: "expert", path: place.path ?? "", axis: { name: axis, size: count } };
  const inner = { ...place, repetitions: [...place.repetitions, repetition] };
  const module = bareInstance(walk, evaluate(walk, expression.body, inner), at(place, expression.body), inner);
  switch (module.kind) {
    case "instance": {
      const own = module.repetitions.includes(repetition);
      const group: BankGroup = { count, module, ...(own ? { repetition } : {}) };
      return { kind: "bank", path: place.path ?? "", groups: [group], axis };
    }
    case "opaque":
      return { kind: "bank", path: place.path ?? "", groups: [{ count, module, repetition }], axis };
    case "bank":
    case "pool":
      return pool(walk, expression, count, place);
    case "unknown":
      return unknown;
    default:
      return report(walk, "MOE2131", { found: describe(walk, module) }, at(place, expression.body));
  }
}

function pool(walk: Walk, expression: OfExpression, count: Size, place: Place): Value {
  const made = new Map<number | undefined, Value>();
  return {
    kind: "pool",
    count,
    at: (index) => {
      const known = made.get(index);
      if (known) return known;
      const path = `${place.path ?? ""}.${index ?? "i"}`;
      const value = evaluate(walk, expression.body, { ...place, path });
      made.set(index, value);
      return value;
    },
  };
}

/** A bank of several groups; a single module in the list is one expert. */
export function bankOf(walk: Walk, expression: ListExpression, items: readonly Value[], place: Place): Value {
  const groups: BankGroup[] = [];
  let axis = EXPERTS;
  let failed = false;
  items.forEach((item, index) => {
    const node = expression.items[index]!.value;
    if (item.kind === "bank") {
      groups.push(...item.groups);
      if (items.length === 1) axis = item.axis;
    } else if (item.kind === "instance" || item.kind === "opaque") {
      groups.push({ count: Size.one, module: item });
    } else {
      failed = true;
      if (item.kind !== "unknown") report(walk, "MOE2131", { found: describe(walk, item) }, at(place, node));
    }
  });
  return failed ? unknown : ({ kind: "bank", path: place.path ?? "", groups, axis } satisfies BankValue);
}

/** Experts of a bank, over all its groups. */
export function expertsOf(bank: BankValue): Size {
  return bank.groups.slice(1).reduce((sum, group) => sum.plus(group.count), bank.groups[0]!.count);
}
