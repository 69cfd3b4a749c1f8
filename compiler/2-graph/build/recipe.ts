/** A recipe of a checked project as programs: of its models, and of each parameter that it makes. */
import { at, newWalk, type Place } from "../../1-check/context.js";
import type { CheckedProject } from "../../1-check/index.js";
import { madeByType, resolvedHead } from "../../1-check/recipes/heads.js";
import { makeByRecipe } from "../../1-check/recipes/make.js";
import { Reporter } from "../../1-check/reporter.js";
import type { InstanceValue, ModuleInfo } from "../../1-check/values.js";
import type { Parameter } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Program } from "../ir.js";
import { GraphEmitter, ProgramRecord } from "./graph-emitter.js";
import { buildMade, diagnosticsOf, givenSize, programOf, refuseErrors } from "./program.js";
import { ProgramRefused } from "./refused.js";

export interface RecipeOptions {
  /** Sizes of the recipe's axes. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Numbers in place of defaults. */
  readonly numbers?: Readonly<Record<string, number>>;
}

/** A parameter of the target: the program of its value, or the parameter of a source that it is. */
export interface BuiltParameter {
  /** In the target's program. */
  readonly path: string;
  /**
   * Entry `value` without inputs. Its parameters are those of the sources, `dense.layers.norm.weight`, and the tensors that
   * the recipe is given, by their names.
   */
  readonly program: Program;
  /** With the source's name in front. */
  readonly taken?: string;
  readonly line?: SourceSpan;
  /** Axes along which the value is repeated. */
  readonly copied: readonly string[];
}

export interface BuiltRecipe {
  readonly name: string;
  readonly sources: ReadonlyMap<string, Program>;
  /** Names of tensors that the recipe is given beside its sources. */
  readonly tensors: readonly string[];
  readonly target: Program;
  readonly parameters: readonly BuiltParameter[];
}

/** The recipes that a project's root file declares. */
export function recipesOf(project: CheckedProject): readonly ModuleInfo[] {
  const file = project.files.get(project.root);
  return [...(file?.modules.values() ?? [])].filter(({ decl }) => decl.making);
}

/** @throws ProgramRefused with the diagnostics, when the project has errors or the sizes do not fit. */
export function buildRecipe(project: CheckedProject, info: ModuleInfo, options: RecipeOptions = {}): BuiltRecipe {
  refuseErrors(project);
  const root = { file: info.file, start: info.decl.span.start, end: info.decl.span.end };
  const record = new ProgramRecord();
  const emitter = new GraphEmitter(record);
  const walkOptions = { mode: "infer", phase: "prefill", generic: false, checking: false } as const;
  const walk = newWalk(emitter, new Reporter(root), walkOptions);
  const made = makeByRecipe(walk, {
    info,
    axes: new Map(
      Object.entries(options.sizes ?? {}).map(([name, size]) => [name, { size: givenSize(info, name, size) }]),
    ),
    ...(options.numbers ? { numbers: options.numbers } : {}),
    span: { file: info.file, ...info.decl.name.span },
    place: { scope: info.scope, file: info.file, path: "", repetitions: [], batch: [] },
  });
  if (!made || walk.reporter.findings.length > 0) throw new ProgramRefused(diagnosticsOf(walk.reporter));
  const { making, params } = info.decl;
  const target = programOfModel(made.target, making!.target, made.place);
  const prefix = `${made.target.path}.`;
  const parameters = target.params.map(({ path, span }): BuiltParameter => {
    const parameter = made.parameters.get(prefix + path);
    if (!parameter) throw ProgramRefused.coded("MOE2261", { paths: `\`${prefix}${path}\`` }, span ?? root);
    const { value, taken, line, copied } = parameter;
    const entry = { name: "value", inputs: [], outputs: ["value"], body: emitter.finish([value]) };
    const program = programOf(path, record, [entry], []);
    return { path, program, ...(taken === undefined ? {} : { taken }), ...(line ? { line } : {}), copied };
  });
  const sources = new Map(
    params.flatMap((param) => {
      const module = made.sources.get(param.name.text);
      return module ? [[param.name.text, programOfModel(module, param, made.place)] as const] : [];
    }),
  );
  const tensors = params.flatMap(({ name }) => (record.stored.has(name.text) ? [name.text] : []));
  return { name: info.decl.name.text, sources, tensors, target, parameters };
}

/** Checkpoints are those of models, with all that the head of the recipe gives them: sizes, numbers, switches, modules. */
function programOfModel({ info }: InstanceValue, param: Parameter, head: Place): Program {
  const span = at(head, param.type!);
  const { decl } = info;
  if (decl.contract !== "model")
    throw ProgramRefused.coded("MOE5441", { name: decl.name.text, contract: decl.contract }, span);
  return buildMade(info, (walk) => {
    const spec = resolvedHead(walk, param, head);
    const made = spec.kind === "module" ? madeByType(walk, spec, span, { ...head, path: "" }) : undefined;
    if (made?.kind === "instance") return made;
    throw new ProgramRefused(diagnosticsOf(walk.reporter));
  });
}
