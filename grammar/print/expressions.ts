/**
 * Expressions. A row that does not fit breaks behind its operators, which is where the language lets a line go on.
 */
import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import { BINARY_RANKS, RANK } from "../precedence.js";
import { writeString } from "../strings.js";
import type { BinaryExpression, Expression, FoldExpression, IndexEntry, ModeExpression } from "../tree.js";
import { bracketed, commented, type Layout } from "./layout.js";
import { beforeElseNeeds, objectNeeds, operandNeeds } from "./parentheses.js";
import { block } from "./statements.js";
import { argumentList, carryBinding, parameters, type } from "./types.js";

const { group, indent, join, line } = builders;

export function expression(layout: Layout, node: Expression): Doc {
  switch (node.kind) {
    case "number":
      return node.unit === undefined ? node.text : `${node.text} ${node.unit.text}`;
    case "string":
      return writeString(node.value);
    case "boolean":
      return String(node.value);
    case "name":
      return node.name.text;
    case "member":
      return [object(layout, node.object), ".", node.member.text];
    case "call":
      return [object(layout, node.callee), argumentList(layout, node, node.args)];
    case "index":
      return [object(layout, node.object), indexEntries(layout, node.entries)];
    case "unary":
      return [node.operator, operand(layout, node.operand, RANK.unary, "right")];
    case "binary":
      return binary(layout, node);
    case "range":
      return [
        operand(layout, node.from, RANK.range + 1, "left"),
        "..",
        operand(layout, node.to, RANK.range + 1, "right"),
      ];
    case "arrow": {
      // `(a) -> (b) => c` is a lambda with a result type, so a value with a `=>` of its own goes in parentheses.
      const arrows = node.to.kind === "lambda" || node.to.kind === "fold";
      const to = parenthesized(operand(layout, node.to, RANK.arrow + 1, "right"), arrows);
      return [operand(layout, node.from, RANK.arrow + 1, "left"), " -> ", to];
    }
    case "of":
      return [operand(layout, node.count, RANK.of + 1, "left"), " of ", operand(layout, node.body, RANK.of, "right")];
    case "ratio":
      return `${node.left.text}:${node.right.text}`;
    case "if":
      return conditional(layout, node);
    case "block":
      return block(layout, node);
    case "lambda": {
      const result: Doc = node.result === undefined ? "" : [" -> ", type(layout, node.result)];
      return group([parameters(layout, node.params), result, " =>", body(layout, node.body)]);
    }
    case "tuple":
      return tuple(layout, node);
    case "list": {
      const items = node.items.map((item) => ({
        node: item,
        doc: [item.name === undefined ? "" : `${item.name.text} = `, expression(layout, item.value)],
      }));
      return commented(layout, node, "[", items, "]");
    }
    case "fold":
      return fold(layout, node);
    case "mode":
      return mode(layout, node);
    case "error":
      return layout.text.slice(node.span.start, node.span.end);
    default:
      return node satisfies never;
  }
}

/** What stands behind `=>` or `=`: a block on the same line, anything else on the next where it does not fit. */
export function body(layout: Layout, node: Expression): Doc {
  if (hugs(node)) return [" ", expression(layout, node)];
  return group(indent([line, expression(layout, node)]));
}

/** Breaks inside itself better than before itself. */
function hugs(node: Expression): boolean {
  switch (node.kind) {
    case "block":
    case "call":
    case "index":
    case "list":
    case "tuple":
    case "fold":
    case "lambda":
    case "mode":
      return true;
    case "of":
      return hugs(node.body);
    default:
      return false;
  }
}

function parenthesized(doc: Doc, needed: boolean): Doc {
  return needed ? ["(", doc, ")"] : doc;
}

function operand(layout: Layout, node: Expression, lowest: number, side: "left" | "right"): Doc {
  return parenthesized(expression(layout, node), operandNeeds(node, lowest, side));
}

function object(layout: Layout, node: Expression): Doc {
  return parenthesized(expression(layout, node), objectNeeds(node));
}

