/** The manifest of a bundle, from the program and its plan. */
import type { Program, StorageType } from "../2-graph/ir.js";
import { kFormats, kRecordBytes } from "../4-schedule/micro/k-layouts.js";
import { recordRows } from "../4-schedule/micro/wide-layouts.js";
import { STORAGE, STORAGE_TYPES } from "../checkpoints/storage.js";
import type { Plan, PlanPort } from "../4-schedule/plan.js";
import type { BundleInput } from "./input.js";
import { languageEntry } from "./language.js";
import type { BundleAbi, Manifest, ManifestMemory, ManifestPort, ManifestShard, ManifestTarget } from "./manifest.js";

/** The plan of the bundle; levels that differ have one of their own. */
export const PLAN_FILE = "plan.json";

/** What this compiler writes. */
const abi: BundleAbi = 2;

/** Everything of the manifest but the list of files. */
export function bundleManifest(
  input: BundleInput,
  targets: readonly ManifestTarget[],
  shards: readonly ManifestShard[],
): Omit<Manifest, "files"> {
  const { program, plan } = input;
  const language = languageEntry(plan.entries);
  return {
    format: "moec-bundle",
    abi,
    name: program.name,
    compiler: input.compiler,
    entries: plan.entries
      .filter(({ derived }) => !derived)
      .map(({ name, inputs, outputs }) => ({ name, inputs: inputs.map(port), outputs: outputs.map(port) })),
    ...(language === undefined ? {} : { language: language.name }),
    knobs: plan.knobs.map((knob) => {
      const declared = program.knobs.find(({ path }) => path === knob.name);
      const range = declared?.range === undefined ? {} : { range: declared.range };
      return { ...port(knob), init: declared?.init ?? 0, ...range };
    }),
    limits: plan.limits,
    memory: memoryOf(plan),
    targets,
    plan: PLAN_FILE,
    shards,
    parameters: countParameters(program, plan),
    ...(input.tokenizer === undefined ? {} : { tokenizer: "tokenizer.json" }),
    generation: input.generation,
  };
}

export function memoryOf({ spaces: { weights, state, arena, io } }: Plan): ManifestMemory {
  return { weights, state, arena, io, peak: weights + state + arena + io };
}

function port({ name, dtype, axes }: PlanPort): ManifestPort {
  return { name, dtype, axes };
}

/** How many numbers are kept as what; a parameter that is packed twice counts once, in its narrowest form. */
function countParameters(program: Program, plan: Plan): Partial<Record<StorageType, number>> {
  const counts: Partial<Record<StorageType, number>> = {};
  for (const { path } of program.params) {
    const packed = plan.weights.filter((weight) => weight.path === path);
    const [first] = packed.sort((a, b) => BITS[a.storage] - BITS[b.storage]);
    if (!first) continue;
    const numbers = first.axes.reduce((product, axis) => product * axis.size, 1);
    counts[first.storage] = (counts[first.storage] ?? 0) + numbers;
  }
  return counts;
}

/** Bits of a stored number. */
const BITS = {
  ...Object.fromEntries(
    STORAGE_TYPES.map((type) => [type, (8 * STORAGE[type].blockBytes) / STORAGE[type].blockValues]),
  ),
  any_K: (8 * kRecordBytes("any_K")) / (recordRows * kFormats.any_K.columns),
} as Readonly<Record<StorageType, number>>;
