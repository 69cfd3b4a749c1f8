/** The cost of a project from its spec alone: checked, but neither built nor scheduled, and no weights are opened. */
import { relative } from "node:path";
import { check } from "../../compiler/1-check/index.js";
import { DiagnosticsError, showDiagnostics } from "../failures.js";
import type { Project } from "../project.js";
import type { Shell } from "../shell.js";
import { diskHost } from "../source-host.js";
import type { View } from "../views.js";
import { modelCost } from "./model-cost.js";
import { trainingSetting, type TrainingOptions } from "./training-options.js";
import { trainingView } from "./training-view.js";
import { modelCostView, type CostStyle } from "./view.js";

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
  const host = diskHost(shell.io.cwd);
  const checked = check(relative(shell.io.cwd, project.spec), host);
  if (checked.diagnostics.some(({ severity }) => severity === "error")) {
    throw new DiagnosticsError(checked.diagnostics, host.read);
  }
  showDiagnostics(shell, checked.diagnostics, host.read);
  const { sizes, modelName, context, quantization, cache } = project;
  const cost = modelCost(checked, { sizes, ...(modelName === undefined ? {} : { model: modelName }) });
  // The cost is that of the spec, no file is opened: what a file may hold is counted as f16.
  const format = quantization === "file" ? "f16" : quantization;
  const view = modelCostView(cost, { quantization: format, past: Math.floor(context / 2), cache }, style);
  const setting = trainingSetting(options, context);
  return setting ? [view, trainingView(cost, setting, style)] : [view];
}
