/**
 * The text form of a program: one node a line, `%12: f32[T, D] = contract %3, %7 {over: [K]}`. `parse.ts` reads it back
 * to the same program.
 */
import { Size } from "../axes/size.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import { nameText, typeText } from "../ops/type-text.js";
import type { Attrs, AttrValue } from "../ops/types.js";
import type { Entry, KnobDecl, Node, ParamDecl, Program, Region, StateDecl, Value } from "./ir.js";

export interface PrintOptions {
  /** Print where nodes and parameters come from: ` @"model.moe":12-30`. Without, the text reads better. */
  readonly spans?: boolean;
}

/** Words that stand for something else than themselves. */
const reserved = new Set(["true", "false", "inf", "nan"]);

/** A name of an attribute's text: bare, or quoted where it would read as something else. */
export function attrNameText(name: string): string {
  return reserved.has(name) ? JSON.stringify(name) : nameText(name);
}

export function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Sizes stand in angle brackets: `{k: <2>, to: <past + T>}`. */
export function attrText(value: AttrValue): string {
  if (value instanceof Size) return `<${value.key}>`;
  if (typeof value === "number") return numberText(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return attrNameText(value);
  if (Array.isArray(value)) return `[${(value as readonly AttrValue[]).map(attrText).join(", ")}]`;
  return attrsText(value as Attrs);
}

export function attrsText(attrs: Attrs): string {
  const fields = Object.entries(attrs).flatMap(([name, value]) =>
    value === undefined ? [] : [`${attrNameText(name)}: ${attrText(value)}`],
  );
  return `{${fields.join(", ")}}`;
}

export function valueText(value: Value): string {
  const name = value.name === undefined ? "" : ` ${nameText(value.name)}`;
  return `%${value.id}${name}: ${typeText(value.type)}`;
}

function spanText(span: SourceSpan | undefined, options: PrintOptions): string {
  return span && options.spans === true ? ` @${JSON.stringify(span.file)}:${span.start}-${span.end}` : "";
}

const ids = (list: readonly number[]): string => list.map((id) => `%${id}`).join(", ");

/** One node, with its regions indented below it. */
export function printNode(node: Node, options: PrintOptions = {}, indent = ""): string {
  const results = node.results.map(valueText).join(", ");
  const operands = node.operands.length > 0 ? ` ${ids(node.operands)}` : "";
  const attrs = Object.values(node.attrs).some((value) => value !== undefined) ? ` ${attrsText(node.attrs)}` : "";
  const regions = node.regions.map((region) => ` ${printRegion(region, options, indent)}`).join("");
  return `${indent}${results} = ${nameText(node.op)}${operands}${attrs}${regions}${spanText(node.span, options)}`;
}

/** `(%1 x: f32[D]) => {` nodes `return %9 }`. */
export function printRegion(region: Region, options: PrintOptions = {}, indent = ""): string {
  const inner = `${indent}  `;
  const nodes = region.nodes.map((node) => `${printNode(node, options, inner)}\n`).join("");
  const results = region.results.length > 0 ? ` ${ids(region.results)}` : "";
  return `(${region.params.map(valueText).join(", ")}) => {\n${nodes}${inner}return${results}\n${indent}}`;
}

function declText(kind: string, decl: ParamDecl | StateDecl | KnobDecl, options: PrintOptions): string {
  const { path, dtype, axes, ...rest } = decl;
  const span = "span" in rest ? rest.span : undefined;
  const attrs = Object.fromEntries(Object.entries(rest).filter(([name]) => name !== "span")) as Attrs;
  const type = typeText({ kind: "tensor", dtype, axes });
  return `  ${kind} ${nameText(path)}: ${type} ${attrsText(attrs)}${spanText(span, options)}\n`;
}

function entryText(entry: Entry, options: PrintOptions): string {
  const names = (list: readonly string[]): string => list.map(nameText).join(", ");
  const region = printRegion(entry.body, options, "  ");
  const derived = entry.derived ? `${entry.derived.form} of ${nameText(entry.derived.from)} ` : "";
  return `  entry ${nameText(entry.name)} ${derived}(${names(entry.inputs)}) -> (${names(entry.outputs)}) ${region}\n`;
}

function weightsText(format: string, sources: Program["weightNames"][string]): string {
  const lines = Object.entries(sources).map(([path, source]) => {
    return `    ${nameText(path)}: ${attrsText({ ...source })}\n`;
  });
  return `  weights ${nameText(format)} {\n${lines.join("")}  }\n`;
}

/** The whole program as text. `settings` are printed as JSON. */
export function printProgram(program: Program, options: PrintOptions = {}): string {
  return [
    `program ${nameText(program.name)} {\n`,
    `  sizes ${program.runtimeSizes.map(nameText).join(", ")}\n`,
    ...Object.entries(program.settings).map(
      ([name, value]) => `  setting ${nameText(name)} = ${JSON.stringify(value)}\n`,
    ),
    ...program.params.map((decl) => declText("param", decl, options)),
    ...program.states.map((decl) => declText("state", decl, options)),
    ...program.knobs.map((decl) => declText("knob", decl, options)),
    ...Object.entries(program.weightNames).map(([format, sources]) => weightsText(format, sources)),
    ...program.entries.map((entry) => entryText(entry, options)),
    "}\n",
  ].join("");
}
