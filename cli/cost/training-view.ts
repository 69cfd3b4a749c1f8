/** What training costs, as a table and, where they are asked for, as formulas. */
import { PAST } from "../../compiler/1-check/emitter.js";
import { Size } from "../../compiler/axes/size.js";
import { formulaText } from "../../editor/server/cost/formula.js";
import { tableLines } from "../show/table.js";
import { bytesText, countText, durationText } from "../show/units.js";
import { wrapped } from "../show/wrap.js";
import type { View } from "../views.js";
import { rowOf, type Figure } from "./figures.js";
import type { ModelCost, TrainingAmounts } from "./model-cost.js";
import { formulaLines, type CostStyle } from "./view.js";
import {
  trainingFigures,
  type Capacity,
  type TrainingFigures,
  type TrainingPlan,
  type TrainingSetting,
  type TrainingTime,
} from "./training.js";

const TITLES: Readonly<Record<keyof TrainingAmounts, string>> = {
  forward: "forward operations",
  backward: "backward operations",
  again: "operations of layers computed again",
  kept: "bytes of activations",
  keptRecomputed: "bytes of activations, layers computed again",
  sent: "numbers to experts and back",
};

const LIMITS: Readonly<Record<NonNullable<TrainingFigures["time"]>["limit"], string>> = {
  compute: "products",
  memory: "memory",
  communication: "sending",
};

export function trainingView(cost: ModelCost, setting: TrainingSetting, style: CostStyle): View {
  const { strong } = style;
  const figures = trainingFigures(cost, setting);
  const { sequence, plan } = setting;
  const lines = [
    ...tableLines(
      [{ title: `training ${cost.name} on sequences of ${sequence} tokens` }, { title: "", align: "right" }],
      callFigures(figures, setting).map(rowOf),
      strong,
    ),
  ];
  if (figures.time && plan) {
    const { fits, isRecomputed } = figures.time;
    const rows = timeFigures(figures.time, plan).map(rowOf);
    const title = planText(plan);
    lines.push("", ...tableLines([{ title }, { title: "", align: "right" }], rows, strong));
    const again = isRecomputed ? " and layers computed again" : " and all activations kept";
    const holding = `That is with the numbers of ${setting.optimizer} spread over all devices, one sequence at a time${again}.`;
    const more =
      " It is more than a device has: spread the experts further (`--experts-over`), or split matrices or layers, which is not counted here.";
    lines.push(...wrapped(holding + (fits ? "" : more), style.width, "  "));
  }
  const formulas = trainingFormulas(cost);
  if (formulas && style.formulas) {
    const of = cost.free.map((name) => `${name} tokens`).join(" and ");
    lines.push("", ...formulaLines(`formulas of ${of}, which see \`keys\` keys on average`, formulas, TITLES, style));
  }
  return { title: "training", lines, data: { model: cost.name, ...settingData(setting), ...figures, formulas } };
}

/** What the numbers are of, for programs. */
export function settingData({ plan, ...setting }: TrainingSetting) {
  return { ...setting, ...(plan ? { plan: { ...plan, accelerator: plan.accelerator.name } } : {}) };
}

/** All numbers of training, those of its time too. */
export function trainingNumbers(cost: ModelCost, setting: TrainingSetting): readonly Figure[] {
  const figures = trainingFigures(cost, setting);
  const time = figures.time && setting.plan ? timeFigures(figures.time, setting.plan) : [];
  return [...callFigures(figures, setting), ...time];
}

/** What the numbers are of. */
export function trainingNotes({ sequence, plan }: TrainingSetting): readonly string[] {
  return [`training on sequences of ${sequence} tokens${plan ? `: ${planText(plan)}` : ""}`];
}

function planText({ accelerator, devices, tokens, batch }: TrainingPlan): string {
  return `${countText(tokens)} tokens on ${devices} ${accelerator.name}, ${countText(batch)} tokens a step`;
}

function callFigures(figures: TrainingFigures, setting: TrainingSetting): readonly Figure[] {
  return [...operationFigures(figures), ...memoryFigures(figures, setting), ...routeFigures(figures, setting)];
}

const figure = (title: string, value: number, text: Figure["text"], shared?: string): Figure => ({
  title,
  value,
  text,
  ...(shared === undefined ? {} : { shared }),
});

function operationFigures({ forward, backward, again, sixN }: TrainingFigures): readonly Figure[] {
  const all = forward + backward;
  return [
    figure("operations of a token, on average", all, countText),
    figure("  forward", forward, countText),
    figure("  backward", backward, countText),
    figure("  in units of 6 for each parameter in a product", all / sixN, (units) => units.toFixed(2)),
    figure("  computing the layers again would add", again, countText),
  ];
}

function memoryFigures(figures: TrainingFigures, { optimizer, expertsOver }: TrainingSetting): readonly Figure[] {
  const { weights, gradients, kept, keptRecomputed, stateOfDevice } = figures;
  const onDevice = figure(`  on each of ${expertsOver} devices with its experts`, stateOfDevice, bytesText);
  return [
    figure("memory of the model", weights + gradients + figures.optimizer, bytesText),
    figure("  weights in bf16", weights, bytesText),
    figure("  gradients in bf16", gradients, bytesText),
    figure(`  ${optimizer}, with weights in f32`, figures.optimizer, bytesText),
    ...(expertsOver > 1 ? [onDevice] : []),
    figure("activations of a sequence, all kept", kept, bytesText),
    figure("  when layers are computed again", keptRecomputed, bytesText),
  ];
}

function routeFigures({ exchanged, capacities }: TrainingFigures, setting: TrainingSetting): readonly Figure[] {
  const isSpread = setting.expertsOver > 1;
  return [
    ...(isSpread ? [figure("a token's traffic to experts on other devices", exchanged, bytesText)] : []),
    ...capacities.map(({ experts, capacity, dropped, overflow }: Capacity) =>
      figure(
        `each of ${experts} experts takes ${capacity}; find no place by chance (${overflow})`,
        dropped,
        (share) => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)}%`,
        "choices that find no place by chance",
      ),
    ),
  ];
}

function timeFigures(time: TrainingTime, { accelerator, devices, utilization }: TrainingPlan): readonly Figure[] {
  const { compute, memory, communication, limit, seconds, bytesPerDevice } = time;
  return [
    figure(`time for products, at ${Math.round(100 * utilization)}% of the peak`, compute, durationText),
    figure("time for reading and writing memory", memory, durationText),
    figure("time for sending between devices", communication, durationText),
    figure(`the longest of them: ${LIMITS[limit]}`, seconds, durationText, "the longest of them"),
    figure("hours, summed over the devices", (seconds * devices) / 3600, countText),
    figure(`a device needs, of its ${bytesText(accelerator.memory)}`, bytesPerDevice, bytesText),
  ];
}

/** Formulas as text; undefined where the model's form depends on its sizes. */
function trainingFormulas(cost: ModelCost): Readonly<Record<keyof TrainingAmounts, string>> | undefined {
  const { trainingFormulas: formulas } = cost;
  if (!formulas) return undefined;
  const first = new Map([[PAST, Size.zero]]);
  const entries = (Object.entries(formulas) as [keyof TrainingAmounts, Size][]).map(
    ([key, size]) => [key, formulaText(size.substitute(first))] as const,
  );
  return Object.fromEntries(entries) as Record<keyof TrainingAmounts, string>;
}
