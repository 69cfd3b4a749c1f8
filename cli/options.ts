/** Options that several commands share, with their checks. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { CACHES, type CacheStorage } from "../compiler/4-schedule/options.js";
import { SAMPLING_RANGES, WHOLE_RANGES } from "../runtime/generate/ranges.js";
import { QUANTIZATIONS, TARGETS, type Quantization, type TargetName } from "./project-file.js";
import type { CommonOptions } from "./shell.js";

/** Options of commands that read a model. */
export interface ProgramOptions extends CommonOptions {
  readonly model?: string;
  readonly size?: Readonly<Record<string, number>>;
  readonly random?: number;
}

/** Options of commands that compile a model. */
export interface ModelOptions extends ProgramOptions {
  readonly quantization?: Quantization;
  readonly cache?: CacheStorage;
  readonly context?: number;
  readonly prefill?: number;
  readonly target?: readonly TargetName[];
  readonly level?: readonly string[];
}

/** Options of commands that run a model. */
export interface DeviceOptions {
  readonly threads?: number;
  readonly device?: "auto" | TargetName;
  readonly verify?: boolean;
}

/** Options of commands that write text. */
export interface TextOptions extends CommonOptions, DeviceOptions {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly trace?: boolean;
}

/** What commands take that compile and run a model, as their help says it. */
const SOURCES = "a .moe file, a folder with a moec.yaml, a Hugging Face folder";
export const MODEL_SOURCES = `${SOURCES}, or a .gguf file`;
export const MODEL_OR_BUNDLE = `${SOURCES}, a .gguf file, or a bundle`;

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It is not a number.");
  return value;
}

/** A parser of numbers from `least` to `most`; `read` says of which kind. */
export function within(least: number, most: number, read = number): (text: string) => number {
  return (text) => {
    const value = read(text);
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(most === Infinity ? `It begins at ${least}.` : `It goes from ${least} to ${most}.`);
  };
}

/** A parser of whole numbers from `least`. */
export const wholeFrom = (least: number): ((text: string) => number) => within(least, Infinity, wholeNumber);

/** A parser of whole numbers that the runtime takes by this name. */
export function wholeAs(name: keyof typeof WHOLE_RANGES): (text: string) => number {
  const [least, most] = WHOLE_RANGES[name];
  return within(least, most, wholeNumber);
}

export function wholeNumber(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("It is not a whole number.");
  return value;
}

/**
 * A parser of an option such as `--size L=4`, which may be repeated.
 *
 * @param read Reads what stands behind the sign; undefined where it is nothing of the kind.
 */
export function assignments<T>(
  example: string,
  read: (value: string) => T | undefined,
): (text: string, before?: Readonly<Record<string, T>>) => Readonly<Record<string, T>> {
  return (text, before = {}) => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.+)$/.exec(text) ?? [];
    const own = name === undefined || value === undefined ? undefined : read(value);
    if (name === undefined || own === undefined) throw new InvalidArgumentError(`It must look like ${example}.`);
    return { ...before, [name]: own };
  };
}

/** Axes begin at 1, which those who build say with a place; number parameters may be 0. */
export const sizeAssignment = assignments("L=4", (value) => {
  const size = /^\d+$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(size) ? size : undefined;
});

function nameList(text: string): readonly string[] {
  return text.split(",").map((name) => name.trim());
}

/** An option that takes a list such as `wasm,native`, of these names. */
class ListOption extends Option {
  constructor(flags: string, description: string, names: readonly string[]) {
    super(flags, description);
    // As for one choice, without the parser that takes one alone.
    this.argChoices = [...names];
    this.argParser((text) =>
      nameList(text).map((name) => {
        if (names.includes(name)) return name;
        throw new InvalidArgumentError(`Allowed choices are ${names.join(", ")}.`);
      }),
    );
  }
}

export const listOption = (flags: string, description: string, names: readonly string[]): Option =>
  new ListOption(flags, description, names);

/** Whether an option takes several of its choices, with commas between. */
export const isListOption = (option: Option): boolean => option instanceof ListOption;

/** `--target` and `--level`, of `build`. */
export function addTargetOptions(command: Command): Command {
  return command
    .addOption(listOption("--target <names>", "which kernels the bundle gets; wasm when left out", TARGETS))
    .option("--level <names>", "processors that native kernels are built for; see `moec doctor`", nameList);
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** `--model`, `--size`, `--random`: which program it is and where its numbers come from. */
export function addProgramOptions(command: Command): Command {
  return command
    .option("--model <name>", "which model of the file")
    .option("--size <name=number>", "set a size of the model, such as L=2; may be repeated", sizeAssignment)
    .option("--random <seed>", "fill the parameters at random instead of from a checkpoint", wholeAs("seed"));
}

/** Those and `--quantization`, `--cache`, `--context`, `--prefill`: how it is laid out in memory. */
export function addModelOptions(command: Command): Command {
  return addProgramOptions(command)
    .addOption(new Option("--quantization <format>", "how matrices are stored").choices(QUANTIZATIONS))
    .addOption(new Option("--cache <format>", "how numbers in caches are stored").choices(CACHES))
    .option("--context <positions>", "most positions that the caches hold", wholeFrom(1))
    .option("--prefill <tokens>", "most tokens that are read in one go", wholeFrom(1));
}

/** `--threads`, `--device`, `--verify`. */
export function addDeviceOptions(command: Command): Command {
  return command
    .option("--threads <count>", "threads; all cores when left out", wholeAs("threads"))
    .addOption(
      new Option("--device <name>", "which kernels run; the best that are there when left out").choices([
        "auto",
        ...TARGETS,
      ]),
    )
    .option("--verify", "hash all weights anew, also those that were hashed before");
}

/** Sampling, `--max-tokens`, `--stop`, the device, `--trace`. */
export function addTextOptions(command: Command): Command {
  const sampling = command
    .option("-n, --max-tokens <count>", "most tokens to write", wholeAs("maxTokens"))
    .option(
      "-t, --temperature <number>",
      "0 always takes the most likely token",
      within(...SAMPLING_RANGES.temperature),
    )
    .option("--top-k <count>", "choose among the k most likely tokens", wholeAs("topK"))
    .option(
      "--top-p <share>",
      "choose among the most likely tokens that make up this share",
      within(...SAMPLING_RANGES.topP),
    )
    .option("--min-p <share>", "drop tokens less likely than this share of the best", within(...SAMPLING_RANGES.minP))
    .option(
      "--repetition-penalty <number>",
      "make tokens that occurred less likely; 1 is off",
      within(...SAMPLING_RANGES.repetitionPenalty),
    )
    .option("--seed <number>", "equal seeds give equal text; 0 when left out", wholeAs("seed"))
    .option("--stop <text>", "end before this text; may be repeated", collect);
  return addDeviceOptions(sampling).option("--trace", "show which expert took which token in each layer");
}

/** The sampling part of the options, without what was not given. */
export function samplingOf(options: TextOptions): Omit<TextOptions, "json" | "color" | keyof DeviceOptions | "trace"> {
  const { maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop } = options;
  const given = { maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
