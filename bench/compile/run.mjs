/**
 * How long a model takes from text to WebAssembly, stage by stage, in processor time: check, graph, passes, schedule
 * (entry by entry, and the memory plan), and the module; then all of it, how much of that the compiling thread has had,
 * where the system tells (the rest is V8's own threads beside it), and the wall. Every `.moe` file of the examples, or
 * those that are named, by the compiler in `dist/`, so after `npm run build`.
 *
 * With `--cold` each file has a process of its own, as a command has it: `wall` is then from its start to its end, and
 * `process` all of its processor time, with reading the compiler, and `MiB` the most memory that it had. The bar is
 * 2000 ms of wall without weights on two cores that nobody else uses; the load of the machine is printed below.
 *
 *     node bench/compile/run.mjs [file.moe …] [--cold] [--tokens 256] [--context 2048] [--quantization f32] [--json]
 *
 * Four of the examples have layers with more f32 numbers than kernels count (MOE3305): `--quantization q8_0` times those.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { loadavg } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { processor, threadTime } from "../thread-time.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tokens: { type: "string", default: "256" },
    context: { type: "string", default: "2048" },
    quantization: { type: "string", default: "f32" },
    json: { type: "boolean", default: false },
    cold: { type: "boolean", default: false },
  },
});
const files = positionals.length > 0 ? positionals.map((file) => relative(root, resolve(file))) : examples();

function examples() {
  return readdirSync(join(root, "examples"), { recursive: true })
    .filter((file) => file.endsWith(".moe"))
    .map((file) => join("examples", file));
}

/** The row of another process for one file. */
function coldRow(file) {
  const begun = performance.now();
  const limits = ["--tokens", values.tokens, "--context", values.context];
  const args = ["--json", ...limits, "--quantization", values.quantization];
  const text = execFileSync(process.execPath, [fileURLToPath(import.meta.url), join(root, file), ...args], {
    encoding: "utf8",
  });
  return { ...JSON.parse(text)[0], wall: performance.now() - begun };
}

/** Processes that only start others don't read it. */
const { check, buildProgram, deriveLastToken, optimize, schedule, emitWasm, wasmRelaxed } = values.cold
  ? {}
  : await import("../../dist/compiler/index.js");
const { diskHost } = values.cold ? {} : await import("../../dist/cli/source-host.js");
const { storageOf } = values.cold ? {} : await import("../../dist/cli/storage-choice.js");
const host = diskHost?.(root);

// Published sizes are larger than a WebAssembly memory; the time to compile them is asked all the same.
const target = { ...wasmRelaxed, memoryBytes: Number.MAX_SAFE_INTEGER };
const stages = ["check", "graph", "optimize", "schedule", "emit"];
const rows = values.cold ? files.map(coldRow) : [];
for (const file of values.cold ? [] : files) {
  const row = { file: relative("examples", file), lowering: {} };
  const begun = threadTime();
  const from = performance.now();
  const stage = (name, run) => {
    const from = processor();
    const result = run();
    row[name] = (processor() - from) / 1000;
    return result;
  };
  try {
    const project = stage("check", () => check(file, host));
    const built = stage("graph", () => deriveLastToken(buildProgram(project, {})));
    const program = stage("optimize", () => optimize(built));
    const limits = { T: Number(values.tokens), context: Number(values.context) };
    const storage = storageOf(program, values.quantization);
    let open;
    const close = () => open && (row.lowering[open.name] = (processor() - open.from) / 1000);
    const onStage = (name) => {
      close();
      open = { name, from: processor() };
    };
    const { kernels } = stage("schedule", () => schedule(program, target, { limits, storage, onStage }));
    close();
    row.kernels = kernels.length;
    row.bytes = stage("emit", () => emitWasm(kernels, target)).length;
    if (begun !== undefined) row.thread = threadTime() - begun;
    row.wall = performance.now() - from;
    row.process = processor() / 1000;
    row.MiB = process.resourceUsage().maxRSS / 1024;
  } catch (error) {
    row.error = `${error.code ?? ""} ${error.message}`.trim();
  }
  rows.push(row);
}
if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  // The processor time of a process that had one file is that file's.
  const columns = [...stages, "all", "thread", "wall", ...(values.cold ? ["process", "MiB"] : [])];
  const width = Math.max(...rows.map(({ file }) => file.length));
  console.log(`${"milliseconds".padEnd(width)} ${columns.map((name) => name.padStart(9)).join("")}  kernels    bytes`);
  for (const row of rows) {
    const all = stages.reduce((sum, name) => sum + (row[name] ?? 0), 0);
    const times = columns.map((name) => ((name === "all" ? all : row[name])?.toFixed(0) ?? "").padStart(9)).join("");
    const end = row.error ?? `${String(row.kernels).padStart(7)} ${String(row.bytes).padStart(8)}`;
    console.log(`${row.file.padEnd(width)} ${times}  ${end}`);
  }
  console.log(`\nProcesses that waited for a core in the last minute, on average: ${loadavg()[0].toFixed(1)}.`);
  if (!values.cold) console.log("The first file pays for the warming up of the compiler itself.");
}
