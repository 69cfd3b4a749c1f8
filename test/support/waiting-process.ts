/** Processes that load modules from the sources, wait until all are ready, run at once, and may be killed at a chosen call. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Ends a process in the first call of a function of `node:fs` for a file whose path holds the word. */
export interface Kill {
  readonly call: "writeFileSync" | "writeSync" | "renameSync";
  readonly word: string;
}

export interface WaitingProcess<T> {
  readonly ready: Promise<void>;
  go(): void;
  /** What `run` gave; undefined when the process was killed. */
  readonly result: Promise<T | undefined>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

const program = (body: string, kill?: Kill): string => `
const fs = (await import("node:fs")).default;
const { syncBuiltinESMExports } = await import("node:module");
const { bundler } = await import(${JSON.stringify(new URL("../../scripts/bundler.mjs", import.meta.url).href)});
// One file beside the packages, with all that is imported later: the bundler is through when \`run\` begins.
const load = async (path) => {
  const folder = fs.mkdtempSync("node_modules/.moec-process-");
  const outfile = fs.realpathSync(folder) + "/module.mjs";
  try {
    const { build } = await bundler();
    await build({ entryPoints: [path], outfile, bundle: true, platform: "node", format: "esm", target: "node20", packages: "external", logLevel: "error" });
    return await import(outfile);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};
${body}
process.stdout.write("ready\\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
const kill = ${JSON.stringify(kill ?? null)};
if (kill) {
  const original = fs[kill.call];
  fs[kill.call] = (first, ...rest) => {
    const path = typeof first === "number" ? fs.readlinkSync("/proc/self/fd/" + first) : String(first);
    if (!path.includes(kill.word)) return original(first, ...rest);
    // Half of what it writes gets there.
    if (kill.call !== "renameSync") original(first, rest[0].subarray(0, rest[0].length >> 1));
    process.kill(process.pid, "SIGKILL");
    // The call may return before the process is gone.
    for (;;);
  };
  syncBuiltinESMExports();
}
process.stdout.write(JSON.stringify(await run()) + "\\n");
process.exit(0);
`;

/**
 * @param body Statements that define `run`, a function whose value is the result, as JSON. They may `await load(path)` a
 * module by its path in the repository.
 */
export function startWaiting<T>(body: string, kill?: Kill): WaitingProcess<T> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(body, kill)], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  let isReady: () => void;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const result = new Promise<T | undefined>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      out += data.toString();
      if (out.startsWith("ready")) isReady();
    });
    child.on("close", (code, signal) => {
      isReady();
      if (signal === "SIGKILL" && kill) resolve(undefined);
      else if (code === 0) resolve(JSON.parse(out.slice("ready\n".length)) as T);
      else reject(new Error(`exit ${String(code ?? signal)}: ${err}`));
    });
  });
  return { ready, go: () => void child.stdin.write("go\n"), result };
}

/** Lets all go on at once when all are ready. */
export async function together<T>(processes: readonly WaitingProcess<T>[]): Promise<readonly (T | undefined)[]> {
  await Promise.all(processes.map(({ ready }) => ready));
  for (const one of processes) one.go();
  return Promise.all(processes.map(({ result }) => result));
}
