/** `moec inspect`: look into a model at any stage of the compiler. */
import { resolve } from "node:path";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failures.js";
import {
  addTrainingOptions,
  asksForTraining,
  checkTrainingOptions,
  type TrainingOptions,
} from "../cost/training-options.js";
import { addModelOptions, type ModelOptions } from "../options.js";
import type { CommandDefinition } from "../command.js";
import type { Project } from "../project.js";
import type { Shell } from "../shell.js";
import type { Compiled, View } from "../views.js";
import { writeTextFiles } from "../write-text-files.js";

interface InspectOptions extends ModelOptions, TrainingOptions {
  readonly graph?: boolean;
  readonly ir?: string;
  readonly kernels?: boolean;
  readonly memory?: boolean;
  readonly cost?: boolean;
  readonly formulas?: boolean;
  readonly ops?: boolean;
  readonly html?: string;
  readonly against?: string;
}

export const inspectCommand: CommandDefinition = (program, start) => {
  const command = program
    .command("inspect")
    .summary("show graph, passes, kernels, memory or cost of a model")
    .description("Shows what the compiler makes of a model. Needs no weights. Without a choice: a summary.")
    .argument("[project]", "a folder with a moec.yaml, that file, or a .moe file", ".")
    .option("--graph", "the graph after all passes")
    .option("--ir <pass>", "the graph after a pass; `build` is before the first, `all` shows each")
    .option("--kernels", "the kernels, with how often each is launched")
    .option("--memory", "what memory the model needs, and for what")
    .option("--cost", "parameters, active ones, operations and bytes of a token")
    .option("--formulas", "with --cost: the same as formulas in the sizes of the model")
    .option("--against <project>", "with --cost: another model beside it; --size and --model are for the first")
    .option("--ops", "operations and bytes by op, for one token and for a prompt")
    .option("--html <file>", "all of it as one page")
    .action((path: string, options: InspectOptions) =>
      start("inspect", options, async (shell) => {
        checkTrainingOptions(options);
        const { openSources } = await import("../project.js");
        const project = openSources(path, shell.io.cwd, options);
        if (options.html !== undefined) return writePage(shell, project, options, options.html);
        const chosen = await chosenViews(shell, project, options);
        chosen.forEach(({ lines }, at) => {
          if (at > 0) shell.say();
          for (const line of lines) shell.say(line);
        });
        shell.result(true, { views: chosen.map(({ title, data }) => ({ title, data })) });
        return EXIT.ok;
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec inspect examples/tiny-moe
  moec inspect examples/tiny-moe --cost --memory
  moec inspect examples/olmoe --cost --experts-over 8 --tokens 5T --devices 256xH100
  moec inspect model.moe --cost --size E=64 --size F=512 --against model.moe
  moec inspect model.moe --ir all
  moec inspect model.moe --html model.html
`,
    );
  return addTrainingOptions(addModelOptions(command));
};

async function chosenViews(shell: Shell, project: Project, options: InspectOptions): Promise<readonly View[]> {
  const { strong } = shell.palette;
  const { against, graph, ir, kernels, memory, ops } = options;
  const style = { strong, width: shell.io.columns, formulas: options.formulas === true };
  const costs = await import("../cost/of-project.js");
  // Costs need no graph: asked for alone they come at once, however large the model is.
  const isCosted = options.cost === true || options.formulas === true || asksForTraining(options);
  const isCostAlone = [graph, ir, kernels, memory, ops].every((one) => one === undefined);
  if (against !== undefined) {
    if (!isCostAlone) throw new UsageError("--against compares costs, and the other views show one model");
    if (options.formulas === true) throw new UsageError("--against compares numbers, and formulas are of one model");
    const { openSources } = await import("../project.js");
    const { model: _model, size: _size, ...shared } = options;
    const other = openSources(against, shell.io.cwd, shared);
    return [costs.comparedCostView(shell, { against: other, project }, style, options)];
  }
  if (isCosted && isCostAlone) return costs.projectCostViews(shell, project, style, options);
  const views = await import("../views.js");
  if (ir !== undefined && !views.stagesOfGraph.includes(ir)) {
    throw new UsageError(`there is no pass \`${ir}\`: ${views.stagesOfGraph.join(", ")}`);
  }
  const compiled = await compiledOf(shell, project);
  const chosen: View[] = [];
  if (ir !== undefined) chosen.push(views.passView(compiled, ir));
  if (graph === true) chosen.push(views.graphView(compiled));
  if (kernels === true) chosen.push(views.kernelView(compiled));
  if (memory === true) chosen.push(views.memoryView(compiled, strong));
  if (isCosted) chosen.push(...costs.projectCostViews(shell, project, style, options));
  if (ops === true) chosen.push(views.opsView(compiled, strong));
  return chosen.length > 0 ? chosen : [views.summaryView(compiled, strong)];
}

async function compiledOf(shell: Shell, project: Project): Promise<Compiled> {
  const { buildOptimized, checkSpec, scheduleProject } = await import("../compile.js");
  const { built, optimized } = buildOptimized(checkSpec(shell, project.spec), project);
  let scheduled: ReturnType<typeof scheduleProject> | undefined;
  return { project, built, optimized, schedule: () => (scheduled ??= scheduleProject(optimized, project)) };
}

/** All views as one page. */
async function writePage(shell: Shell, project: Project, options: InspectOptions, html: string): Promise<ExitCode> {
  if (options.against !== undefined) throw new UsageError("--against compares costs, and a page shows one model");
  const views = await import("../views.js");
  const { projectCostViews } = await import("../cost/of-project.js");
  const { dumpPasses } = await import("../../compiler/3-optimize/index.js");
  const { inspectPage } = await import("../inspect-page.js");
  const compiled = await compiledOf(shell, project);
  const plain = (text: string): string => text;
  const all = [
    views.summaryView(compiled, plain),
    views.memoryView(compiled, plain),
    ...projectCostViews(shell, project, { strong: plain, width: 100, formulas: true }, options),
    views.opsView(compiled, plain),
    views.graphView(compiled),
    views.kernelView(compiled),
  ];
  const file = resolve(shell.io.cwd, html);
  writeTextFiles([{ path: file, text: inspectPage(compiled.optimized.name, all, dumpPasses(compiled.built)) }]);
  shell.say(`${shell.palette.added("✓")} ${html}`);
  shell.result(true, { file });
  return EXIT.ok;
}