/** A row of one rank is one group, so that it breaks at all of its operators or at none. */
function binary(layout: Layout, node: BinaryExpression): Doc {
  const parts: Doc[] = [];
  row(layout, node, parts);
  const [first, ...rest] = parts;
  return group([first!, indent(rest)]);
}

function row(layout: Layout, node: BinaryExpression, parts: Doc[]): void {
  const { rank, groups } = BINARY_RANKS[node.operator];
  const leftRank = groups === "left" ? rank : rank + 1;
  // The right side of a power may be a signed operand: 2 ** -x.
  const rightRank = groups === "right" ? (node.right.kind === "unary" ? RANK.unary : rank) : rank + 1;
  const joins = groups === "left" && node.left.kind === "binary" && BINARY_RANKS[node.left.operator].rank === rank;
  if (joins && !operandNeeds(node.left, leftRank, "left")) row(layout, node.left, parts);
  else parts.push(operand(layout, node.left, leftRank, "left"));
  const right = operand(layout, node.right, rightRank, "right");
  parts.push(
    " ",
    node.operator,
    line,
    parenthesized(right, clearer(node) && !operandNeeds(node.right, rightRank, "right")),
  );
}

/** `a * (x @ w)`: legal without parentheses, but few readers know by heart that `@` binds tighter than `*`. */
function clearer({ operator, right }: BinaryExpression): boolean {
  return BINARY_RANKS[operator].rank === BINARY_RANKS["*"].rank && right.kind === "binary" && right.operator === "@";
}

function indexEntries(layout: Layout, entries: readonly IndexEntry[]): Doc {
  const docs = entries.map((entry): Doc => {
    switch (entry.kind) {
      case "plain": {
        // `[T -> S]` renames; an arrow between two names that is a value keeps its parentheses.
        const { value } = entry;
        const arrow = value.kind === "arrow" && value.from.kind === "name" && value.to.kind === "name";
        return parenthesized(expression(layout, value), arrow);
      }
      case "named":
        return [entry.name.text, " = ", expression(layout, entry.value)];
      case "rename":
        return `${entry.from.text} -> ${entry.to.text}`;
      case "pick":
        return [entry.axis.text, ": ", expression(layout, entry.value)];
      default:
        return entry satisfies never;
    }
  });
  return bracketed("[", docs, "]");
}

function conditional(layout: Layout, node: Extract<Expression, { kind: "if" }>): Doc {
  const then = parenthesized(expression(layout, node.then), beforeElseNeeds(node.then));
  return group([
    ["if ", expression(layout, node.condition)],
    indent([line, "then ", then, line, "else ", expression(layout, node.else)]),
  ]);
}

function tuple(layout: Layout, node: Extract<Expression, { kind: "tuple" }>): Doc {
  const items = node.items.map((item) => ({ node: item, doc: expression(layout, item) }));
  if (items.length === 1 && !layout.attached.tail.has(node)) {
    const { leading, trailing } = layout.attached;
    if (!leading.has(items[0]!.node) && !trailing.has(items[0]!.node)) return ["(", items[0]!.doc, ",)"];
  }
  return commented(layout, node, "(", items, ")");
}

function fold(layout: Layout, node: FoldExpression): Doc {
  const carried = node.carry.map((each) => carryBinding(layout, each));
  const carry = carried.length === 1 ? carried[0]! : bracketed("(", carried, ")");
  const range: Doc = [node.index.text, " in ", expression(layout, node.range)];
  const until: Doc[] = node.until === undefined ? [] : [["until: ", expression(layout, node.until)]];
  return group([
    node.scan ? "scan" : "fold",
    bracketed("(", [range, carry, ...until], ")"),
    " =>",
    body(layout, node.body),
  ]);
}

function mode(layout: Layout, node: ModeExpression): Doc {
  const branches = node.branches.map((branch) => [branch.mode, " ", block(layout, branch.body)]);
  const otherwise: Doc = node.otherwise === undefined ? "" : [" else ", expression(layout, node.otherwise)];
  return [join(" ", branches), otherwise];
}
