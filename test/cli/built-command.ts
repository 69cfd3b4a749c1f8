/** The command as `npm run build` makes it, in a folder of its own, run as a process. */
import { spawnSync, type SpawnSyncOptions } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildCli } from "../../scripts/build-cli.mjs";

export interface Ended {
  readonly out: string;
  readonly err: string;
  readonly status: number | null;
}

export interface BuiltCommand {
  readonly home: string;
  /** Where it keeps its cache unless a run says otherwise. */
  readonly cache: string;
  readonly main: string;
  /** Runs a command line in `home`. */
  run(args: readonly string[], env?: Record<string, string | undefined>, options?: SpawnSyncOptions): Ended;
  /** Runs a line of shell in which `"$@"` is the command line. */
  shell(line: string, args: readonly string[], env?: Record<string, string | undefined>): Ended;
  remove(): void;
}

/** @param name Of the folder: it may have any characters. */
export async function builtCommand(name: string): Promise<BuiltCommand> {
  const home = mkdtempSync(join(tmpdir(), name));
  // Other users run it, too.
  chmodSync(home, 0o755);
  mkdirSync(join(home, "dist/cli"), { recursive: true });
  cpSync("package.json", join(home, "package.json"));
  for (const link of ["stdlib", "node_modules"]) symlinkSync(resolve(link), join(home, link));
  await buildCli(join(home, "dist/cli"));
  const main = join(home, "dist/cli/main.js");
  const cache = join(home, "cache");
  const spawned: BuiltCommand["run"] = ([program = "", ...args], env = {}, options = {}) => {
    const all = { ...process.env, MOEC_CACHE: cache, NODE_DISABLE_COMPILE_CACHE: "", ...env };
    const set = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    // Nothing here takes seconds; what waits for ever is ended.
    const kept = { cwd: home, timeout: 50_000, ...options, env: set, encoding: "utf8" } as const;
    const { stdout, stderr, status } = spawnSync(program, args, kept);
    return { out: stdout, err: stderr, status };
  };
  return {
    home,
    cache,
    main,
    run: (args, env, options) => spawned([process.execPath, main, ...args], env, options),
    shell: (line, args, env) => spawned(["sh", "-c", line, "sh", process.execPath, main, ...args], env),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
