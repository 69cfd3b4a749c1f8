/** Above every declaration: what it costs; above every test: a way to run it. */
import type { CodeLens } from "vscode-languageserver";
import type { ModuleInfo } from "../../../compiler/1-check/values.js";
import type { Size } from "../../../compiler/axes/size.js";
import { formulaText } from "../cost/formula.js";
import { isMeasurable, measure, type Measure } from "../cost/measure.js";
import { bytesText, countText } from "../show.js";
import type { Workspace } from "../workspace.js";

/** Longer formulas say less than none. */
const LONGEST = 64;

interface LensData {
  readonly uri: string;
  readonly name: string;
}

/** Lenses without the costs, which `resolveCodeLens` fills in. */
export function codeLenses(workspace: Workspace, file: string): CodeLens[] {
  const checked = workspace.project(file).files.get(file);
  if (!checked) return [];
  const isBroken = checked.all.some(({ severity }) => severity === "error");
  const text = workspace.text(file);
  const uri = workspace.host.toUri(file);
  const lenses: CodeLens[] = [];
  for (const declaration of checked.tree.declarations) {
    const range = text.range(declaration.name.span);
    if (declaration.kind === "test") {
      const { value } = declaration.name;
      lenses.push({ range, command: { title: "▶ run test", command: "moec.runTest", arguments: [uri, value] } });
      continue;
    }
    const info = checked.modules.get(declaration.name.text);
    // Measuring walks the whole declaration, so only lenses that are seen are filled in.
    if (!isBroken && info?.decl === declaration && isMeasurable(info)) {
      lenses.push({ range, data: { uri, name: declaration.name.text } satisfies LensData });
    }
    if (declaration.contract === "model") {
      const show = { title: "show graph", command: "moec.showGraph", arguments: [uri, declaration.name.text] };
      lenses.push({ range, command: show });
    }
  }
  return lenses;
}

export function resolveCodeLens(workspace: Workspace, lens: CodeLens): CodeLens {
  const { uri, name } = lens.data as LensData;
  const info = workspace.load(workspace.host.fromUri(uri))?.modules.get(name);
  const title = info && costTitle(measured(info));
  return { range: lens.range, command: { title: title ?? name, command: "moec.showCost", arguments: [uri, name] } };
}

const measures = new WeakMap<ModuleInfo, { readonly measure: Measure | undefined }>();

/** Measured once for each version of a declaration and of what it imports. */
export function measured(info: ModuleInfo): Measure | undefined {
  const known = measures.get(info) ?? { measure: measure(info) };
  measures.set(info, known);
  return known.measure;
}

/** `7.6 M parameters, 2.9 M active · 5.8 M operations and 11.3 MiB a token`; formulas where sizes are open. */
export function costTitle(found: Measure | undefined): string | undefined {
  if (!found) return undefined;
  const { parameters, active, operations, bytes } = found;
  const all = amount(parameters, countText);
  if (all === undefined) return undefined;
  const working = active.equals(parameters) ? undefined : amount(active, countText);
  const first = `${all} parameters${working === undefined ? "" : `, ${working} active`}`;
  if (operations.constant === undefined || bytes.constant === undefined) return first;
  return `${first} · ${countText(operations.constant)} operations and ${bytesText(bytes.constant)} a token`;
}

function amount(size: Size, numbers: (count: number) => string): string | undefined {
  if (size.constant !== undefined) return numbers(size.constant);
  const formula = formulaText(size);
  return formula.length <= LONGEST ? formula : undefined;
}
