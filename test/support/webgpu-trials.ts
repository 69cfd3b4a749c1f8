/**
 * Tests of many programs on WebGPU: each gives what the reference gives, by every kind of launches. Usually some are
 * tried, with the launches for drivers that compute on the processor; `scripts/stdlib-on.mjs` has all tried, by both.
 */
import { test } from "vitest";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import type { Driver, PlanStep } from "../../compiler/4-schedule/plan.js";
import type { CompareOptions } from "../schedule/compare.js";
import { openJournal } from "./journal.js";
import { drivers, momentsOf, runOnDawn } from "./webgpu-machine.js";

export interface Trial {
  readonly name: string;
  /** What is compared, and a text that helps whoever looks for the fault. */
  draw(): { readonly comparisons: readonly Comparison[]; readonly text?: string };
  /** Told of the launches that gave what the reference gives. */
  passed?(on: Driver): void;
  /** A run before this one has said so of these launches. */
  hasPassed?(on: Driver): boolean;
}

export interface Comparison {
  readonly program: Program;
  readonly what: CompareOptions;
}

const everything = process.env["MOEC_LIBRARY"] === "all";
/** `MOEC_MISSING=1` leaves out what an earlier run has written down. */
const onlyMissing = process.env["MOEC_MISSING"] === "1";
/** `MOEC_DRIVER=cpu` or `gpu` runs only these launches; a software driver takes long to compile those for GPUs. */
const chosen = drivers.filter((driver) => driver === (process.env["MOEC_DRIVER"] ?? (everything ? driver : "cpu")));
if (chosen.length === 0) throw new Error(`MOEC_DRIVER is ${drivers.join(" or ")}`);

const isForOne = (step: PlanStep): boolean =>
  step.kind === "loop" ? step.steps.some(isForOne) : step.on !== undefined;

/** What went wrong, for each kind of launches; undefined where there is no driver. */
async function failuresOf(trial: Trial): Promise<readonly string[] | undefined> {
  const { comparisons, text } = trial.draw();
  const expected = comparisons.map(({ program, what }) => ({ program, what, moments: momentsOf(program, what) }));
  const failures: string[] = [];
  // A plan without launches for one kind alone is the same to both.
  const isSame = !expected.some(({ moments }) =>
    moments.some(({ schedule }) => schedule.plan.entries.some(({ steps }) => steps.some(isForOne))),
  );
  for (const on of isSame ? chosen.slice(0, 1) : chosen) {
    try {
      for (const { program, what, moments } of expected) {
        if (!(await runOnDawn(program, moments, what.tolerance, on))) return undefined;
      }
      for (const kind of isSame ? drivers : [on]) trial.passed?.(kind);
    } catch (cause) {
      failures.push([`launches for a ${on}: ${reasonOf(cause)}`, text].join("\n"));
    }
  }
  return failures;
}

/** @param share One trial in this many is tried when not all are. */
export function onWebGpu(trials: readonly Trial[], share: number): void {
  const tried = trials.filter((_, position) => everything || position % share === 0);
  const journal = openJournal(tried.length);
  for (const [place, trial] of tried.entries()) {
    test.runIf(place >= journal.from)(`${trial.name}: webgpu = reference`, async ({ skip }) => {
      if (onlyMissing && chosen.every((on) => trial.hasPassed?.(on))) return skip("ran before");
      if (!journal.begins(place)) return skip("another process goes on");
      const failures = await failuresOf(trial);
      if (!failures && everything) throw new Error("there is no driver of GPUs");
      if (!failures) return skip("no driver");
      journal.ends(place);
      if (failures.length > 0) throw new Error(failures.join("\n"));
    });
  }
}
