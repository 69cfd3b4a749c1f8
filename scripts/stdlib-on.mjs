/**
 * Every declaration of the library on another target, or every example. Writes which declarations ran for
 * `node scripts/generate-coverage.mjs`.
 *
 *   node scripts/stdlib-on.mjs webgpu|cuda|examples [--missing] [--from place] [--driver cpu|gpu]
 *
 * A software driver of GPUs keeps what it compiled until the process ends, so a process that has grown large hands over
 * to the next one, and one that the driver ends costs what it was at. `--missing` goes on where a run was ended:
 * what is written down is kept and not run again; `--from` begins at a place. `--driver` runs one kind of launches only.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./setup.mjs";

/** Tests, and the lists of what ran. */
const RUNS = {
  webgpu: { config: "webgpu", file: "test/stdlib/webgpu.test.ts", lists: { cpu: "webgpu-cpu", gpu: "webgpu-gpu" } },
  examples: { config: "webgpu", file: "test/webgpu/examples.test.ts", lists: {} },
  cuda: { config: "cuda", file: "test/stdlib/wasm.test.ts", lists: { gpu: "cuda" } },
};
const { values, positionals } = parseArgs({
  options: { from: { type: "string", default: "0" }, driver: { type: "string" }, missing: { type: "boolean" } },
  allowPositionals: true,
});
const [target] = positionals;
const { driver, missing } = values;
let from = Number(values.from);
if (!(target in RUNS) || !Number.isInteger(from) || from < 0 || !["cpu", "gpu", undefined].includes(driver)) {
  console.error(
    `usage: node scripts/stdlib-on.mjs ${Object.keys(RUNS).join("|")} [--missing] [--from place] [--driver cpu|gpu]`,
  );
  process.exit(2);
}
const { config, file, lists } = RUNS[target];
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
    env: { ...process.env, MOEC_FROM: String(place), MOEC_JOURNAL: journal, ...(driver && { MOEC_DRIVER: driver }) },
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
let failed = false;
for (let count = 1; ;) {
  const found = runFrom(from, join(folder, "journal"));
  failed ||= found.status !== 0;
  // Without a journal one process has done everything; one that began nothing will not begin the next time either.
  if (found.last === undefined) break;
  open.push(...found.open);
  ({ count } = found);
  from = found.last + 1;
  if (from >= count) break;
  console.log(`next: ${from} of ${count}`);
}
rmSync(folder, { recursive: true });
if (open.length > 0) console.error(`places of what did not come to an end: ${open.join(", ")}`);
process.exit(failed || open.length > 0 ? 1 : 0);
