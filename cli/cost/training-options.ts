/** Options of `moec inspect --cost` about training. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { UsageError } from "../failures.js";
import { within, wholeFrom } from "../options.js";
import { acceleratorNames, acceleratorOf } from "./accelerators.js";
import { OPTIMIZERS, type Optimizer, type TrainingSetting } from "./training.js";

interface Devices {
  readonly count: number;
  readonly name: string;
}

export interface TrainingOptions {
  readonly training?: boolean;
  readonly optimizer?: Optimizer;
  readonly expertsOver?: number;
  readonly tokens?: number;
  readonly devices?: Devices;
  readonly utilization?: number;
  readonly batch?: number;
}

const SCALES: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, B: 1e9, G: 1e9, T: 1e12 };

/** `15T`, `300B`, `4M`, `1e12`. */
function tokenCount(text: string): number {
  const [, digits, scale] = /^(\d+(?:\.\d+)?(?:e\d+)?)([kMBGT]?)$/.exec(text) ?? [];
  const count = Number(digits) * (SCALES[scale ?? ""] ?? NaN);
  if (count >= 1 && count < Infinity) return count;
  throw new InvalidArgumentError("It must look like 300B or 15T.");
}

/** `256xH100`; a name alone is one device. */
function deviceCount(text: string): Devices {
  const [, digits = "1", name] = /^(?:(\d+)x)?([A-Za-z]\w*)$/.exec(text) ?? [];
  const count = Number(digits);
  if (name === undefined || !(count >= 1 && count < Infinity)) {
    throw new InvalidArgumentError("It must look like 256xH100.");
  }
  return { count, name };
}

/** `--training` and what says more of it. */
export function addTrainingOptions(command: Command): Command {
  return command
    .option("--training", "with --cost: operations, memory and traffic of training; --context is a sequence")
    .addOption(
      new Option("--optimizer <name>", "whose numbers are counted; adam when left out").choices(
        Object.keys(OPTIMIZERS),
      ),
    )
    .option("--experts-over <devices>", "spread the experts of each mixture over so many devices", wholeFrom(1))
    .option("--tokens <count>", "tokens to train on, such as 1T; with --devices, how long that takes", tokenCount)
    .option("--devices <count x name>", `such as 256xH100; of ${acceleratorNames.join(", ")}`, deviceCount)
    .option("--utilization <share>", "share of the peak that products reach; 0.4 when left out", within(0.01, 1))
    .option("--batch <tokens>", "tokens between two updates; 4M when left out", tokenCount);
}

/** Whether any option is about training. */
export function asksForTraining(options: TrainingOptions): boolean {
  const { training, optimizer, expertsOver, tokens, devices, utilization, batch } = options;
  return [training, optimizer, expertsOver, tokens, devices, utilization, batch].some((one) => one !== undefined);
}

/**
 * Refuses, before any work, options that would say nothing.
 *
 * @throws UsageError when only a part of what gives a time is there, or experts are spread over more devices than train;
 *   MoecError MOE5465 when nothing is known of the device.
 */
export function checkTrainingOptions({ expertsOver, tokens, devices, utilization, batch }: TrainingOptions): void {
  if (devices) acceleratorOf(devices.name);
  const given = Object.entries({ tokens, devices, utilization, batch }).find(([, value]) => value !== undefined);
  if (!given) return;
  const missing = tokens === undefined ? "--tokens" : devices === undefined ? "--devices" : undefined;
  if (missing !== undefined) {
    throw new UsageError(`--${given[0]} is for the time that training takes, and ${missing} is missing`);
  }
  if (devices && expertsOver !== undefined && expertsOver > devices.count) {
    throw new UsageError(`--experts-over ${expertsOver} is more than the ${devices.count} of --devices`);
  }
}

/** What the options ask for; undefined where they ask for nothing of training. */
export function trainingSetting(options: TrainingOptions, sequence: number): TrainingSetting | undefined {
  if (!asksForTraining(options)) return undefined;
  const { optimizer = "adam", expertsOver = 1, tokens, devices, utilization = 0.4, batch = 4e6 } = options;
  const setting = { sequence, optimizer, expertsOver };
  if (!devices || tokens === undefined) return setting;
  const accelerator = acceleratorOf(devices.name);
  return {
    ...setting,
    plan: { tokens, devices: devices.count, accelerator, utilization, batch: Math.min(batch, tokens) },
  };
}
