/** Keys of values that are known before anything runs: equal keys mean equal bodies. */
import { numberText } from "../numbers.js";
import type { AxisArgument, ModuleInfo, Value } from "../values.js";

export function valueKey(value: Value): string {
  switch (value.kind) {
    case "number":
      return numberText(value.number);
    case "boolean":
      return String(value.value);
    case "string":
      return JSON.stringify(value.value);
    case "axis":
      return `${value.name}=${value.size.key}`;
    case "instance":
      return `${value.key}@${value.path}`;
    case "declaration":
      return `${value.info.file}#${value.info.decl.name.text}`;
    case "opaque":
      return `opaque ${value.contract}`;
    case "bank":
      return `bank@${value.path}(${value.groups.map((group) => `${group.count.key} ${valueKey(group.module)}`).join(",")})`;
    case "closure":
      return `closure ${value.file}:${value.span.start}`;
    case "mask":
      if (value.form === "leaf") return valueKey(value.leaf);
      if (value.form === "keep") return "keep";
      if (value.form === "not") return `!(${valueKey(value.operand)})`;
      return `(${valueKey(value.left)} ${value.form} ${valueKey(value.right)})`;
    case "tuple":
      return `(${value.items.map(valueKey).join(",")})`;
    case "list":
      return `[${value.items.map((item) => valueKey(item.value)).join(",")}]`;
    case "stack":
      return `stack@${value.path}`;
    case "state":
      return `state@${value.state.path}`;
    case "builtin":
      return value.name;
    case "pool":
    case "range":
    case "arrow":
    case "tensor":
    case "unknown":
      return value.kind;
    default:
      return value satisfies never;
  }
}

export function keyOf(
  info: ModuleInfo,
  axes: ReadonlyMap<string, AxisArgument>,
  args: ReadonlyMap<string, Value>,
): string {
  const sizes = [...axes].map(([name, axis]) => `${name}=${axis.size.key}`).join(",");
  const values = [...args].map(([name, value]) => `${name}=${valueKey(value)}`).join(",");
  return `${info.file}#${info.decl.name.text}[${sizes}](${values})`;
}
