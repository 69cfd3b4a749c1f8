/**
 * The kernels of the declaration at the cursor, with the places in the source that each of them computes. Sizes come from
 * the file's model, or from its tests where it has no model that uses the declaration.
 */
import type { Location, Position } from "vscode-languageserver";
import type { CheckedProject } from "../../../compiler/1-check/index.js";
import { buildProgram, prepareTests, ProgramRefused } from "../../../compiler/2-graph/index.js";
import type { Node, Program } from "../../../compiler/2-graph/ir.js";
import { deriveLastToken, optimize } from "../../../compiler/3-optimize/index.js";
import { schedule } from "../../../compiler/4-schedule/index.js";
import { MoecError } from "../../../compiler/errors/moec-error.js";
import type { Workspace } from "../workspace.js";
import { declarationAt, reachableFrom, usesIn, type Place } from "./declarations.js";
import { LIMITS } from "./emitted.js";
import { printKernels, targetOf, type KernelForm, type KernelLines, type WasmPrinter } from "./forms.js";
import { refusal, type Shown } from "./refusal.js";

export interface KernelSection extends KernelLines {
  /** What it computes, the most important first. */
  readonly places: readonly Location[];
  /** Names in the asked declaration through which it is used, such as that of a module of the library. */
  readonly through: readonly Location[];
}

/** The text of the kernels, or why there is none. */
export interface KernelView extends Shown {
  /** The declaration that was asked for. */
  readonly name: string;
  readonly sections: readonly KernelSection[];
}

/** Views of a file as it was checked: an editor asks twice when it shows one, for what stands beside and for the text. */
const views = new WeakMap<CheckedProject, Map<string, Promise<KernelView>>>();

export async function kernelView(
  workspace: Workspace,
  file: string,
  position: Position,
  form: KernelForm,
  wasm: WasmPrinter,
): Promise<KernelView> {
  const declaration = declarationAt(workspace, file, position);
  if (!declaration) {
    return { ok: false, text: "There is no declaration at the cursor.", name: "", sections: [] };
  }
  const project = workspace.project(file);
  const known = views.get(project) ?? new Map<string, Promise<KernelView>>();
  views.set(project, known);
  const key = `${form} ${declaration.span.start}`;
  const view = known.get(key) ?? viewOf(workspace, file, declaration, form, wasm);
  known.set(key, view);
  return view;
}

async function viewOf(
  workspace: Workspace,
  file: string,
  declaration: Place,
  form: KernelForm,
  wasm: WasmPrinter,
): Promise<KernelView> {
  const { name } = declaration;
  try {
    const wanted = reachableFrom(workspace, declaration);
    for (const program of programsOf(workspace, file, declaration)) {
      const found = new Map<string, Node[]>();
      const onLaunch = (kernel: string, nodes: readonly Node[]): void => {
        found.set(kernel, [...(found.get(kernel) ?? []), ...nodes]);
      };
      const scheduled = schedule(program, targetOf[form], { limits: LIMITS, onLaunch });
      const isWanted = (kernel: string): boolean =>
        (found.get(kernel) ?? []).some(({ span }) => span !== undefined && wanted(span));
      if (!scheduled.kernels.some((kernel) => isWanted(kernel.name))) continue;
      const { text, kernels } = await printKernels(scheduled, form, wasm, isWanted);
      const uses = usesIn(workspace, declaration);
      const sections = kernels.map((lines) => {
        const nodes = found.get(lines.kernel) ?? [];
        const leads = uses.filter(({ holds }) => nodes.some(({ span }) => span !== undefined && holds(span)));
        const through = leads.map(({ span }) => workspace.location(span));
        return { ...lines, places: placesOf(workspace, nodes), through };
      });
      return { ok: true, text, name, sections };
    }
    return {
      ok: false,
      text: `No model or test of this file uses ${name} with sizes that are numbers.`,
      name,
      sections: [],
    };
  } catch (error) {
    return { ok: false, text: refusal(error), name, sections: [] };
  }
}

function placesOf(workspace: Workspace, nodes: readonly Node[]): readonly Location[] {
  const places = new Map<string, Location>();
  for (const { span } of nodes) {
    if (span) places.set(`${span.file} ${span.start} ${span.end}`, workspace.location(span));
  }
  return [...places.values()];
}

/** Programs with numbers for all sizes that may hold the declaration, the likeliest first. */
function* programsOf(workspace: Workspace, file: string, { name, contract }: Place): Iterable<Program> {
  const project = workspace.project(file);
  const models = (workspace.load(file)?.tree.declarations ?? []).flatMap((each) =>
    each.kind === "module" && each.contract === "model" ? [each.name.text] : [],
  );
  const own = contract === "model" ? [name] : models;
  for (const model of own) {
    try {
      yield optimize(deriveLastToken(buildProgram(project, { model })));
    } catch (error) {
      // Another model, or a test, may still show it; the last resort says why there is nothing.
      if (!(error instanceof ProgramRefused || error instanceof MoecError) || contract === "model") throw error;
    }
  }
  for (const { program } of prepareTests(project, file)) if (program) yield optimize(program);
}
