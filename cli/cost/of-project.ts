/** The cost of a project from its spec alone: checked, but neither built nor scheduled, and no weights are opened. */
import { relative } from "node:path";
import { check } from "../../compiler/1-check/index.js";
import { DiagnosticsError, showDiagnostics } from "../failures.js";
import type { Project } from "../project.js";
import type { Shell } from "../shell.js";
import { diskHost } from "../source-host.js";
import type { View } from "../views.js";
import { comparedView, type Counted } from "./compare.js";
import { modelCost, type ModelCost } from "./model-cost.js";
import { trainingSetting, type TrainingOptions } from "./training-options.js";
import { settingData, trainingNotes, trainingNumbers, trainingView } from "./training-view.js";
import type { TrainingSetting } from "./training.js";
import { costFigures, costNumbers, modelCostView, type CostSetting, type CostStyle } from "./view.js";

/**
 * The views of `moec inspect --cost`, and of training where that is asked for.
 *
 * @throws DiagnosticsError when the spec has errors, MoecError MOE5420 and MOE5421 for a model that cannot be counted.
 */
export function projectCostViews(
  shell: Shell,
  project: Project,
  style: CostStyle,
  options: TrainingOptions,
): readonly View[] {
  const { cost, setting, training } = counted(shell, project, options);
  const view = modelCostView(cost, setting, style);
  return training ? [view, trainingView(cost, training, style)] : [view];
}

/**
 * The same of two projects side by side. Both are counted in the formats and with the context of `project`, whatever the
 * file of the other one says: ratios of unlike settings would say nothing of the models.
 */
export function comparedCostView(
  shell: Shell,
  { against, project }: Readonly<Record<"against" | "project", Project>>,
  style: CostStyle,
  options: TrainingOptions,
): View {
  const { context, quantization, cache } = project;
  const sideOf = (one: Project): Counted & CountedProject => {
    const { cost, setting, training } = counted(shell, { ...one, context, quantization, cache }, options);
    const figures = [
      ...costFigures(costNumbers(cost, setting), setting),
      ...(training ? trainingNumbers(cost, training) : []),
    ];
    return { name: cost.name, sizes: cost.sizes, figures, cost, setting, training };
  };
  const sides = [sideOf(against), sideOf(project)] as const;
  const { setting, training } = sides[1];
  const notes = [
    `both with weights in ${setting.quantization}, a cache in ${setting.cache} and ${setting.past} tokens before`,
    ...(training ? trainingNotes(training) : []),
  ];
  const data = { ...setting, ...(training ? { training: settingData(training) } : {}) };
  return comparedView(...sides, { notes, data }, style);
}

interface CountedProject {
  readonly cost: ModelCost;
  readonly setting: CostSetting;
  readonly training: TrainingSetting | undefined;
}

function counted(shell: Shell, project: Project, options: TrainingOptions): CountedProject {
  const host = diskHost(shell.io.cwd);
  const checked = check(relative(shell.io.cwd, project.spec), host);
  if (checked.diagnostics.some(({ severity }) => severity === "error")) {
    throw new DiagnosticsError(checked.diagnostics, host.read);
  }
  showDiagnostics(shell, checked.diagnostics, host.read);
  const { sizes, modelName, context, quantization, cache } = project;
  return {
    cost: modelCost(checked, { sizes, ...(modelName === undefined ? {} : { model: modelName }) }),
    // The cost is that of the spec, no file is opened: what a file may hold is counted as f16.
    setting: { quantization: quantization === "file" ? "f16" : quantization, past: Math.floor(context / 2), cache },
    training: trainingSetting(options, context),
  };
}
