/** The call around the cursor: what it takes and which argument is being typed. */
import type { Position, SignatureHelp } from "vscode-languageserver";
import { builtins } from "../../../compiler/1-check/index.js";
import { cursorAt, expressionOf, type OpenBracket } from "../cursor.js";
import { isFunction, moduleOf, parametersOf } from "../names/index.js";
import { withPaperLinks } from "../show.js";
import type { Workspace } from "../workspace.js";
import { markdown } from "./hover.js";

interface Signature {
  readonly label: string;
  readonly doc: string;
  /** Names with their place in the label. */
  readonly parts: readonly { readonly name: string; readonly text: string }[];
}

export function signatureHelp(workspace: Workspace, file: string, position: Position): SignatureHelp | undefined {
  const text = workspace.text(file);
  const cursor = cursorAt(text.text, text.offset(position), file);
  if (cursor.inComment) return undefined;
  // Lists and groups inside of an argument belong to it.
  const bracket = [...cursor.brackets].reverse().find((each) => each.callee || each.kind === "{");
  if (!bracket?.callee || bracket.kind === "{") return undefined;
  const found = signature(workspace, file, text.text, bracket);
  if (!found) return undefined;
  const named = bracket.name === undefined ? -1 : found.parts.findIndex(({ name }) => name === bracket.name);
  let from = 0;
  const parameters = found.parts.map((part) => {
    const start = Math.max(0, found.label.indexOf(part.text, from));
    from = start + part.text.length;
    return { label: [start, from] as [number, number] };
  });
  return {
    signatures: [{ label: found.label, documentation: markdown([found.doc]), parameters }],
    activeSignature: 0,
    activeParameter: Math.min(named >= 0 ? named : bracket.argument, Math.max(0, parameters.length - 1)),
  };
}

function signature(workspace: Workspace, file: string, text: string, bracket: OpenBracket): Signature | undefined {
  const callee = expressionOf(text, bracket.callee!);
  if (!callee) return undefined;
  const module = moduleOf(workspace.names, callee, file);
  if (!module) {
    const builtin = callee.kind === "name" && bracket.kind === "(" ? builtins.get(callee.name.text) : undefined;
    return builtin && { label: builtin.signature, doc: builtin.doc, parts: builtinParts(builtin) };
  }
  const source = workspace.text(module.file);
  const { decl } = module;
  const doc = decl.doc === undefined ? "" : withPaperLinks(decl.doc);
  if (bracket.kind === "[") {
    if (module.instance) return undefined;
    const parts = decl.axes.map((axis) => ({ name: axis.name.text, text: source.slice(axis.span) }));
    return { label: `${decl.name.text}[${parts.map((part) => part.text).join(", ")}]`, doc, parts };
  }
  const parts = parametersOf(module).map((param) => ({ name: param.name.text, text: source.slice(param.span) }));
  const axes = isFunction(decl) || module.instance ? "" : `[${decl.axes.map((axis) => axis.name.text).join(", ")}]`;
  return { label: `${decl.name.text}${axes}(${parts.map((part) => part.text).join(", ")})`, doc, parts };
}

function builtinParts(builtin: { readonly signature: string; readonly params: readonly { readonly name: string }[] }) {
  const open = builtin.signature.indexOf("(");
  return builtin.params.map(({ name }) => {
    const found = new RegExp(`\\b${name}\\b(?:: [^,)\\]]*)?`).exec(builtin.signature.slice(open + 1));
    return { name, text: found?.[0] ?? name };
  });
}
