/** Masks: predicates on positions, choosers on contents, and what `&`, `|` and `!` make of them. */
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Place, Walk } from "../context.js";
import type { Emitted } from "../emitter.js";
import { Scope } from "../scope.js";
import type { ClosureValue, InstanceValue, MaskValue, Value } from "../values.js";
import { bodyOf } from "./closures.js";
import { callClosure } from "./calls.js";
import { makeInstance } from "./modules.js";
import { emitOne } from "./tensors.js";

/** The value as a mask, when it is one. */
export function toMask(walk: Walk, value: Value, used?: SourceSpan): MaskValue | undefined {
  switch (value.kind) {
    case "mask":
      return value;
    case "closure":
      return { kind: "mask", form: "leaf", leaf: value };
    case "opaque":
      return value.contract === "mask" ? { kind: "mask", form: "leaf", leaf: value } : undefined;
    case "instance":
      return value.info.decl.contract === "mask" ? { kind: "mask", form: "leaf", leaf: value } : undefined;
    case "declaration": {
      const { info } = value;
      if (info.decl.contract !== "mask") return undefined;
      const span = used ?? { file: info.file, ...info.decl.name.span };
      const place: Place = { scope: new Scope(), file: info.file, path: "", repetitions: [], batch: [] };
      const made = makeInstance(walk, info, value.axes ?? new Map(), [], span, place);
      return made.kind === "instance" || made.kind === "mask" ? toMask(walk, made) : undefined;
    }
    case "tensor":
      return value.value.type.kind === "tensor" && value.value.type.dtype === "bool" && value.value.type.axes.length > 0
        ? { kind: "mask", form: "keep", keep: value.value }
        : undefined;
    default:
      return undefined;
  }
}

function leafBody(leaf: InstanceValue | ClosureValue): ClosureValue | undefined {
  return leaf.kind === "closure" ? leaf : bodyOf(leaf);
}

/** True when the mask looks at contents: a chooser with typed parameters, or a tensor. */
export function isDynamic(mask: MaskValue): boolean {
  switch (mask.form) {
    case "keep":
      return true;
    case "not":
      return isDynamic(mask.operand);
    case "and":
    case "or":
      return isDynamic(mask.left) || isDynamic(mask.right);
    case "leaf": {
      if (mask.leaf.kind === "opaque") return false;
      return leafBody(mask.leaf)?.params.some((param) => param.type?.kind === "named-type" && param.type.axes) ?? false;
    }
    default:
      return mask satisfies never;
  }
}

/** The parts of `a & b & c`. */
export function conjuncts(mask: MaskValue): readonly MaskValue[] {
  return mask.form === "and" ? [...conjuncts(mask.left), ...conjuncts(mask.right)] : [mask];
}

/** What a dynamic mask is asked with. */
export interface MaskInputs {
  /** Positions, for predicates: tensors or scalars of i32. */
  readonly query: Emitted;
  readonly key: Emitted;
  /** Contents, for choosers. */
  readonly contents?: { readonly query: Value; readonly key: Value };
}

/** The mask as a bool value: elementwise over the axes of the positions. */
export function emitMask(
  walk: Walk,
  mask: MaskValue,
  inputs: MaskInputs,
  span: SourceSpan,
  place: Place,
): Emitted | undefined {
  switch (mask.form) {
    case "keep":
      return mask.keep;
    case "not": {
      const operand = emitMask(walk, mask.operand, inputs, span, place);
      return operand && emitOne(walk, "not", [operand], {}, span);
    }
    case "and":
    case "or": {
      const left = emitMask(walk, mask.left, inputs, span, place);
      const right = emitMask(walk, mask.right, inputs, span, place);
      return left && right && emitOne(walk, mask.form, [left, right], {}, span);
    }
    case "leaf":
      return emitLeaf(walk, mask, inputs, span, place);
    default:
      return mask satisfies never;
  }
}

function emitLeaf(
  walk: Walk,
  mask: Extract<MaskValue, { form: "leaf" }>,
  inputs: MaskInputs,
  span: SourceSpan,
  place: Place,
): Emitted | undefined {
  if (mask.leaf.kind === "opaque") return walk.emitter.op("constant", [], { value: 1, dtype: "bool" }, span)[0];
  const body = leafBody(mask.leaf);
  if (!body) return undefined;
  const args = isDynamic(mask) && inputs.contents ? inputs.contents : undefined;
  const query: Value = args?.query ?? { kind: "tensor", value: inputs.query };
  const key: Value = args?.key ?? { kind: "tensor", value: inputs.key };
  const result = callClosure(
    walk,
    body,
    [
      { value: query, span },
      { value: key, span },
    ],
    span,
    place,
  );
  if (result.kind === "mask") return emitMask(walk, result, inputs, span, place);
  if (result.kind === "boolean") {
    return walk.emitter.op("constant", [], { value: result.value === false ? 0 : 1, dtype: "bool" }, span)[0];
  }
  return result.kind === "tensor" ? result.value : undefined;
}
