/** Sizes inside of nodes: which names they mention, and other sizes in place of names. */
import { Size } from "../../axes/size.js";
import type { Node, Region, Value } from "../../2-graph/ir.js";
import type { Attrs, AttrValue, Axis, ValueType } from "../../ops/types.js";

type Names = ReadonlyMap<string, Size>;

function inAttr(value: AttrValue | undefined, change: (size: Size) => Size): AttrValue | undefined {
  if (value instanceof Size) return change(value);
  if (Array.isArray(value)) return (value as readonly AttrValue[]).map((item) => inAttr(item, change)!);
  if (typeof value === "object") return inAttrs(value as Attrs, change);
  return value;
}

function inAttrs(attrs: Attrs, change: (size: Size) => Size): Attrs {
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, inAttr(value, change)]));
}

function inType(type: ValueType, change: (size: Size) => Size): ValueType {
  const axis = ({ name, size }: Axis): Axis => ({ name, size: change(size) });
  return type.kind === "tensor"
    ? { ...type, axes: type.axes.map(axis) }
    : { ...type, tokens: type.tokens.map(axis), experts: axis(type.experts), slots: change(type.slots) };
}

function inNode(node: Node, change: (size: Size) => Size): Node {
  const value = (each: Value): Value => ({ ...each, type: inType(each.type, change) });
  const region = (each: Region): Region => ({
    params: each.params.map(value),
    nodes: each.nodes.map((inner) => inNode(inner, change)),
    results: each.results,
  });
  return {
    ...node,
    attrs: inAttrs(node.attrs, change),
    regions: node.regions.map(region),
    results: node.results.map(value),
  };
}

/** The node with other sizes in place of names, in attributes, types and regions. */
export function withSizes(node: Node, names: Names): Node {
  return inNode(node, (size) => size.substitute(names));
}

/** True when the attributes or the regions of a node mention one of the names; the types of its results are not asked. */
export function mentions(node: Pick<Node, "attrs" | "regions">, names: readonly string[]): boolean {
  let found = false;
  const ask = (size: Size): Size => {
    found ||= names.some((name) => size.names.includes(name));
    return size;
  };
  inAttrs(node.attrs, ask);
  for (const region of node.regions) {
    for (const { type } of region.params) inType(type, ask);
    for (const inner of region.nodes) inNode(inner, ask);
  }
  return found;
}

/** True when a type mentions one of the names. */
export function typeMentions(type: ValueType, names: readonly string[]): boolean {
  let found = false;
  inType(type, (size) => {
    found ||= names.some((name) => size.names.includes(name));
    return size;
  });
  return found;
}
