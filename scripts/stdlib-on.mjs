/**
 * Every declaration of the library on another target, in parts with a process each: software drivers of GPUs keep what
 * they compiled until the process ends. Writes which ones ran for `node scripts/generate-coverage.mjs`.
 *
 *   node scripts/stdlib-on.mjs webgpu|cuda
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

const PARTS = { webgpu: 8, cuda: 1 };
const [target] = process.argv.slice(2);
if (!(target in PARTS)) {
  console.error(`a target is missing: ${Object.keys(PARTS).join(" or ")}`);
  process.exit(2);
}
rmSync(join(root, `stdlib/coverage/ran/${target}.json`), { force: true });
let failed = false;
for (let part = 0; part < PARTS[target]; part++) {
  const { status } = spawnSync("npx", ["vitest", "run", "--config", `vitest.${target}.config.ts`], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, MOEC_PART: `${part}/${PARTS[target]}` },
    shell: process.platform === "win32",
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
