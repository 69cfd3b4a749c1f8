/** Processes that load modules from the sources, wait until all are ready, and run at once. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface WaitingProcess<T> {
  readonly ready: Promise<void>;
  go(): void;
  /** What `run` gave. */
  readonly result: Promise<T>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

const program = (body: string): string => `
const fs = (await import("node:fs")).default;
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
process.stdout.write(JSON.stringify(await run()) + "\\n");
process.exit(0);
`;

/**
 * @param body Statements that define `run`, a function whose value is the result, as JSON. They may `await load(path)` a
 * module by its path in the repository.
 */
export function startWaiting<T>(body: string): WaitingProcess<T> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(body)], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  let isReady: () => void;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const result = new Promise<T>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      out += data.toString();
      if (out.startsWith("ready")) isReady();
    });
    child.on("close", (code, signal) => {
      isReady();
      if (code === 0) resolve(JSON.parse(out.slice("ready\n".length)) as T);
      else reject(new Error(`exit ${String(code ?? signal)}: ${err}`));
    });
  });
  return { ready, go: () => void child.stdin.write("go\n"), result };
}

/** Lets all go on at once when all are ready. */
export async function together<T>(processes: readonly WaitingProcess<T>[]): Promise<readonly T[]> {
  await Promise.all(processes.map(({ ready }) => ready));
  for (const one of processes) one.go();
  return Promise.all(processes.map(({ result }) => result));
}
