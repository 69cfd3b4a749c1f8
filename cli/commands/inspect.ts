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
    .option("--ops", "operations and bytes by op, for one token and for a prompt")
    .option("--html <file>", "all of it as one page")
    .action((path: string, options: InspectOptions) =>
      start("inspect", options, async (shell) => {
        checkTrainingOptions(options);
        const { openSources } = await import("../project.js");
        const project = openSources(path, shell.io.cwd, options);
        const { strong } = shell.palette;
        const show = (chosen: readonly View[]): ExitCode => {
          chosen.forEach(({ lines }, at) => {
            if (at > 0) shell.say();
            for (const line of lines) shell.say(line);
          });
          shell.result(true, { views: chosen.map(({ title, data }) => ({ title, data })) });
          return EXIT.ok;
        };
        const style = { strong, width: shell.io.columns, formulas: options.formulas === true };
        const { projectCostViews } = await import("../cost/of-project.js");
        const { graph, ir, kernels, memory, ops, html } = options;
        // Costs need no graph: asked for alone they come at once, however large the model is.
        const isCosted = options.cost === true || options.formulas === true || asksForTraining(options);
        if (isCosted && [graph, ir, kernels, memory, ops, html].every((one) => one === undefined)) {
          return show(projectCostViews(shell, project, style, options));
        }
        const views = await import("../views.js");
        if (ir !== undefined && !views.stagesOfGraph.includes(ir)) {
          throw new UsageError(`there is no pass \`${ir}\`: ${views.stagesOfGraph.join(", ")}`);
        }
        const { buildOptimized, checkSpec, scheduleProject } = await import("../compile.js");
        const { built, optimized } = buildOptimized(checkSpec(shell, project.spec), project);
        let scheduled: ReturnType<typeof scheduleProject> | undefined;
        const schedule = (): ReturnType<typeof scheduleProject> => (scheduled ??= scheduleProject(optimized, project));
        const compiled: Compiled = { project, built, optimized, schedule };
        if (options.html !== undefined) {
          const same = (text: string): string => text;
          const all = [
            views.summaryView(compiled, same),
            views.memoryView(compiled, same),
            ...projectCostViews(shell, project, { strong: same, width: 100, formulas: true }, options),
            views.opsView(compiled, same),
            views.graphView(compiled),
            views.kernelView(compiled),
          ];
          const { dumpPasses } = await import("../../compiler/3-optimize/index.js");
          const { inspectPage } = await import("../inspect-page.js");
          const file = resolve(shell.io.cwd, options.html);
          writeTextFiles([{ path: file, text: inspectPage(optimized.name, all, dumpPasses(built)) }]);
          shell.say(`${shell.palette.added("✓")} ${options.html}`);
          shell.result(true, { file });
          return EXIT.ok;
        }
        const chosen: View[] = [];
        if (ir !== undefined) chosen.push(views.passView(compiled, ir));
        if (options.graph === true) chosen.push(views.graphView(compiled));
        if (options.kernels === true) chosen.push(views.kernelView(compiled));
        if (options.memory === true) chosen.push(views.memoryView(compiled, strong));
        if (isCosted) chosen.push(...projectCostViews(shell, project, style, options));
        if (options.ops === true) chosen.push(views.opsView(compiled, strong));
        if (chosen.length === 0) chosen.push(views.summaryView(compiled, strong));
        return show(chosen);
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec inspect examples/tiny-moe
  moec inspect examples/tiny-moe --cost --memory
  moec inspect examples/olmoe --cost --experts-over 8 --tokens 5T --devices 256xH100
  moec inspect model.moe --ir all
  moec inspect model.moe --html model.html
`,
    );
  return addTrainingOptions(addModelOptions(command));
};
