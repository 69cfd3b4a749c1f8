/** Types as written, resolved in a scope. */
import type { AxisUse, Expression, NamedType, TypeExpression } from "../../../grammar/tree.js";
import type { Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { DType } from "../../ops/types.js";
import { at, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import type { ModuleInfo } from "../values.js";
import { evaluate, needSize } from "./evaluate.js";
import { suggestName } from "./names.js";
import { report } from "./tensors.js";

/** An axis of a declared type; `size` is absent for a name that the argument decides. */
export interface AxisSpec {
  readonly name: string;
  readonly size?: Size;
  readonly span: SourceSpan;
  /** Its size was wrong, which has been said. */
  readonly failed?: true;
}
export interface TensorSpec {
  readonly kind: "tensor";
  readonly dtype: DType;
  readonly axes: readonly AxisSpec[];
  /** `f16`, `q4_0`: how a parameter is stored. */
  readonly storage?: string;
  /** `sparse(2:4)` as written. */
  readonly formats: readonly string[];
  readonly cache: boolean;
}
export type TypeSpec =
  | TensorSpec
  | { readonly kind: "routes"; readonly experts?: AxisSpec }
  | { readonly kind: "number"; readonly integer: boolean }
  | { readonly kind: "boolean" }
  | { readonly kind: "string" }
  | { readonly kind: "contract"; readonly contract: string; readonly axes: readonly AxisSpec[] }
  | { readonly kind: "module"; readonly info: ModuleInfo; readonly type: NamedType }
  | { readonly kind: "tuple"; readonly items: readonly TypeSpec[] }
  | { readonly kind: "unknown" };

const DTYPES: Readonly<Record<string, { dtype: DType; storage?: string }>> = {
  f32: { dtype: "f32" },
  float: { dtype: "f32" },
  f16: { dtype: "f32", storage: "f16" },
  bf16: { dtype: "f32", storage: "bf16" },
  int: { dtype: "i32" },
  i32: { dtype: "i32" },
  uint: { dtype: "i32" },
  bool: { dtype: "bool" },
  csr: { dtype: "f32" },
  cache: { dtype: "f32" },
};

const CONTRACT_TYPES = ["expert", "router", "mask", "matrix", "block", "fn", "bank", "pool", "model", "loss"];

/** Words that may stand for a type, for suggestions. */
export const TYPE_WORDS: readonly string[] = [...Object.keys(DTYPES), "routes", "string", ...CONTRACT_TYPES];

export function axisSpec(walk: Walk, use: AxisUse, place: Place): AxisSpec {
  const span = at(place, use);
  if (use.name && !use.size) {
    const binding = place.scope.lookup(use.name.text);
    if (!binding) return { name: use.name.text, span };
    if (binding.span) walk.info?.definition(at(place, use.name), binding.span, binding.doc);
    const value = binding.value();
    if (value.kind === "unknown") return { name: use.name.text, span, failed: true };
    if (value.kind === "axis") return { name: use.name.text, size: value.size, span };
    if (value.kind === "number") {
      const size = needSize(walk, value, span);
      return size ? { name: use.name.text, size, span } : { name: use.name.text, span, failed: true };
    }
    report(walk, "MOE2008", { name: use.name.text, found: describe(walk, value) }, span);
    return { name: use.name.text, span, failed: true };
  }
  if (!use.size) return { name: "?", span };
  const size = needSize(walk, evaluate(walk, use.size, place), at(place, use.size));
  const name = use.name?.text ?? nameless(use.size);
  if (use.name && size)
    place.scope.define(name, { value: () => ({ kind: "axis", name, size }), span: at(place, use.name) });
  if (size) return { name, size, span };
  if (use.name) place.scope.defineValue(name, { kind: "unknown" }, at(place, use.name));
  return { name, span, failed: true };
}

const SIGN_WORDS: Readonly<Record<string, string>> = {
  "*": "x",
  "/": "over",
  "+": "plus",
  "-": "minus",
  "**": "to",
};

/** The name of an axis that is written as a size only: its text, so that equal texts are one axis. */
function nameless(size: Expression): string {
  const text = spelled(size).replace(/\W/g, "_");
  return /^[A-Za-z_]/.test(text) ? text : `n${text}`;
}

function spelled(size: Expression): string {
  switch (size.kind) {
    case "number":
      return size.text;
    case "name":
      return size.name.text;
    case "binary":
      return `${spelled(size.left)}${SIGN_WORDS[size.operator] ?? "_"}${spelled(size.right)}`;
    case "call":
      return `${spelled(size.callee)}_${size.args.map(({ value }) => spelled(value)).join("_")}`;
    default:
      return "_";
  }
}

/** Storage formats as they were written, without spaces, for the program's record. */
function formatTexts(type: NamedType): string[] {
  return type.formats.map((format) => {
    const args = format.args.map((argument) => {
      const value = argument.value;
      const text =
        value.kind === "ratio"
          ? `${value.left.text}:${value.right.text}`
          : value.kind === "number"
            ? value.text
            : value.kind === "name"
              ? value.name.text
              : value.kind === "list"
                ? `[${value.items.map((item) => (item.value.kind === "number" ? item.value.text : "?")).join(", ")}]`
                : "?";
      return argument.name ? `${argument.name.text}: ${text}` : text;
    });
    return `${format.name.text}(${args.join(", ")})`;
  });
}

const NOTHING: readonly never[] = [];

function axisSpecs(walk: Walk, uses: readonly AxisUse[] | undefined, place: Place): readonly AxisSpec[] {
  return uses ? uses.map((use) => axisSpec(walk, use, place)) : NOTHING;
}

export function resolveType(walk: Walk, type: TypeExpression, place: Place): TypeSpec {
  if (type.kind === "tuple-type") {
    return { kind: "tuple", items: type.items.map((item) => resolveType(walk, item, place)) };
  }
  const axes = (): readonly AxisSpec[] => axisSpecs(walk, type.axes, place);
  const word = type.name?.text;
  if (word === undefined) return tensorSpec("f32", axes(), type);
  if (word === "") return { kind: "unknown" };
  if (word === "routes") {
    const experts = axes()[0];
    return experts ? { kind: "routes", experts } : { kind: "routes" };
  }
  if (word === "string") return { kind: "string" };
  const known = Object.hasOwn(DTYPES, word) ? DTYPES[word] : undefined;
  if (known) {
    if (!type.axes) {
      if (word === "int" || word === "uint") return { kind: "number", integer: true };
      if (word === "float") return { kind: "number", integer: false };
      if (word === "bool") return { kind: "boolean" };
    }
    const storage =
      word === "uint" || word === "csr" ? word + (type.bits?.kind === "number" ? type.bits.text : "") : known.storage;
    const spec = tensorSpec(known.dtype, axes(), type, storage);
    return word === "cache" ? { ...spec, cache: true } : spec;
  }
  const binding = place.scope.lookup(word);
  const value = binding?.value();
  if (value?.kind === "declaration") {
    if (binding?.span) walk.info?.definition(at(place, type.name!), binding.span, binding.doc);
    return { kind: "module", info: value.info, type };
  }
  if (CONTRACT_TYPES.includes(word)) return { kind: "contract", contract: word, axes: axes() };
  if (value?.kind === "unknown") return { kind: "unknown" };
  report(
    walk,
    "MOE2009",
    { name: word },
    at(place, type.name!),
    suggestName(walk, place, type.name!, [...TYPE_WORDS, ...place.scope.names()]),
  );
  return { kind: "unknown" };
}

function tensorSpec(dtype: DType, axes: readonly AxisSpec[], type: NamedType, stored?: string): TensorSpec {
  if (type.formats.length === 0 && stored === undefined)
    return { kind: "tensor", dtype, axes, formats: NOTHING, cache: false };
  const formats = formatTexts(type);
  const quant = formats.map((text) => /^quant\((q4_0|q8_0|f16|bf16|f32)\)$/.exec(text)?.[1]).find((text) => text);
  const storage = quant ?? stored;
  const rest = formats.filter((text) => !/^quant\((q4_0|q8_0|f16|bf16|f32)\)$/.test(text));
  return { kind: "tensor", dtype, axes, formats: rest, cache: false, ...(storage === undefined ? {} : { storage }) };
}
