/** Memory, traffic and time of training, from what a model's walk has counted. */
import type { Size } from "../../compiler/axes/size.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { Accelerator } from "./accelerators.js";
import { expectedDrops } from "./drops.js";
import type { ModelCost } from "./model-cost.js";
import { KEYS } from "./training-tally.js";

/** Weights and gradients are bf16. */
const WEIGHT_BYTES = 2;
const GRADIENT_BYTES = 2;

/**
 * Bytes that an optimizer keeps for each parameter, with the f32 copy of the weights that it adds to. Adam: two moments
 * (Kingma and Ba 2015; 16 bytes in all, Rajbhandari et al. 2020, arXiv:1910.02054); in 8 bits (Dettmers et al. 2022).
 */
export const OPTIMIZERS = { adam: 12, "adam-8bit": 6, lion: 8, momentum: 8, sgd: 4 } as const;
export type Optimizer = keyof typeof OPTIMIZERS;

/** How the model is trained. */
export interface TrainingSetting {
  /** Tokens of a sequence. */
  readonly sequence: number;
  readonly optimizer: Optimizer;
  /** Devices that the experts of a layer are spread over. */
  readonly expertsOver: number;
  readonly plan?: TrainingPlan;
}

export interface TrainingPlan {
  readonly tokens: number;
  readonly devices: number;
  readonly accelerator: Accelerator;
  /** Share of the peak that products reach. */
  readonly utilization: number;
  /** Tokens between two updates. */
  readonly batch: number;
}

/** Seconds that each limit alone would take, and the bytes that a device holds. */
export interface TrainingTime {
  readonly compute: number;
  readonly memory: number;
  readonly communication: number;
  readonly limit: "compute" | "memory" | "communication";
  readonly seconds: number;
  readonly bytesPerDevice: number;
  readonly fits: boolean;
}

export interface TrainingFigures {
  /** Operations of one token, averaged over a sequence. */
  readonly forward: number;
  readonly backward: number;
  readonly again: number;
  /** Six for each parameter that a token meets in a product. */
  readonly sixN: number;
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  /** Of all bytes of the state, those that a device holds whose experts are spread. */
  readonly stateOfDevice: number;
  readonly kept: number;
  readonly keptRecomputed: number;
  /** Bytes that a token sends to other devices in a step: to its experts and back, forward and backward. */
  readonly exchanged: number;
  readonly capacities: readonly Capacity[];
  readonly time?: TrainingTime;
}

/** Places of a router with a capacity, for a sequence. */
export interface Capacity {
  readonly experts: number;
  readonly slots: number;
  readonly capacity: number;
  readonly overflow: string;
  /** Share of choices that find no place when tokens choose evenly at random. */
  readonly dropped: number;
}

/**
 * @throws MoecError MOE5466 when experts are spread over more devices than there are experts.
 */
export function trainingFigures(cost: ModelCost, setting: TrainingSetting): TrainingFigures {
  const { sequence, optimizer, expertsOver } = setting;
  const { training } = cost;
  const whole = callOf(cost, sequence, sequence);
  const perToken = (size: Size): number => tokenAverage(cost, size, sequence);
  const all = cost.parameters.reduce((sum, { all: count }) => sum + count, 0);
  const ofExperts = cost.parameters.reduce((sum, { all: count, isExpert }) => sum + (isExpert ? count : 0), 0);
  checkSpread(cost, expertsOver, ofExperts);
  const held = all - ofExperts + ofExperts / expertsOver;
  const met = cost.numbers.active.evaluate({ past: 0 }) - cost.numbers.tables.evaluate({ past: 0 });
  const perParameter = WEIGHT_BYTES + GRADIENT_BYTES + OPTIMIZERS[optimizer];
  const figures = {
    forward: perToken(training.forward),
    backward: perToken(training.backward),
    again: perToken(training.again),
    sixN: 6 * met,
    weights: all * WEIGHT_BYTES,
    gradients: all * GRADIENT_BYTES,
    optimizer: all * OPTIMIZERS[optimizer],
    stateOfDevice: held * perParameter,
    kept: training.kept.evaluate(whole),
    keptRecomputed: training.keptRecomputed.evaluate(whole),
    // There and back again, of the values and of their gradients; the share whose expert is elsewhere.
    exchanged: 2 * WEIGHT_BYTES * perToken(training.sent) * (1 - 1 / expertsOver),
    capacities: capacities(cost, whole),
  };
  const { plan } = setting;
  return plan ? { ...figures, time: trainingTime(figures, setting, plan, held, all) } : figures;
}

