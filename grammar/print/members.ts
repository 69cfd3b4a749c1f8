/**
 * Members, with the names and types of a run of neighbours aligned.
 */
import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import { writeString } from "../strings.js";
import type { Member, StackMember, WeightsMember, SettingsMember } from "../tree.js";
import { body, expression } from "./expressions.js";
import { blankAbove, commented, stacked, type Layout } from "./layout.js";
import { argument, assigned, carryBinding, parameters, type } from "./types.js";

const { group, hardline, indent, join, line } = builders;

/** How far names of one run may differ in length and still be aligned. */
const WIDEST_GAP = 12;

/** `///` lines above a declaration or member. */
export function docLines(doc: string | undefined): Doc {
  if (doc === undefined) return "";
  return doc.split("\n").map((each) => [`/// ${each}`.trimEnd(), hardline]);
}

/** Lengths to which the names of neighbours are padded. A comment or a blank line ends a run. */
export function alignments<N extends { readonly span: Member["span"]; readonly doc?: string }>(
  layout: Layout,
  nodes: readonly N[],
  keyOf: (node: N) => string | undefined,
  widthOf: (node: N) => number,
): ReadonlyMap<N, number> {
  const widths = new Map<N, number>();
  let run: N[] = [];
  const finish = () => {
    const all = run.map(widthOf);
    const widest = Math.max(...all);
    if (widest - Math.min(...all) <= WIDEST_GAP) for (const node of run) widths.set(node, widest);
    run = [];
  };
  for (const node of nodes) {
    const key = keyOf(node);
    const first = run[0];
    const apart = node.doc !== undefined || layout.attached.leading.has(node) || blankAbove(layout, node);
    if (first !== undefined && (key === undefined || keyOf(first) !== key || apart)) finish();
    if (key !== undefined) run.push(node);
  }
  if (run.length > 0) finish();
  return widths;
}

export function members(layout: Layout, container: { readonly span: Member["span"] }, nodes: readonly Member[]): Doc {
  if (nodes.length === 0 && !layout.attached.tail.has(container)) return "{}";
  const widths = alignments(layout, nodes, alignKey, (node) =>
    "name" in node && node.name ? node.name.text.length : 0,
  );
  const items = nodes.map((node) => ({
    node,
    doc: [docLines(node.doc), member(layout, node, widths.get(node) ?? 0)] as Doc,
  }));
  return ["{", indent([hardline, stacked(layout, container, items)]), hardline, "}"];
}

function alignKey(node: Member): string | undefined {
  return node.kind === "param" || node.kind === "state" || node.kind === "use" ? node.kind : undefined;
}

function member(layout: Layout, node: Member, width: number): Doc {
  switch (node.kind) {
    case "param":
    case "state":
      return [
        node.kind,
        " ",
        `${node.name.text}:`.padEnd(width + 1),
        " ",
        type(layout, node.type),
        assigned(layout, node.init),
      ];
    case "knob": {
      const typed: Doc = node.type === undefined ? "" : [": ", type(layout, node.type)];
      const range: Doc = node.range === undefined ? "" : [" in ", expression(layout, node.range)];
      return ["knob ", node.name.text, typed, assigned(layout, node.init), range];
    }
    case "use":
      return ["use ", node.name.text.padEnd(width), " =", body(layout, node.value)];
    case "schedule":
      return ["schedule ", node.name.text, " =", body(layout, node.value)];
    case "let-member":
      return ["let ", node.name.text, " =", body(layout, node.value)];
    case "axis":
      return ["axis ", node.name.text, " =", body(layout, node.size)];
    case "stack":
      return stack(layout, node);
    case "method": {
      const result: Doc =
        node.resultName === undefined && node.result !== undefined ? [" -> ", type(layout, node.result)] : "";
      const head: Doc = [node.name?.text ?? "", parameters(layout, node.params), result, " =>"];
      if (node.resultName === undefined) return group([head, body(layout, node.body)]);
      const typed: Doc = node.result === undefined ? "" : [": ", type(layout, node.result)];
      return group([head, " ", node.resultName.text, typed, " =", body(layout, node.body)]);
    }
    case "grad": {
      const bare = node.params.length === 0 && node.body === undefined;
      const head: Doc = ["grad ", node.name.text, bare ? "" : parameters(layout, node.params)];
      return node.body === undefined ? head : group([head, " =>", body(layout, node.body)]);
    }
    case "weights":
      return weights(layout, node);
    case "settings":
      return settings(layout, node);
    default:
      return node satisfies never;
  }
}

function stack(layout: Layout, node: StackMember): Doc {
  const index = node.index === undefined ? "" : `${node.index.text} in `;
  const layers = { kind: "of", count: node.count, body: node.body, span: node.span } as const;
  const head: Doc = ["stack ", node.name.text, " = ", index, expression(layout, layers)];
  if (node.carry.length === 0) return head;
  const carried = node.carry.map((each) => carryBinding(layout, each));
  return group([head, indent([line, "carry ", indent(join([",", line], carried))])]);
}

function weights(layout: Layout, node: WeightsMember): Doc {
  const items = node.entries.map((entry) => ({
    node: entry,
    doc: [expression(layout, entry.path), ": ", expression(layout, entry.source)] as Doc,
  }));
  return ["weights ", node.format.text, " ", braced(layout, node, items)];
}

function settings(layout: Layout, node: SettingsMember): Doc {
  const [first] = node.entries;
  const { leading, trailing, tail } = layout.attached;
  const alone = node.entries.length === 1 && first!.name === undefined && first!.value.kind === "string";
  if (alone && first?.value.kind === "string" && !tail.has(node) && !leading.has(first) && !trailing.has(first)) {
    return `${node.name.text} ${writeString(first.value.value)}`;
  }
  const items = node.entries.map((entry) => ({ node: entry, doc: argument(layout, entry) }));
  return [node.name.text, " ", braced(layout, node, items)];
}

/** `{ a: 1, b: 2 }` on one line, or an entry a line. */
function braced(
  layout: Layout,
  container: WeightsMember | SettingsMember,
  items: readonly { node: { span: Member["span"] }; doc: Doc }[],
): Doc {
  const { leading, trailing, tail } = layout.attached;
  const plain = !tail.has(container) && items.every(({ node }) => !leading.has(node) && !trailing.has(node));
  if (!plain) return commented(layout, container, "{", items, "}");
  if (items.length === 0) return "{}";
  return group(["{", indent([line, join([",", line], items.map(({ doc }) => doc))]), line, "}"]); // prettier-ignore
}
