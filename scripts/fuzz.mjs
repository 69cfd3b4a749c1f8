/**
 * `npm run fuzz -- --minutes 20`: all fuzzers in turn, each property for a few seconds from a new seed, until the time is
 * over. A failure prints its seed and is kept with its smallest input in `test/fuzz/found/`; the others go on.
 *
 *   npm run fuzz -- --minutes 20
 *   npm run fuzz -- --minutes 5 --only test/grammar/fuzz.test.ts
 *   npm run fuzz -- --seed 7 --only test/fuzz/check.test.ts     one round from that seed
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./setup.mjs";

const FUZZERS = [
  "test/grammar/fuzz.test.ts",
  "test/grammar/print.test.ts",
  "test/fuzz/check.test.ts",
  "test/fuzz/project-file.test.ts",
  "test/check/cascade.test.ts",
  "test/check/incremental.test.ts",
  "test/editor/edits.test.ts",
  "test/checkpoints/fuzz.test.ts",
  "test/tokenizer/validate.test.ts",
  "test/import/fuzz.test.ts",
  "test/bundle/damage.test.ts",
  "test/optimize/random.test.ts",
  "test/optimize/masks.test.ts",
  "test/emit/wasm-random.test.ts",
];

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seconds: { type: "string", default: "10" },
    seed: { type: "string" },
    only: { type: "string", multiple: true },
  },
});
const files = values.only ?? FUZZERS;
for (const file of files) {
  if (!existsSync(join(root, file))) {
    console.error(`there is no ${file}`);
    process.exit(2);
  }
}

const end = Date.now() + Number(values.minutes) * 60_000;
const folder = mkdtempSync(join(tmpdir(), "moec-fuzz-"));
const found = join(root, "test/fuzz/found");
let failures = 0;
let runs = 0;
let seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));

try {
  do {
    for (const file of files) {
      if (Date.now() > end) break;
      round(file, seed);
    }
    seed = (seed + 1) % 2 ** 31;
  } while (values.seed === undefined && Date.now() < end);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${runs} runs, ${failures} failures${failures > 0 ? `: see ${found}` : ""}`);
process.exitCode = failures === 0 ? 0 : 1;

/** One fuzzer from one seed. @param {string} file @param {number} seed */
function round(file, seed) {
  const report = join(folder, "report.jsonl");
  rmSync(report, { force: true });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.fuzz.config.ts", file],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      env: {
        ...process.env,
        MOEC_FUZZ_SECONDS: values.seconds,
        MOEC_FUZZ_SEED: String(seed),
        MOEC_FUZZ_FOUND: found,
        MOEC_FUZZ_REPORT: report,
      },
    },
  );
  const lines = existsSync(report) ? readFileSync(report, "utf8").trim().split("\n") : [];
  const results = lines.map((line) => JSON.parse(line));
  const count = results.reduce((sum, result) => sum + result.runs, 0);
  runs += count;
  // What a test says of its whole slice, such as how often both ways were taken, holds for its usual number of runs only.
  const failed = results.length === 0 ? status !== 0 : results.some((result) => result.failed);
  const word = failed ? "FAIL" : "ok  ";
  console.log(`${word}  ${file}  seed ${seed}  ${results.length} properties, ${count} runs`);
  if (!failed) return;
  failures++;
  console.log(`${stdout}${stderr}`.split("\n").slice(-80).join("\n"));
}
