/** What training costs, as a table and as formulas. */
import { PAST } from "../../compiler/1-check/emitter.js";
import { Size } from "../../compiler/axes/size.js";
import { formulaText } from "../../editor/server/cost/formula.js";
import { tableLines } from "../show/table.js";
import { bytesText, countText, durationText } from "../show/units.js";
import { wrapped } from "../show/wrap.js";
import type { View } from "../views.js";
import type { ModelCost, TrainingAmounts } from "./model-cost.js";
import { trainingFigures, type Capacity, type TrainingFigures, type TrainingSetting } from "./training.js";

const TITLES: Readonly<Record<keyof TrainingAmounts, string>> = {
  forward: "forward operations",
  backward: "backward operations",
  again: "operations of layers computed again",
  kept: "bytes of activations",
  keptRecomputed: "bytes of activations, layers computed again",
  sent: "numbers to experts and back",
};

export function trainingView(cost: ModelCost, setting: TrainingSetting, strong: (text: string) => string): View {
  const figures = trainingFigures(cost, setting);
  const { sequence, expertsOver, plan } = setting;
  const lines = [
    ...tableLines(
      [{ title: `training ${cost.name}` }, { title: "", align: "right" }],
      [...operationRows(figures, sequence), ...memoryRows(figures, setting), ...routeRows(figures, expertsOver)],
      strong,
    ),
  ];
  if (figures.time && plan) {
    const { accelerator, devices, tokens, utilization, batch } = plan;
    const { compute, memory, communication, limit, seconds, bytesPerDevice, fits, isRecomputed } = figures.time;
    const again = isRecomputed ? ", layers computed again" : "";
    const rows = [
      [`compute, at ${Math.round(100 * utilization)}% of the peak${again}`, durationText(compute)],
      ["memory", durationText(memory)],
      ["communication", durationText(communication)],
      [`limited by ${limit}`, durationText(seconds)],
      ["device hours", countText((seconds * devices) / 3600)],
      [`a device holds${again}${fits ? "" : ": more than it has"}`, bytesText(bytesPerDevice)],
    ];
    const title = `${countText(tokens)} tokens on ${devices} ${accelerator.name}, ${countText(batch)} a step`;
    lines.push("", ...tableLines([{ title }, { title: "", align: "right" }], rows, strong));
  }
  const formulas = trainingFormulas(cost);
  if (formulas) {
    const of = cost.free.map((name) => `${name} tokens`).join(" and ");
    lines.push("", strong(`formulas of ${of}, which see \`keys\` keys on average`));
    for (const [key, text] of Object.entries(formulas)) {
      lines.push(...wrapped(`${TITLES[key as keyof TrainingAmounts]} = ${text}`, 98, "  ", "      "));
    }
  }
  return { title: "training", lines, data: { model: cost.name, ...settingData(setting), ...figures, formulas } };
}

function settingData({ plan, ...setting }: TrainingSetting) {
  return { ...setting, ...(plan ? { plan: { ...plan, accelerator: plan.accelerator.name } } : {}) };
}

function operationRows({ forward, backward, again, sixN }: TrainingFigures, sequence: number): readonly string[][] {
  const all = forward + backward;
  const beside = `${countText(sixN)}, ${(all / sixN).toFixed(2)} times that`;
  return [
    [`operations of a token, mean over ${sequence}: forward`, countText(forward)],
    ["  backward", countText(backward)],
    ["  together", countText(all)],
    ["  the rule of 6 for each parameter in a product", beside],
    ["  more when layers are computed again", countText(again)],
  ];
}

function memoryRows(
  figures: TrainingFigures,
  { optimizer, expertsOver, sequence }: TrainingSetting,
): readonly string[][] {
  const { weights, gradients, kept, keptRecomputed, stateOfDevice } = figures;
  const state = weights + gradients + figures.optimizer;
  return [
    ["weights in bf16", bytesText(weights)],
    ["gradients in bf16", bytesText(gradients)],
    [`${optimizer} with weights in f32`, bytesText(figures.optimizer)],
    ["  together", bytesText(state)],
    ...(expertsOver > 1 ? [[`  with experts over ${expertsOver} devices, each holds`, bytesText(stateOfDevice)]] : []),
    [`activations of ${sequence} tokens`, bytesText(kept)],
    ["  with layers computed again", bytesText(keptRecomputed)],
  ];
}

function routeRows({ exchanged, capacities }: TrainingFigures, over: number): readonly string[][] {
  return [
    ...(over > 1 ? [["a token sends to other devices and back", bytesText(exchanged)]] : []),
    ...capacities.map(({ experts, capacity, dropped, overflow }: Capacity) => [
      `each of ${experts} experts takes ${capacity}; find no place by chance (${overflow})`,
      `${(100 * dropped).toFixed(dropped < 0.01 ? 2 : 1)}%`,
    ]),
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
