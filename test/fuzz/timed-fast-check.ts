/**
 * fast-check with `assert` bounded by time instead of a number of runs, for `npm run fuzz`: every property of a test file
 * runs for MOEC_FUZZ_SECONDS from MOEC_FUZZ_SEED. What fails is written to MOEC_FUZZ_FOUND before it is thrown, and a line
 * per property goes to MOEC_FUZZ_REPORT.
 */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
// By its file: the name is an alias of this module while it runs.
import real, {
  type IAsyncProperty,
  type IAsyncPropertyWithHooks,
  type IProperty,
  type IPropertyWithHooks,
  type Parameters,
  type RunDetails,
} from "../../node_modules/fast-check/lib/fast-check.js";
import { expect } from "vitest";

export * from "../../node_modules/fast-check/lib/fast-check.js";

const seconds = Number(process.env["MOEC_FUZZ_SECONDS"] ?? 5);
const seed = Number(process.env["MOEC_FUZZ_SEED"] ?? 1);
const found = process.env["MOEC_FUZZ_FOUND"];
const report = process.env["MOEC_FUZZ_REPORT"];

type Property<T> = IAsyncProperty<T> | IAsyncPropertyWithHooks<T> | IProperty<T> | IPropertyWithHooks<T>;

function finish<T>(details: RunDetails<T>): void {
  const name = expect.getState().currentTestName ?? "a property";
  if (report) appendFileSync(report, `${JSON.stringify({ name, runs: details.numRuns, failed: details.failed })}\n`);
  if (!details.failed) return;
  const text = real.defaultReportMessage(details) ?? "failed";
  if (found) {
    mkdirSync(found, { recursive: true });
    const file = `${name.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}-${String(details.seed)}.txt`;
    const test = expect.getState().testPath ?? "";
    writeFileSync(join(found, file), `${test}\n${name}\n\n${text}\n\n${real.stringify(details.counterexample)}\n`);
  }
  throw new Error(text, { cause: details.errorInstance });
}

function assert<T>(property: Property<T>, params: Parameters<T> = {}): Promise<void> | void {
  const { path: _path, ...rest } = params;
  void _path;
  const timed = { ...rest, seed, numRuns: 10_000_000, interruptAfterTimeLimit: seconds * 1000 };
  const details = real.check(property as IProperty<T>, timed) as RunDetails<T> | Promise<RunDetails<T>>;
  return details instanceof Promise ? details.then(finish) : finish(details);
}

export { assert };
export default { ...real, assert };
