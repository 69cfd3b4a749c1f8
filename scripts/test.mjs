/**
 * `npm test`: sets a fresh clone up, then runs everything that must hold: types, linter, layout, and the test suite.
 * All of them run even when one fails; the last line says how many passed.
 *
 *   npm test                   everything
 *   npm test -- test/runtime   only these tests, without the other checks
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { checkNode, ensureBuild, ensurePackages, root } from "./setup.mjs";

checkNode();
ensurePackages();
ensureBuild();

const chosen = process.argv.slice(2);
const checks = [
  { name: "linter", args: ["node_modules/eslint/bin/eslint.js", "."] },
  { name: "types", args: ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit"] },
  { name: "layout", args: ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."] },
  { name: "generated files", args: ["scripts/generate-errors.mjs", "--check"] },
];

let passed = 0;
let failed = 0;

/**
 * Runs a check and shows what it said when it is over, so that checks side by side do not mix their lines.
 * @param {{ name: string, args: string[] }} check
 */
async function run({ name, args }) {
  const start = Date.now();
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {Buffer[]} */
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => said.push(piece));
  const [status] = await once(child, "close");
  process.stdout.write(Buffer.concat(said));
  console.log(`${status === 0 ? "ok  " : "FAIL"}  ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (status === 0) passed++;
  else failed++;
}

if (chosen.length === 0) {
  // Each has one thread, and the longest is first: with two cores the others are over when it is.
  const waiting = [...checks];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: Math.min(checks.length, availableParallelism()) }, worker));
}

const folder = mkdtempSync(join(tmpdir(), "moec-test-"));
try {
  const report = join(folder, "report.json");
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json"];
  const { status } = spawnSync(process.execPath, [...vitest, `--outputFile.json=${report}`, ...chosen], {
    cwd: root,
    stdio: "inherit",
  });
  const counts = readCounts(report);
  passed += counts.passed;
  failed += counts.failed;
  // A suite that could not even be loaded has no test that failed.
  if (status !== 0 && counts.failed === 0) failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} file @returns {{ passed: number, failed: number }} */
function readCounts(file) {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(file, "utf8"));
    return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0) };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
