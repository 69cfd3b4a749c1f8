/**
 * Register types of kernel IR and the questions asked about them.
 */
import type { Expression, MemoryType, RegisterType } from "./kernel-ir.js";

/** A register type; one object for each, so that types compare by `sameType` or cheaply by text. */
export function registerType(element: RegisterType["element"], lanes = 1): RegisterType {
  const key = `${element}x${lanes}`;
  let type = known.get(key);
  if (!type) known.set(key, (type = { element, lanes }));
  return type;
}
const known = new Map<string, RegisterType>();

export const f32 = registerType("f32");
export const i32 = registerType("i32");
export const bool = registerType("bool");

export function sameType(a: RegisterType, b: RegisterType): boolean {
  return a.element === b.element && a.lanes === b.lanes;
}

/** `f32`, `i8x16`. */
export function typeText(type: RegisterType): string {
  return type.lanes === 1 ? type.element : `${type.element}x${type.lanes}`;
}

/** Bytes of one element in memory. */
export const memoryBytes: Readonly<Record<MemoryType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  i32: 4,
  i16: 2,
  i8: 1,
  u8: 1,
};

/** Bits of one lane of a register; bool has no width of its own. */
export const elementBits: Readonly<Record<RegisterType["element"], number>> = {
  f32: 32,
  i32: 32,
  i16: 16,
  i8: 8,
  bool: 0,
};

/** What a scalar load of a memory type gives. */
export function loadedElement(memory: MemoryType): "f32" | "i32" {
  return memory === "f32" || memory === "f16" || memory === "bf16" ? "f32" : "i32";
}

/** Whether registers of `element` are loaded from (and, but for widening, stored to) memory of this type. */
export function loadable(memory: MemoryType, element: RegisterType["element"], lanes: number): boolean {
  switch (element) {
    case "f32":
      return loadedElement(memory) === "f32";
    case "i32":
      return loadedElement(memory) === "i32";
    case "i16":
      return lanes > 1 && (memory === "i16" || memory === "i8" || memory === "u8");
    case "i8":
      return lanes > 1 && (memory === "i8" || memory === "u8");
    case "bool":
      return false;
  }
}

/** Direct operands of an expression, in order of evaluation. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "constant":
    case "get":
    case "block":
    case "thread":
      return [];
    case "load":
      return [expression.index];
    case "unary":
    case "convert":
    case "bitcast":
    case "splat":
    case "extract":
    case "widen":
    case "reduce":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "select":
      return [expression.condition, expression.yes, expression.no];
    case "fma":
      return [expression.a, expression.b, expression.c];
    case "join":
      return expression.operands;
    case "shuffle":
    case "dot-pairs":
    case "dot-pairs-i8":
      return [expression.a, expression.b];
    case "dot-quads":
      return [expression.a, expression.b, expression.accumulator];
    default:
      return expression satisfies never;
  }
}

/** Words of the text form that no register and no buffer may have for a name. */
export const reservedNames: readonly string[] = (
  "true false inf nan let var set for to step if then else barrier prefetch fold across atomic fragment load_fragment " +
  "store_fragment multiply_fragments scale_fragment scale_fragment_rows kernel buffer scalar shared local threads"
).split(" ");
