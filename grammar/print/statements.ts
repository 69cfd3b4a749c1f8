/**
 * Blocks and statements.
 */
import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import { writeString } from "../strings.js";
import type { BlockExpression, Statement } from "../tree.js";
import { body, expression } from "./expressions.js";
import { stacked, type Layout, type Placed } from "./layout.js";
import { type } from "./types.js";

const { group, hardline, indent, line } = builders;

/** `{ … }`; a block of nothing but a result stays on one line where it fits. */
export function block(layout: Layout, node: BlockExpression): Doc {
  const { leading, trailing, tail } = layout.attached;
  const { statements, result } = node;
  if (statements.length === 0 && !tail.has(node)) {
    if (result === undefined) return "{}";
    if (!leading.has(result) && !trailing.has(result))
      return group(["{", indent([line, expression(layout, result)]), line, "}"]);
  }
  return ["{", indent([hardline, content(layout, node)]), hardline, "}"];
}

/** The statements of a test, each on its line. */
export function testBody(layout: Layout, node: BlockExpression): Doc {
  const empty = node.statements.length === 0 && node.result === undefined && !layout.attached.tail.has(node);
  return empty ? "{}" : ["{", indent([hardline, content(layout, node)]), hardline, "}"];
}

function content(layout: Layout, node: BlockExpression): Doc {
  const items: { node: Placed; doc: Doc }[] = [];
  for (const each of node.statements) items.push({ node: each, doc: statement(layout, each) });
  if (node.result !== undefined) items.push({ node: node.result, doc: expression(layout, node.result) });
  return stacked(layout, node, items);
}

function statement(layout: Layout, node: Statement): Doc {
  switch (node.kind) {
    case "let": {
      const names = node.names.map(({ text }) => text).join(", ");
      const typed: Doc = node.type === undefined ? "" : [": ", type(layout, node.type)];
      return ["let ", node.tuple ? `(${names})` : names, typed, " =", body(layout, node.value)];
    }
    case "assert": {
      const message = node.message === undefined ? "" : `, ${writeString(node.message.value)}`;
      return ["assert ", expression(layout, node.value), message];
    }
    case "assign":
      return [node.target.text, " =", body(layout, node.value)];
    case "set":
      return [expression(layout, node.path), " =", body(layout, node.value)];
    case "axis":
      return ["axis ", node.name.text, " =", body(layout, node.size)];
    case "expression-statement":
      return expression(layout, node.value);
    default:
      return node satisfies never;
  }
}
