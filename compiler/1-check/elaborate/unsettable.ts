/** `y = x` where `y` is no state: what to write in its place. */
import type { AssignStatement, Expression, Span, Statement } from "../../../grammar/tree.js";
import type { Fix, SourceSpan } from "../../errors/diagnostic.js";
import { at, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import { BlockScope, type Binding, type Scope } from "../scope.js";
import { unknown, type Value } from "../values.js";
import { identifiersIn } from "./closures.js";
import { report } from "./tensors.js";

export type Node = Statement | Expression;

/**
 * A new name where there is none, said once; another name where a body has one already.
 *
 * @param behind What stands behind the assignment in its block.
 */
export function reportUnsettable(
  walk: Walk,
  { target: name, value }: AssignStatement,
  target: Value | undefined,
  place: Place,
  behind: readonly Node[],
): void {
  const span = at(place, name);
  const binding = place.scope.lookup(name.text);
  const found = target ? describe(walk, target) : "not declared";
  const state = `\`state ${name.text}: … = 0\``;
  if (!binding) {
    report(walk, "MOE2141", { name: name.text, found }, span, {
      help: `\`let ${name.text} = …\` names a value, ${state} is kept between calls`,
      fixes: [{ title: "write `let`", edits: [{ span: { ...span, end: span.start }, text: "let " }] }],
    });
    place.scope.defineValue(name.text, unknown, span);
    return;
  }
  const labels = binding.span ? [{ span: binding.span, text: "declared here" }] : [];
  const other = freeName(name.text, place.scope, [value, ...behind]);
  if (!isOfBody(name.text, binding, place)) {
    report(walk, "MOE2141", { name: name.text, found }, span, {
      labels,
      help: `only a state changes from call to call: ${state}; \`let ${other} = …\` names a value of this call`,
    });
    return;
  }
  const fix = named(name.text, other, span, binding, place, behind);
  report(walk, "MOE2141", { name: name.text, found }, span, {
    labels,
    help: `a name keeps its value: write \`let ${other} = …\`, and \`${other}\` from there on`,
    ...(fix ? { fixes: [fix] } : {}),
  });
}

/** True for what `let` or an argument names, false for members and what a file declares. */
function isOfBody(name: string, binding: Binding, place: Place): boolean {
  const { kind } = binding.value();
  if (kind === "declaration" || kind === "axis") return false;
  return place.instance?.scope.own(name) !== binding;
}

/** `y2` for `y`, or the next number that nothing has. */
function freeName(name: string, scope: Scope, nodes: readonly Node[]): string {
  const used = identifiersIn(nodes);
  for (let number = 2; ; number++) {
    const next = `${name}${number}`;
    if (!scope.lookup(next) && !used.has(next)) return next;
  }
}

/** The edit that gives the new value a name of its own; none where a use behind it might not mean that value. */
function named(
  name: string,
  other: string,
  span: SourceSpan,
  binding: Binding,
  { scope, file }: Place,
  behind: readonly Node[],
): Fix | undefined {
  const { parent } = scope;
  // Behind a block inside of another one, the old value would be meant again.
  const isArgument = parent?.own(name) === binding && !(parent instanceof BlockScope);
  if (scope.own(name) !== binding && !isArgument) return undefined;
  const uses: Span[] = [];
  if (!gather(behind, name, uses)) return undefined;
  const edits = uses.map((use) => ({ span: { file, start: use.start, end: use.end }, text: other }));
  return { title: `name the new value \`${other}\``, edits: [{ span, text: `let ${other}` }, ...edits] };
}

type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null;

/** Collects the uses of a value; false where the name also stands for something else. */
function gather(node: unknown, name: string, uses: Span[]): boolean {
  if (Array.isArray(node)) return node.every((item) => gather(item, name, uses));
  if (!isTree(node)) return true;
  if (node["kind"] === "identifier") return node["text"] !== name;
  if (node["kind"] === "name") {
    const identifier = node["name"] as { readonly text: string; readonly span: Span };
    if (identifier.text === name) uses.push(identifier.span);
    return true;
  }
  // `f(a: 1, y)` hands `y` over by its name.
  if (node["kind"] === "call") {
    const args = node["args"] as readonly { readonly name?: unknown; readonly value: Tree }[];
    const first = args.findIndex((argument) => argument.name !== undefined);
    const isPun = ({ value }: { readonly value: Tree }): boolean =>
      value["kind"] === "name" && (value["name"] as { readonly text: string }).text === name;
    if (first >= 0 && args.slice(first).some((argument) => argument.name === undefined && isPun(argument)))
      return false;
    return gather(node["callee"], name, uses) && args.every(({ value }) => gather(value, name, uses));
  }
  if (node["kind"] === "member") return gather(node["object"], name, uses);
  return Object.entries(node).every(([key, value]) => key === "span" || gather(value, name, uses));
}
