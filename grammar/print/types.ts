/**
 * Types, axes, parameters and arguments.
 */
import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import type {
  Argument,
  AxisParam,
  AxisUse,
  CarryBinding,
  NamedType,
  Parameter,
  StorageFormat,
  TypeExpression,
} from "../tree.js";
import { expression } from "./expressions.js";
import { bracketed, commented, type Layout } from "./layout.js";

const { join } = builders;

export function type(layout: Layout, node: TypeExpression): Doc {
  if (node.kind === "tuple-type") return bracketed("(", node.items.map((item) => type(layout, item)), ")"); // prettier-ignore
  return [named(layout, node), node.formats.map((format) => [" ", storage(layout, format)])];
}

function named(layout: Layout, node: NamedType): Doc {
  return [
    node.name?.text ?? "",
    node.bits === undefined ? "" : ["[", expression(layout, node.bits), "]"],
    node.axes === undefined ? "" : bracketed("[", node.axes.map((axis) => axisUse(layout, axis)), "]"), // prettier-ignore
    node.args === undefined ? "" : argumentList(layout, node, node.args),
  ];
}

function storage(layout: Layout, node: StorageFormat): Doc {
  return [node.name.text, argumentList(layout, node, node.args)];
}

function axisUse(layout: Layout, node: AxisUse): Doc {
  const parts: Doc[] = [];
  if (node.name !== undefined) parts.push(node.name.text);
  if (node.size !== undefined) parts.push(expression(layout, node.size));
  return join(" = ", parts);
}

export function axisParams(layout: Layout, axes: readonly AxisParam[]): Doc {
  if (axes.length === 0) return "";
  const items = axes.map((node) => ({ node, doc: [node.name.text, assigned(layout, node.default)] }));
  return commented(layout, axes, "[", items, "]");
}

/** @param breaks One parameter a line, also where all would fit. */
export function parameters(layout: Layout, params: readonly Parameter[], breaks = false): Doc {
  const items = params.map((node) => ({ node, doc: parameter(layout, node) }));
  return commented(layout, params, "(", items, ")", breaks);
}

function parameter(layout: Layout, node: Parameter): Doc {
  return [
    node.knob ? "knob " : "",
    node.name.text,
    node.type === undefined ? "" : [": ", type(layout, node.type)],
    assigned(layout, node.default),
    node.range === undefined ? "" : [" in ", expression(layout, node.range)],
  ];
}

/** ` = value`, or nothing. */
export function assigned(layout: Layout, value: Parameter["default"]): Doc {
  return value === undefined ? "" : [" = ", expression(layout, value)];
}

export function argument(layout: Layout, node: Argument): Doc {
  return [node.name === undefined ? "" : `${node.name.text}: `, expression(layout, node.value)];
}

/** Arguments; a block-bodied lambda at the end hugs the parentheses. */
export function argumentList(
  layout: Layout,
  container: { readonly span: { start: number; end: number } },
  args: readonly Argument[],
): Doc {
  const items = args.map((node) => ({ node, doc: argument(layout, node) }));
  const last = args.at(-1)?.value;
  const { leading, trailing, tail } = layout.attached;
  const plain = !tail.has(container) && args.every((node) => !leading.has(node) && !trailing.has(node));
  if (plain && last?.kind === "lambda" && last.body.kind === "block" && last.body.statements.length > 0) {
    return ["(", join(", ", items.map(({ doc }) => doc)), ")"]; // prettier-ignore
  }
  return commented(layout, container, "(", items, ")");
}

export function carryBinding(layout: Layout, node: CarryBinding): Doc {
  return [
    node.name.text,
    node.type === undefined ? "" : [": ", type(layout, node.type)],
    " = ",
    expression(layout, node.init),
  ];
}
