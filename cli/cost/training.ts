/** Memory, traffic and time of training, from what a model's walk has counted. */
import type { Size } from "../../compiler/axes/size.js";
import { moecError } from "../../compiler/errors/raise.js";
import { approximate } from "./approximate.js";
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
  /** With layers computed again where the bytes are so counted. */
  readonly compute: number;
  readonly memory: number;
  readonly communication: number;
  readonly limit: "compute" | "memory" | "communication";
  readonly seconds: number;
  readonly bytesPerDevice: number;
  readonly fits: boolean;
  /** Whether layers are computed again, since what they leave fits a device only so, if at all. */
  readonly isRecomputed: boolean;
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

/** Numbers of parameters, of all devices and of the one that holds most. */
interface Held {
  readonly dense: number;
  readonly experts: number;
  readonly expertsOfDevice: number;
}

/**
 * @throws MoecError MOE5466 when experts are spread over more devices than there are experts.
 */
export function trainingFigures(cost: ModelCost, setting: TrainingSetting): TrainingFigures {
  const { sequence, optimizer, expertsOver, plan } = setting;
  const { training } = cost;
  const whole = callOf(cost, sequence, sequence);
  const perToken = (size: Size): number => tokenAverage(cost, size, sequence);
  checkSpread(cost, expertsOver);
  const held = heldOf(cost, expertsOver);
  const all = held.dense + held.experts;
  const met = approximate(cost.numbers.active, { past: 0 }) - approximate(cost.numbers.tables, { past: 0 });
  const perParameter = WEIGHT_BYTES + GRADIENT_BYTES + OPTIMIZERS[optimizer];
  const figures = {
    forward: perToken(training.forward),
    backward: perToken(training.backward),
    again: perToken(training.again),
    sixN: 6 * met,
    weights: all * WEIGHT_BYTES,
    gradients: all * GRADIENT_BYTES,
    optimizer: all * OPTIMIZERS[optimizer],
    stateOfDevice: (held.dense + held.expertsOfDevice) * perParameter,
    kept: approximate(training.kept, whole),
    keptRecomputed: approximate(training.keptRecomputed, whole),
    // There and back again, of the values and of their gradients; the share whose expert is elsewhere.
    exchanged: 2 * WEIGHT_BYTES * perToken(training.sent) * (1 - 1 / expertsOver),
    capacities: capacities(cost, whole),
  };
  return plan ? { ...figures, time: trainingTime(figures, setting, plan, held) } : figures;
}

/** A device holds whole experts: of 4 over 3 devices one holds 2. */
function heldOf({ parameters }: ModelCost, over: number): Held {
  const held = { dense: 0, experts: 0, expertsOfDevice: 0 };
  for (const { all, bank } of parameters) {
    if (bank === undefined) held.dense += all;
    else {
      held.experts += all;
      held.expertsOfDevice += (all / bank) * Math.ceil(bank / over);
    }
  }
  return held;
}

function checkSpread({ parameters, name: model }: ModelCost, over: number): void {
  if (over === 1) return;
  const experts = parameters.reduce((least, { bank = Infinity }) => Math.min(least, bank), Infinity);
  if (over <= experts && experts < Infinity) return;
  throw moecError("MOE5466", { devices: over, experts: experts < Infinity ? experts : 0, model });
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
  const at = (keys: number): number => approximate(size, callOf(cost, tokens, keys)) / tokens;
  return (at(1) + at(sequence)) / 2;
}

function capacities(cost: ModelCost, call: Readonly<Record<string, number>>): readonly Capacity[] {
  const found = new Map<string, Capacity>();
  for (const { routes, capacity, overflow } of cost.bounded) {
    const tokens = routes.tokens.reduce((product, { size }) => product * approximate(size, call), 1);
    const [experts, slots, places] = [routes.experts.size, routes.slots, capacity].map((size) =>
      approximate(size, call),
    );
    const dropped = expectedDrops(tokens, slots!, experts!, places!);
    const one = { experts: experts!, slots: slots!, capacity: places!, overflow, dropped };
    found.set(JSON.stringify(one), one);
  }
  return [...found.values()];
}

/**
 * Each limit by itself: products at their share of the peak, with those of layers computed again where a device has no room
 * otherwise; activations written and read once, weights read by the forward pass and twice by the backward pass, gradients
 * written and read, the optimizer's numbers read and written; experts' tokens and gradients sent. The numbers of the
 * optimizer are spread over all devices (ZeRO, arXiv:1910.02054).
 */
function trainingTime(
  figures: Omit<TrainingFigures, "time">,
  { sequence, expertsOver }: TrainingSetting,
  { tokens, devices, accelerator, utilization, batch }: TrainingPlan,
  { dense, expertsOfDevice }: Held,
): TrainingTime {
  const { group, link, network } = accelerator;
  const { forward, backward, again, kept, keptRecomputed, optimizer } = figures;
  const steps = tokens / batch;
  const held = dense + expertsOfDevice;
  const state = held * (WEIGHT_BYTES + GRADIENT_BYTES) + optimizer / devices;
  // Memory and operations of one way: layers are computed again where what they leave does not fit otherwise.
  const isRecomputed = state + kept > accelerator.memory;
  const operations = forward + backward + (isRecomputed ? again : 0);
  const bytesPerDevice = state + (isRecomputed ? keptRecomputed : kept);
  const compute = (tokens * operations) / (devices * accelerator.operations * utilization);
  // Layers computed again write and read as much: what the first pass drops, the second one gives.
  const activations = (2 * tokens * kept) / sequence / devices;
  const ofStep = held * (3 * WEIGHT_BYTES + 2 * GRADIENT_BYTES) + (2 * optimizer) / devices;
  const memory = (activations + steps * ofStep) / accelerator.bandwidth;
  // Gradients are summed over the devices that hold the same weights, and weights are handed back: each goes around once.
  // An expert is on one device of each group that experts are spread over.
  const around = (numbers: number, among: number): number =>
    steps * numbers * (GRADIENT_BYTES + WEIGHT_BYTES) * Math.max(0, 1 - 1 / among);
  const reduced = around(dense, devices) + around(expertsOfDevice, devices / expertsOver);
  const communication =
    (tokens * figures.exchanged) / devices / (expertsOver > group ? network : link) +
    reduced / (devices > group ? network : link);
  const limits = { compute, memory, communication };
  const [limit, seconds] = (Object.entries(limits) as [TrainingTime["limit"], number][]).reduce((a, b) =>
    b[1] > a[1] ? b : a,
  );
  return { ...limits, limit, seconds, bytesPerDevice, fits: bytesPerDevice <= accelerator.memory, isRecomputed };
}
