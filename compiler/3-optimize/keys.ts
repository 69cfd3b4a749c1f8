/** Texts that are equal exactly when two nodes or regions compute the same: for maps and comparisons. */
import { Size } from "../axes/size.js";
import type { Node, Region, ValueId } from "../2-graph/ir.js";
import { typeText } from "../ops/type-text.js";
import type { Attrs, AttrValue } from "../ops/types.js";

function attrKey(value: AttrValue): string {
  if (value instanceof Size) return `<${value.key}>`;
  // `-0` and `0` are different constants, and NaN is one.
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "object") {
    if (Array.isArray(value)) return `[${(value as readonly AttrValue[]).map(attrKey).join(",")}]`;
    return attrsKey(value as Attrs);
  }
  return JSON.stringify(value);
}

/** Order of keys and absent values make no difference. */
export function attrsKey(attrs: Attrs): string {
  const rows = Object.keys(attrs)
    .sort()
    .flatMap((name) => {
      const value = attrs[name];
      return value === undefined ? [] : [`${name}:${attrKey(value)}`];
    });
  return `{${rows.join(",")}}`;
}

/** Equal for regions that compute the same in the same way, however their values are numbered or named. */
export function regionKey(region: Region): string {
  const numbers = new Map<ValueId, number>();
  const number = (id: ValueId): number => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return numbers.get(id)!;
  };
  const params = region.params.map((param) => `${number(param.id)}:${typeText(param.type)}`);
  const nodes = region.nodes.map((node) => {
    const key = nodeKey(node, number);
    node.results.forEach((result) => number(result.id));
    return key;
  });
  return `(${params.join(" ")})${nodes.join(";")}->${region.results.map(number).join(" ")}`;
}

/** What a node computes; `number` names the operands. */
export function nodeKey(node: Node, number: (id: ValueId) => number | string = (id) => id): string {
  return `${node.op}(${node.operands.map(number).join(" ")})${attrsKey(node.attrs)}${node.regions.map(regionKey).join("")}`;
}
