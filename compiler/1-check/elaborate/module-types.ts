/** Whether a value may be passed where a module is asked for. */
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Place, Walk } from "../context.js";
import type { Value } from "../values.js";
import type { TypeSpec } from "./types.js";
import { pairedAxes } from "./generic.js";
import { axisSpec } from "./types.js";

export function acceptsContract(contract: string, value: Value): boolean {
  switch (value.kind) {
    case "instance":
    case "declaration":
      return value.info.decl.contract === contract || (contract === "block" && value.info.decl.contract !== "mask");
    case "opaque":
      return value.contract === contract || contract === "block";
    case "closure":
      return contract === "fn" || contract === "mask";
    case "builtin":
      return contract === "fn";
    case "bank":
      return contract === "bank";
    case "pool":
      return contract === "pool";
    case "stack":
      return contract === "block";
    default:
      return false;
  }
}

/** `cell: GRUCell[R, R]`: an instance of that declaration with these sizes. */
export function acceptsModule(
  walk: Walk,
  spec: Extract<TypeSpec, { kind: "module" }>,
  value: Value,
  _span: SourceSpan,
  place: Place,
): boolean {
  if (value.kind === "opaque") return value.contract === spec.info.decl.contract;
  if (value.kind !== "instance" || value.info.decl !== spec.info.decl) return false;
  return pairedAxes(spec.info, spec.type).every(({ use, param }) => {
    const wanted = axisSpec(walk, use, place).size;
    const found = param && value.axes.get(param.name.text)?.size;
    return !wanted || !found || wanted.equals(found);
  });
}
