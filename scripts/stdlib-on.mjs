/**
 * Every declaration of the library on another target, in parts with a process each: a software driver of GPUs keeps what
 * it compiled until the process ends, 0.5 GB for the example alone. Writes which ones ran for
 * `node scripts/generate-coverage.mjs`.
 *
 *   node scripts/stdlib-on.mjs webgpu|cuda [--from part]
 *
 * `--from` goes on where a run was ended: the parts before are not run, and what they wrote is kept.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./setup.mjs";

/** Parts, and the lists of what ran. */
const TARGETS = {
  webgpu: { parts: 40, lists: ["webgpu-cpu", "webgpu-gpu"] },
  cuda: { parts: 1, lists: ["cuda"] },
};
const { values, positionals } = parseArgs({
  options: { from: { type: "string", default: "0" } },
  allowPositionals: true,
});
const [target] = positionals;
const from = Number(values.from);
if (!(target in TARGETS) || !Number.isInteger(from) || from < 0 || from >= TARGETS[target].parts) {
  console.error(`usage: node scripts/stdlib-on.mjs ${Object.keys(TARGETS).join("|")} [--from part]`);
  process.exit(2);
}
const { parts, lists } = TARGETS[target];
if (from === 0) for (const list of lists) rmSync(join(root, `stdlib/coverage/ran/${list}.json`), { force: true });
const failed = [];
for (let part = from; part < parts; part++) {
  console.log(`part ${part} of ${parts}`);
  const { status } = spawnSync("npx", ["vitest", "run", "--config", `vitest.${target}.config.ts`], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, MOEC_PART: `${part}/${parts}` },
    shell: process.platform === "win32",
  });
  if (status !== 0) failed.push(part);
}
if (failed.length > 0) console.error(`parts that failed: ${failed.join(", ")}`);
process.exit(failed.length > 0 ? 1 : 0);
