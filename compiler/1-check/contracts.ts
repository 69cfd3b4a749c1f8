/** What the word in front of a declaration promises. */
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Walk } from "./context.js";
import { describe } from "./describe.js";
import type { ModuleInfo, Value } from "./values.js";

/** @param result What the body gave, or undefined without a body. */
export function checkContract(walk: Walk, info: ModuleInfo, result: Value | undefined): void {
  const { decl, file } = info;
  const nameSpan: SourceSpan = { file, ...decl.name.span };
  const body = decl.members?.find((member) => member.kind === "method" && !member.name);
  const bodySpan: SourceSpan =
    resultSpan(info) ?? (body ? { file, ...body.span } : decl.value ? { file, ...decl.value.span } : nameSpan);
  const word: SourceSpan = { file, start: decl.span.start, end: decl.span.start + decl.contract.length };
  const say = (code: string, slots: Record<string, string>, span = bodySpan): void =>
    walk.reporter.report(code, { name: decl.name.text, ...slots }, span, {
      labels: span === word ? [] : [{ span: word, text: `\`${decl.contract}\` promises it` }],
    });
  const found = result ? describe(walk, result) : "nothing";
  const first = result?.kind === "tuple" ? result.items[0] : result;
  switch (decl.contract) {
    case "expert":
    case "block":
    case "matrix":
      if (!result) return say("MOE2170", { contract: decl.contract }, nameSpan);
      if (first?.kind === "unknown") return;
      if (first?.kind !== "tensor" || first.value.type.kind !== "tensor")
        return say("MOE2171", { contract: decl.contract, found });
      if (decl.contract === "expert") checkExpert(walk, info);
      return;
    case "router":
      if (!result) return say("MOE2170", { contract: "router" }, nameSpan);
      if (first?.kind === "unknown") return;
      if (first?.kind !== "tensor" || first.value.type.kind !== "routes") return say("MOE2172", { found });
      if (walk.batchDependent && !decl.batchDependent) sayDependent(walk, info, walk.batchDependent.place);
      return;
    case "mask":
      if (!result) return say("MOE2170", { contract: "mask" }, nameSpan);
      if (result.kind === "unknown" || result.kind === "mask" || result.kind === "boolean") return;
      if (result.kind !== "tensor" || result.value.type.kind !== "tensor" || result.value.type.dtype !== "bool")
        return say("MOE2173", { found });
      return;
    case "model":
      if (!decl.members?.some((member) => member.kind === "method" && member.name)) say("MOE2174", {}, nameSpan);
      return;
    case "fn":
    case "loss":
    case "probe":
    case "schedule": {
      const kept = decl.members?.find((member) => ["param", "state", "use", "stack"].includes(member.kind));
      if (kept) say("MOE2175", { contract: decl.contract, member: kept.kind }, { file, ...kept.span });
      if (decl.contract === "loss" && result?.kind === "tensor") {
        const { type } = result.value;
        if (type.kind === "routes" || type.axes.length > 0) say("MOE2176", { found });
      }
      return;
    }
    case "recipe":
      // It has a walk of its own.
      return;
    default:
      decl.contract satisfies never;
  }
}

/** A router that compares tokens says so in its head, since it cannot be decoded token by token. */
function sayDependent(walk: Walk, info: ModuleInfo, span: SourceSpan): void {
  const { decl, file } = info;
  const last = decl.params.at(-1) ?? decl.axes.at(-1) ?? decl.name;
  // Behind the bracket that closes the head.
  const end = last.span.end + (last === decl.name ? 0 : 1);
  walk.reporter.report(
    "MOE2179",
    { name: decl.name.text },
    { file, ...decl.name.span },
    {
      labels: [{ span, text: "what one token gets depends on the others" }],
      fixes: [
        { title: "write `batch dependent`", edits: [{ span: { file, start: end, end }, text: " batch dependent" }] },
      ],
    },
  );
}

/** The expression whose value is the result, the smallest thing to underline. */
function resultSpan(info: ModuleInfo): SourceSpan | undefined {
  const { decl, file } = info;
  const method = decl.members?.find((member) => member.kind === "method" && !member.name);
  const body = method?.kind === "method" ? method.body : decl.value?.kind === "lambda" ? decl.value.body : undefined;
  const last = body?.kind === "block" ? (body.result ?? body) : body;
  return last && { file, ...last.span };
}

/** An expert sees one token: its input names no axis that the call decides. */
function checkExpert(walk: Walk, info: ModuleInfo): void {
  const { decl, file } = info;
  const body = decl.members?.find((member) => member.kind === "method" && !member.name);
  const param = body?.kind === "method" ? body.params[0] : undefined;
  if (param?.type?.kind !== "named-type") return;
  const own = new Set([
    ...decl.axes.map((axis) => axis.name.text),
    ...(decl.members ?? []).flatMap((member) => (member.kind === "axis" ? [member.name.text] : [])),
  ]);
  for (const axis of param.type.axes ?? []) {
    if (!axis.name || axis.size || own.has(axis.name.text)) continue;
    walk.reporter.report(
      "MOE2178",
      { name: decl.name.text, axis: axis.name.text },
      { file, ...axis.span },
      {
        help: "the mixture applies it to each token; leave the token axis out",
      },
    );
  }
}