function checkSpread(cost: ModelCost, over: number, ofExperts: number): void {
  if (over === 1) return;
  const most = cost.banks.reduce((least, experts) => Math.min(least, experts), Infinity);
  if (ofExperts > 0 && over <= most) return;
  throw moecError("MOE5466", { devices: over, experts: ofExperts > 0 ? most : 0, model: cost.name });
}

/** Sizes of a call with so many tokens, each of which sees so many keys. */
function callOf(cost: ModelCost, tokens: number, keys: number): Readonly<Record<string, number>> {
  return { ...Object.fromEntries(cost.free.map((name) => [name, tokens])), past: 0, [KEYS]: keys };
}

/**
 * The mean over the tokens of a sequence that is one call. The first token sees one key and the last one all; costs grow with
 * keys by equal steps. Where tokens change a state one after the other, each of them is a call.
 */
function tokenAverage(cost: ModelCost, size: Size, sequence: number): number {
  const tokens = cost.isRecurrent ? 1 : sequence;
  const at = (keys: number): number => size.evaluate(callOf(cost, tokens, keys)) / tokens;
  return (at(1) + at(sequence)) / 2;
}

function capacities(cost: ModelCost, call: Readonly<Record<string, number>>): readonly Capacity[] {
  const found = new Map<string, Capacity>();
  for (const { routes, capacity, overflow } of cost.bounded) {
    const tokens = routes.tokens.reduce((product, { size }) => product * size.evaluate(call), 1);
    const [experts, slots, places] = [routes.experts.size, routes.slots, capacity].map((size) => size.evaluate(call));
    const dropped = expectedDrops(tokens, slots!, experts!, places!);
    const one = { experts: experts!, slots: slots!, capacity: places!, overflow, dropped };
    found.set(JSON.stringify(one), one);
  }
  return [...found.values()];
}

/**
 * Each limit by itself: products at their share of the peak; activations written and read once, weights read by the forward
 * pass and twice by the backward pass, gradients written and read, the optimizer's numbers read and written; experts' tokens
 * and gradients sent. The numbers of the optimizer are spread over all devices (ZeRO, arXiv:1910.02054).
 */
function trainingTime(
  figures: Omit<TrainingFigures, "time">,
  { sequence, optimizer, expertsOver }: TrainingSetting,
  { tokens, devices, accelerator, utilization, batch }: TrainingPlan,
  held: number,
  all: number,
): TrainingTime {
  const { group, link, network } = accelerator;
  const steps = tokens / batch;
  const compute = (tokens * (figures.forward + figures.backward)) / (devices * accelerator.operations * utilization);
  const activations = (2 * tokens * figures.kept) / sequence / devices;
  const ofStep = held * (3 * WEIGHT_BYTES + 2 * GRADIENT_BYTES) + (2 * all * OPTIMIZERS[optimizer]) / devices;
  const memory = (activations + steps * ofStep) / accelerator.bandwidth;
  // Gradients are summed and weights are handed back: each goes around once.
  const reduced = steps * held * (GRADIENT_BYTES + WEIGHT_BYTES) * (1 - 1 / devices);
  const communication =
    (tokens * figures.exchanged) / devices / (expertsOver > group ? network : link) +
    reduced / (devices > group ? network : link);
  const limits = { compute, memory, communication };
  const [limit, seconds] = (Object.entries(limits) as [TrainingTime["limit"], number][]).reduce((a, b) =>
    b[1] > a[1] ? b : a,
  );
  const bytesPerDevice =
    held * (WEIGHT_BYTES + GRADIENT_BYTES) + (all * OPTIMIZERS[optimizer]) / devices + figures.keptRecomputed;
  return { ...limits, limit, seconds, bytesPerDevice, fits: bytesPerDevice <= accelerator.memory };
}
