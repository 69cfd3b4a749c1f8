/** A process that is allowed few addresses (`ulimit -v`), and a cache on a disk that is full: a code or a warning, no crash. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { hasNative } from "../support/native.js";

const root = mkdtempSync(join(tmpdir(), "moec-little-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/**
 * What a program prints behind a line of shell, with a file of `runtime/native` as `module`.
 *
 * @param within A command that runs the shell.
 */
function afterShell(line: string, file: string, program: string, within: readonly string[] = []) {
  const text = `
    const { runnerImport } = await import("vite");
    const { module } = await runnerImport(${JSON.stringify(path(`runtime/native/${file}`))});
    ${program}
    process.exit(0);`;
  const all = [...within, "sh", "-c", `${line} && exec "$0" --input-type=module -e "$1"`, process.execPath, text];
  return spawnSync(all[0]!, all.slice(1), { cwd: path(""), encoding: "utf8" });
}

/** Kilobytes: Node itself wants some of them, a space of 64 GB is beyond. */
const FEW_ADDRESSES = 48 * 2 ** 20;

it.runIf(hasNative)("refuses memory beyond the limit of the process, and goes on", () => {
  const { stdout, stderr } = afterShell(
    `ulimit -v ${FEW_ADDRESSES}`,
    "mapping.ts",
    `
    try {
      module.Mapping.memory(2 ** 36, "caches");
    } catch (error) {
      process.stdout.write(error.code + " " + error.message + "\\n");
    }
    module.Mapping.memory(2 ** 20, "caches").free();
    process.stdout.write("went on");`,
  );
  expect(stdout, stderr).toMatch(/^MOE4205 .*caches.*ENOMEM[^]*went on$/);
});

/** A disk of 64 kilobytes that only the process sees. */
const disk = join(root, "disk");
mkdirSync(disk);
const mounted = `mount -t tmpfs -o size=64k none ${disk}`;
const canMount = spawnSync("unshare", ["-rm", "sh", "-c", mounted]).status === 0;
if (!canMount) console.warn("skipped: no disk of its own for a process here (unshare, tmpfs)");

it.runIf(canMount)("warns that the disk of the cache is full, and leaves nothing half-written", () => {
  const program = `
    const { readdirSync } = await import("node:fs");
    const warnings = [];
    const cache = new module.Cache("kind", (message) => warnings.push(message), ${JSON.stringify(disk)});
    cache.write("small", new Uint8Array(100));
    cache.write("large", new Uint8Array(2 ** 20));
    const found = { warnings, small: cache.read("small")?.length, large: cache.read("large")?.length };
    process.stdout.write(JSON.stringify({ ...found, files: readdirSync(${JSON.stringify(join(disk, "kind"))}) }));`;
  const { stdout, stderr } = afterShell(mounted, "cache.ts", program, ["unshare", "-rm"]);
  expect(stdout, stderr).not.toBe("");
  expect(JSON.parse(stdout)).toEqual({
    warnings: [expect.stringContaining("ENOSPC") as string],
    small: 100,
    files: ["small"],
  });
  expect(readdirSync(disk)).toEqual([]);
});
