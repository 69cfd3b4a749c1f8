/**
 * What `moec run file.gguf --device native` costs before the first token: the first time, when the file is packed, and
 * the second time, when the bundle is in the page cache. Processor time of the command and its children, wall time, and
 * the most memory that was resident.
 *
 *     npm run build && node bench/loading/run.mjs file.gguf … [--device native]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { device: { type: "string", default: "native" } },
});
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
/** GNU time writes processor seconds and kilobytes to the file of -o. */
const time = "/usr/bin/time";

for (const file of positionals) {
  const cache = mkdtempSync(join(tmpdir(), "moec-loading-"));
  try {
    const gigabytes = statSync(file).size / 1e9;
    console.log(`${basename(file)}: ${gigabytes.toFixed(2)} GB`);
    for (const round of ["packed", "cached", "cached"]) {
      const report = join(cache, "time");
      const command = [process.execPath, main, "run", resolve(file), "--device", values.device];
      const from = performance.now();
      const { status, stderr } = spawnSync(
        time,
        ["-f", "%U %S %M", "-o", report, ...command, "--max-tokens", "1", "a"],
        { env: { ...process.env, XDG_CACHE_HOME: cache }, encoding: "utf8" },
      );
      const wall = (performance.now() - from) / 1000;
      if (status !== 0) throw new Error(stderr);
      const [user, system, resident] = execFileSync("tail", ["-1", report], { encoding: "utf8" })
        .split(" ")
        .map(Number);
      const cpu = user + system;
      console.log(
        `  ${round}  cpu ${cpu.toFixed(2)} s (${(cpu / gigabytes).toFixed(2)} s/GB)  wall ${wall.toFixed(2)} s  resident ${(resident / 1e3).toFixed(0)} MB`,
      );
    }
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
