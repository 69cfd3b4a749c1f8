/**
 * Does a mask cost what its blocks cost? Attention of two heads of 64 on WebAssembly, one thread, processor time: without
 * a mask, causal, and with a causal window of 512. Blocks are counted while the kernel runs, in a copy with a counter.
 *
 *     node bench/attention/run.mjs [--lengths 1024,2048,4096,8192,16384] [--rounds 3] [--json]
 */
import { parseArgs } from "node:util";
import { compiler, least, program } from "../compiled.mjs";

const { values } = parseArgs({
  options: {
    lengths: { type: "string", default: "1024,2048,4096,8192,16384" },
    rounds: { type: "string", default: "15" },
    /** Without a mask, time grows with the square: longest length that is measured. */
    dense: { type: "string", default: "2048" },
    json: { type: "boolean", default: false },
  },
});
const lengths = values.lengths.split(",").map(Number);
const longest = Math.max(...lengths);
const { schedule, wasmRelaxed, Machine, instantiate, limitKernels, countVisits, visitCounter } = compiler;

const [H, C] = [2, 64];
let seed = 1;
const noise = (count) =>
  Float32Array.from({ length: count }, () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1);

const cases = [];
for (const [model, limit] of [
  ["Dense", Number(values.dense)],
  ["Full", Math.min(longest, 4096)],
  ["Windowed", longest],
]) {
  const graph = program(new URL("attention.moe", import.meta.url).pathname, { model });
  const plan = schedule(graph, wasmRelaxed, { limits: { T: limit, context: limit }, entries: ["forward"] });
  const inputs = Object.fromEntries(["q", "k", "v"].map((name) => [name, noise(limit * H * C)]));
  const machine = new Machine(plan, wasmRelaxed, "wasm");
  const counting = new Machine(countVisits(plan), wasmRelaxed, "wasm");
  machine.feed("forward", inputs);
  counting.feed("forward", inputs);
  for (const T of lengths) {
    if (T > limit) continue;
    counting.setInt(visitCounter, 0);
    counting.launchAll("forward", { T });
    cases.push({ model, T, blocks: counting.int(visitCounter), run: () => machine.launchAll("forward", { T }) });
  }
}
// What the machine can do at most, in the same turns.
const memory = new WebAssembly.Memory({ initial: 1 });
const limits = instantiate(limitKernels(), wasmRelaxed, memory);
const turns = 1e5;
const [peakTime, ...times] = least(Number(values.rounds), 20_000, [
  () => limits.peak(1024, turns, 0, 1),
  ...cases.map(({ run }) => run),
]);
const peak = (8 * 12 * turns) / peakTime / 1000;
/** Both products of a block: 32 rows, 64 keys. */
const blockOperations = 32 * 64 * C * 4;
const rows = cases.map(({ model, T, blocks }, index) => ({ model, T, blocks, milliseconds: times[index] / 1000 }));
const each = (row) => (row.milliseconds * 1000) / row.blocks;
const dense = Math.min(...rows.filter(({ model }) => model === "Dense").map(each));
if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  console.log("model     positions   blocks        ms   us/block   of dense   ms/position   of peak");
  for (const row of rows) {
    console.log(
      [
        row.model.padEnd(8),
        String(row.T).padStart(10),
        String(row.blocks).padStart(8),
        row.milliseconds.toFixed(1).padStart(9),
        each(row).toFixed(2).padStart(10),
        (each(row) / dense).toFixed(2).padStart(10),
        (row.milliseconds / row.T).toFixed(5).padStart(13),
        `${Math.round((blockOperations / each(row) / 1000 / peak) * 100)}%`.padStart(9),
      ].join(" "),
    );
  }
}
