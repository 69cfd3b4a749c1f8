/**
 * Every declaration of the library on another target, or every example. Writes which declarations ran for
 * `node scripts/generate-coverage.mjs`.
 *
 *   node scripts/stdlib-on.mjs webgpu|cuda|examples [--missing] [--from place] [--driver cpu|gpu]
 *
 * A software driver of GPUs keeps what it compiled until the process ends, so a process that has grown large hands over
 * to the next one, and one that the driver ends costs what it was at. `--missing` goes on where a run was ended:
 * what is written down is kept and not run again; `--from` begins at a place. `--driver` runs one kind of launches only.
 * Ends with code 2 when there was nothing to try.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./setup.mjs";

/** Tests, the lists of what ran, and the options that they use. */
const RUNS = {
  webgpu: {
    config: "webgpu",
    file: "test/stdlib/webgpu.test.ts",
    lists: { cpu: "webgpu-cpu", gpu: "webgpu-gpu" },
    uses: ["from", "driver", "missing"],
  },
  examples: { config: "webgpu", file: "test/webgpu/examples.test.ts", lists: {}, uses: ["from", "driver"] },
  cuda: { config: "cuda", file: "test/stdlib/wasm.test.ts", lists: { gpu: "cuda" }, uses: [] },
};
const { values, positionals } = parseArgs({
  options: { from: { type: "string" }, driver: { type: "string" }, missing: { type: "boolean" } },
  allowPositionals: true,
});
const [target] = positionals;
const { driver, missing } = values;
let from = Number(values.from ?? 0);
if (!(target in RUNS) || !Number.isInteger(from) || from < 0 || !["cpu", "gpu", undefined].includes(driver)) {
  console.error(
    `usage: node scripts/stdlib-on.mjs ${Object.keys(RUNS).join("|")} [--missing] [--from place] [--driver cpu|gpu]`,
  );
  process.exit(2);
}
const { config, file, lists, uses } = RUNS[target];
const unused = Object.keys(values).filter((name) => !uses.includes(name));
if (unused.length > 0) {
  console.error(`${target} has no use for ${unused.map((name) => `--${name}`).join(", ")}`);
  process.exit(2);
}
for (const [kind, list] of Object.entries(lists)) {
  if (missing || from > 0 || (driver ?? kind) !== kind) continue;
  rmSync(join(root, `stdlib/coverage/ran/${list}.json`), { force: true });
}

/** Runs a process from a place on; how far it came is nothing where the tests of a target keep no journal. */
function runFrom(place, journal) {
  rmSync(journal, { force: true });
  const { status } = spawnSync("npx", ["vitest", "run", "--config", `vitest.${config}.config.ts`, file], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      MOEC_FROM: String(place),
      MOEC_JOURNAL: journal,
      MOEC_MISSING: missing ? "1" : "0",
      ...(driver && { MOEC_DRIVER: driver }),
    },
    shell: process.platform === "win32",
  });
  let text;
  try {
    text = readFileSync(journal, "utf8");
  } catch {
    return { status };
  }
  const lines = text.trim().split("\n");
  const all = (word) => lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.split(" ")[1]));
  const ended = new Set(all("end"));
  const begun = all("begin");
  return { status, count: all("count")[0], last: begun.at(-1), open: begun.filter((each) => !ended.has(each)) };
}

const folder = mkdtempSync(join(tmpdir(), "moec-library-"));
const open = [];
const first = from;
let failed = false;
let isEmpty = false;
for (let count = 1; ;) {
  const found = runFrom(from, join(folder, "journal"));
  failed ||= found.status !== 0;
  // Without a journal one process has done everything; one that began nothing will not begin the next time either.
  if (found.last === undefined) {
    isEmpty = from === first && found.count !== undefined;
    break;
  }
  open.push(...found.open);
  ({ count } = found);
  from = found.last + 1;
  if (from >= count) break;
  console.log(`next: ${from} of ${count}`);
}
rmSync(folder, { recursive: true });
if (open.length > 0) console.error(`places of what did not come to an end: ${open.join(", ")}`);
if (isEmpty) console.error(`nothing is left to try from place ${first} on`);
process.exit(failed || open.length > 0 ? 1 : isEmpty ? 2 : 0);
