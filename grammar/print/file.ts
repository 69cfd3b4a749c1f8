/**
 * A whole file: imports first come first, declarations apart by a blank line unless they are short and were not.
 */
import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import { writeString } from "../strings.js";
import type { DocRun } from "../docs.js";
import type { Declaration, ImportDecl, ModuleDecl, SourceFile } from "../tree.js";
import { attachComments, inOrder } from "./comments.js";
import { body } from "./expressions.js";
import { blankAbove, blankBefore, commented, tailDocs, withComments, type Layout } from "./layout.js";
import { alignments, docLines, members } from "./members.js";
import { testBody } from "./statements.js";
import { axisParams, parameters, type } from "./types.js";

const { conditionalGroup, group, hardline } = builders;

/** The document of a tree; `text` is the source it was parsed from, or empty. */
export function file(tree: SourceFile, text: string, docs: ReadonlyMap<number, DocRun>): Doc {
  const layout: Layout = { text, attached: attachComments(tree, text, docs) };
  const items = inOrder<ImportDecl | Declaration>([...tree.imports, ...tree.declarations]);
  const widths = alignments<ImportDecl | Declaration>(
    layout,
    items,
    (node) => (isShort(node) ? node.contract : undefined),
    (node) => (isShort(node) && !node.batchDependent ? headWidth(node) : 0),
  );
  const parts: Doc[] = [];
  items.forEach((node, i) => {
    const last = items[i - 1];
    if (last !== undefined) parts.push(hardline, apart(layout, last, node) ? hardline : "");
    const doc =
      node.kind === "import"
        ? importDecl(layout, node)
        : [docLines(node.doc), declaration(layout, node, widths.get(node) ?? 0)];
    parts.push(withComments(layout, node, doc));
  });
  const tail = layout.attached.tail.get(tree) ?? [];
  tailDocs(layout, tree).forEach((doc, i) => {
    if (parts.length > 0) parts.push(hardline, blankBefore(text, tail[i]!.span.start) ? hardline : "");
    parts.push(doc);
  });
  return parts.length === 0 ? "" : [parts, hardline];
}

/** `mask Causal = …`, whose `=` is aligned with its neighbours'. */
function isShort(node: ImportDecl | Declaration): node is ModuleDecl {
  return node.kind === "module" && node.value !== undefined && !isFunction(node);
}

/** `fn f(x) => …`: the lambda shares its parameters with the declaration. */
function isFunction(node: ModuleDecl): boolean {
  return node.value?.kind === "lambda" && node.value.params === node.params;
}

/** Length of the head on one line, for alignment; heads with values of their own are not measured. */
function headWidth(node: ModuleDecl): number {
  const text = [...node.axes, ...node.params].some((each) => each.default !== undefined) ? 1000 : 0;
  const axes = node.axes.length === 0 ? 0 : node.axes.map(({ name }) => name.text).join(", ").length + 2; // prettier-ignore
  const params = node.params.map((param) => {
    const bare = param.type === undefined ? "" : param.type.kind === "named-type" ? plainType(param.type) : undefined;
    return bare === undefined || param.knob || param.range !== undefined ? 1000 : param.name.text.length + bare.length;
  });
  const list = params.length === 0 ? 0 : params.reduce((sum, each) => sum + each, 2 * params.length);
  return text + node.name.text.length + axes + list;
}

function plainType(
  node: Extract<NonNullable<ModuleDecl["params"][0]["type"]>, { kind: "named-type" }>,
): string | undefined {
  const bare =
    node.name !== undefined && node.axes === undefined && node.args === undefined && node.formats.length === 0;
  return bare ? `: ${node.name.text}` : undefined;
}

function apart(layout: Layout, last: ImportDecl | Declaration, node: ImportDecl | Declaration): boolean {
  const tight = (each: ImportDecl | Declaration) =>
    each.kind === "import" || (each.kind === "module" && each.members === undefined && !each.making);
  return blankAbove(layout, node) || !(tight(last) && tight(node) && last.kind === node.kind);
}

function importDecl(layout: Layout, node: ImportDecl): Doc {
  const items = node.names.map((item) => ({
    node: item,
    doc: item.alias === undefined ? item.name.text : `${item.name.text} as ${item.alias.text}`,
  }));
  const { leading, trailing, tail } = layout.attached;
  const plain = !tail.has(node) && items.every((item) => !leading.has(item.node) && !trailing.has(item.node));
  const names = items.map(({ doc }) => doc);
  const list = !plain ? commented(layout, node, "{", items, "}") : names.length === 0 ? "{}" : spaced(names);
  return group(["import ", list, " from ", writeString(node.from.value)]);
}

function spaced(names: readonly string[]): Doc {
  const { indent, line, join, ifBreak } = builders;
  return group(["{", indent([line, join([",", line], [...names])]), ifBreak(","), line, "}"]);
}

function declaration(layout: Layout, node: Declaration, width: number): Doc {
  if (node.kind === "test") return ["test ", writeString(node.name.value), " ", testBody(layout, node.body)];
  const axes = axisParams(layout, node.axes);
  const open = isFunction(node);
  const { making } = node;
  const headWith = (breaks: boolean): Doc => {
    const params = node.params.length === 0 && !open ? "" : parameters(layout, node.params, breaks);
    return [node.contract, " ", node.name.text, axes, params, node.batchDependent ? " batch dependent" : ""];
  };
  const head = headWith(false);
  if (node.members !== undefined) return [group(head), " ", members(layout, node, node.members)];
  if (making) {
    const { name, type: made } = making.target;
    const target: Doc = [" -> ", name.text, ": ", type(layout, made!)];
    // A head that is too long breaks at its parameters, before the brackets of the target.
    const lines = conditionalGroup([[head, target], [headWith(true), target]]); // prettier-ignore
    return [lines, " ", testBody(layout, making.body)];
  }
  if (node.value === undefined) return head;
  if (open && node.value.kind === "lambda") {
    const result: Doc = node.value.result === undefined ? "" : [" -> ", type(layout, node.value.result)];
    return group([head, result, " =>", body(layout, node.value.body)]);
  }
  const measured = headWidth(node);
  const pad = measured < 1000 && width < 1000 ? " ".repeat(Math.max(0, width - measured)) : "";
  return [group(head), pad, " =", body(layout, node.value)];
}
