/**
 * How long `moec check` takes on a file of 1,000 lines: files that the process has not seen (of make-files.mjs, after
 * as many others), the first check of a process, a check of the same text again, a check after one edit (other files
 * kept), and a check with one error. Beside the clock stands processor time: of the thread that checks, where the system
 * tells it, and of the whole process, with its garbage collector and its compiler. Needs `npm run build`.
 *
 *     node bench/check/run.mjs [--lines 1000] [--rounds 20]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { threadTime } from "../thread-time.mjs";
import { makeSpec } from "./make-spec.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const { values } = parseArgs({
  options: {
    lines: { type: "string", default: "1000" },
    rounds: { type: "string", default: "20" },
    cold: { type: "boolean", default: false },
    checker: { type: "string", default: join(root, "dist/compiler/1-check/index.js") },
  },
});
if (!existsSync(values.checker)) {
  console.error(`there is no ${values.checker}: npm run build`);
  process.exit(1);
}
const { check } = await import(pathToFileURL(values.checker).href);

const FILE = "bench.moe";
const hostOf = (text) => ({
  read: (file) =>
    file === FILE ? text : existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : undefined,
  resolve: (from, specifier) => (specifier === "std" ? "stdlib/std.moe" : join(dirname(from), specifier)),
});

/** Processor time beside the clock: on a machine that others use as well, the clock measures them too. */
function timed(run) {
  const processor = process.cpuUsage();
  const thread = threadTime();
  const before = performance.now();
  const project = run();
  const time = performance.now() - before;
  const { user, system } = process.cpuUsage(processor);
  return {
    time,
    thread: thread === undefined ? undefined : threadTime() - thread,
    processor: (user + system) / 1000,
    project,
  };
}

const text = makeSpec(Number(values.lines));
if (values.cold) {
  const { project, ...times } = timed(() => check(FILE, hostOf(text)));
  if (project.diagnostics.length > 0) throw new Error(project.diagnostics[0].message);
  console.log(JSON.stringify(times));
  process.exit(0);
}

/** The value that a share of the sorted ones does not exceed. */
const quantile = (times, share) => [...times].sort((a, b) => a - b)[Math.ceil(times.length * share) - 1];

function show(name, samples) {
  const cells = ["time", "thread", "processor"].flatMap((key) =>
    [0.5, 0.95].map((share) => {
      const times = samples.map((sample) => sample[key]);
      return (times.includes(undefined) ? "" : quantile(times, share).toFixed(1)).padStart(9);
    }),
  );
  console.log(`${name.padEnd(28)}${cells.join("")}${String(samples.length).padStart(9)}`);
}

const rounds = Number(values.rounds);
console.log(`${text.split("\n").length} lines; milliseconds; the bar is 50`);
const columns = ["median", "p95", "thread", "p95", "process", "p95", "rounds"];
console.log(`${"".padEnd(28)}${columns.map((name) => name.padStart(9)).join("")}`);

const maker = join(dirname(fileURLToPath(import.meta.url)), "make-files.mjs");
const files = JSON.parse(
  execFileSync(process.execPath, [maker, "--count", String(2 * rounds), "--lines", values.lines], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  }),
);
const unseen = files.map((file) => {
  const sample = timed(() => check(FILE, hostOf(file)));
  if (sample.project.diagnostics.length > 0) throw new Error(sample.project.diagnostics[0].message);
  return { ...sample, lines: file.split("\n").length };
});
const warm = unseen.slice(rounds);
show("files not seen before", warm);
const speeds = warm.map(({ lines, thread, time }) => lines / (thread ?? time));
console.log(`${"".padEnd(28)}${quantile(speeds, 0.5).toFixed(1).padStart(9)} lines a millisecond of the thread`);

const self = fileURLToPath(import.meta.url);
const cold = Array.from({ length: Math.min(rounds, 7) }, () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [self, "--cold", "--lines", values.lines, "--checker", values.checker],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
});
show("first check of a process", cold);

const repeat = (run) => Array.from({ length: rounds }, (_, round) => timed(() => run(round)));
show(
  "everything again",
  repeat(() => check(FILE, hostOf(text))),
);

let previous = check(FILE, hostOf(text));
const edit = (round) => {
  previous = check(FILE, hostOf(text.replace("number 0.", `number ${round}, edited.`)), { previous });
  return previous;
};
show("after an edit, imports kept", repeat(edit));

const wrong = text.replace("silu(x @ gate)", "slu(x @ gate)");
show(
  "with one misspelled name",
  repeat(() => check(FILE, hostOf(wrong))),
);
