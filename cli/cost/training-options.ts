/** Options of `moec inspect --cost` about training. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { within, wholeFrom } from "../options.js";
import { acceleratorNames, acceleratorOf } from "./accelerators.js";
import { OPTIMIZERS, type Optimizer, type TrainingSetting } from "./training.js";

export interface TrainingOptions {
  readonly training?: boolean;
  readonly optimizer?: Optimizer;
  readonly expertsOver?: number;
  readonly tokens?: number;
  readonly devices?: { readonly count: number; readonly name: string };
  readonly utilization?: number;
  readonly batch?: number;
}

const SCALES: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, B: 1e9, G: 1e9, T: 1e12 };

/** `15T`, `300B`, `4M`, `1e12`. */
function tokenCount(text: string): number {
  const [, digits, scale] = /^(\d+(?:\.\d+)?(?:e\d+)?)([kMBGT]?)$/.exec(text) ?? [];
  const count = Number(digits) * (SCALES[scale ?? ""] ?? NaN);
  if (count >= 1) return count;
  throw new InvalidArgumentError("It must look like 300B or 15T.");
}

/** `256xH100`; a name alone is one device. */
function deviceCount(text: string): { readonly count: number; readonly name: string } {
  const [, count = "1", name] = /^(?:(\d+)x)?([A-Za-z]\w*)$/.exec(text) ?? [];
  if (name === undefined || !(Number(count) >= 1)) throw new InvalidArgumentError("It must look like 256xH100.");
  return { count: Number(count), name };
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
export function asksForTraining({ training, optimizer, expertsOver, tokens, devices }: TrainingOptions): boolean {
  return training === true || [optimizer, expertsOver, tokens, devices].some((one) => one !== undefined);
}

/** What the options ask for; undefined where they ask for nothing of training. */
export function trainingSetting(options: TrainingOptions, sequence: number): TrainingSetting | undefined {
  if (!asksForTraining(options)) return undefined;
  const { optimizer, expertsOver, tokens, devices, utilization = 0.4, batch = 4e6 } = options;
  return {
    sequence,
    optimizer: optimizer ?? "adam",
    expertsOver: expertsOver ?? 1,
    ...(devices && tokens !== undefined
      ? {
          plan: {
            tokens,
            devices: devices.count,
            accelerator: acceleratorOf(devices.name),
            utilization,
            batch: Math.min(batch, tokens),
          },
        }
      : {}),
  };
}
