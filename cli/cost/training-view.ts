/** What training costs, as a table and, where they are asked for, as formulas. */
import { PAST } from "../../compiler/1-check/emitter.js";
import { Size } from "../../compiler/axes/size.js";
import { formulaText } from "../../editor/server/cost/formula.js";
import { tableLines } from "../show/table.js";
import { bytesText, countText, durationText } from "../show/units.js";
import { wrapped } from "../show/wrap.js";
import type { View } from "../views.js";
import type { ModelCost, TrainingAmounts } from "./model-cost.js";
import { formulaLines, type CostStyle } from "./view.js";
import { trainingFigures, type Capacity, type TrainingFigures, type TrainingSetting } from "./training.js";

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
  const { sequence, expertsOver, plan } = setting;
  const lines = [
    ...tableLines(
      [{ title: `training ${cost.name} on sequences of ${sequence} tokens` }, { title: "", align: "right" }],
      [...operationRows(figures), ...memoryRows(figures, setting), ...routeRows(figures, expertsOver)],
      strong,
    ),
  ];
  if (figures.time && plan) {
    const { accelerator, devices, tokens, utilization, batch } = plan;
    const { compute, memory, communication, limit, seconds, bytesPerDevice, fits, isRecomputed } = figures.time;
    const rows = [
      [`time for products, at ${Math.round(100 * utilization)}% of the peak`, durationText(compute)],
      ["time for reading and writing memory", durationText(memory)],
      ["time for sending between devices", durationText(communication)],
      [`the longest of them: ${LIMITS[limit]}`, durationText(seconds)],
      ["hours, summed over the devices", countText((seconds * devices) / 3600)],
      [`a device needs, of its ${bytesText(accelerator.memory)}`, bytesText(bytesPerDevice)],
    ];
    const title = `${countText(tokens)} tokens on ${devices} ${accelerator.name}, ${countText(batch)} tokens a step`;
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

function settingData({ plan, ...setting }: TrainingSetting) {
  return { ...setting, ...(plan ? { plan: { ...plan, accelerator: plan.accelerator.name } } : {}) };
}

function operationRows({ forward, backward, again, sixN }: TrainingFigures): readonly string[][] {
  const all = forward + backward;
  return [
    ["operations of a token, on average", countText(all)],
    ["  forward", countText(forward)],
    ["  backward", countText(backward)],
    ["  in units of 6 for each parameter in a product", (all / sixN).toFixed(2)],
    ["  computing the layers again would add", countText(again)],
  ];
}

function memoryRows(figures: TrainingFigures, { optimizer, expertsOver }: TrainingSetting): readonly string[][] {
  const { weights, gradients, kept, keptRecomputed, stateOfDevice } = figures;
  const state = weights + gradients + figures.optimizer;
  return [
    ["memory of the model", bytesText(state)],
    ["  weights in bf16", bytesText(weights)],
    ["  gradients in bf16", bytesText(gradients)],
    [`  ${optimizer}, with weights in f32`, bytesText(figures.optimizer)],
    ...(expertsOver > 1 ? [[`  on each of ${expertsOver} devices with its experts`, bytesText(stateOfDevice)]] : []),
    ["activations of a sequence, all kept", bytesText(kept)],
    ["  when layers are computed again", bytesText(keptRecomputed)],
  ];
}

function routeRows({ exchanged, capacities }: TrainingFigures, over: number): readonly string[][] {
  return [
    ...(over > 1 ? [["a token's traffic to experts on other devices", bytesText(exchanged)]] : []),
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
