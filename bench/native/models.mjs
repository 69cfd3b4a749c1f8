/**
 * Whole models beside llama.cpp: prefill of 128 and 512 tokens, and decode behind contexts of several lengths, of one
 * text and of eight side by side, both engines by turns in one run, with the limits of the machine measured between them.
 * Shown are tokens per second by wall time and the median of the quotients, the same by processor time, which other
 * processes of a shared machine disturb less, and how near to the limit we are: bytes of weights a second against reads
 * by as many threads (decode of one text), operations against the peak of byte products (prefill of q4_0 and q8_0).
 *
 * Usage: [UV_THREADPOOL_SIZE=8] node bench/native/models.mjs [--shapes olmoe-small] [--types q4_0] [--threads 1,2] [--rounds 7]
 *   [--prefill 128,512] [--decode 0,128,2048] [--batch 1,8] [--cache f16] [--busy] [--seconds 600] [--json file]
 *
 * `--shapes`: models of `shapes.ts`, such as `olmoe-tiny` to see that everything runs. More than four threads need
 * UV_THREADPOOL_SIZE, as many at least: the limits of the machine are measured with it.
 *
 * `--busy`: another process keeps one core busy all the while. `--batch`: texts of a decode step; eight of them only
 * behind contexts of up to `--batch-decode` tokens (128), because every text must be read in first. When `--seconds` are
 * over, no further round begins, and what was not measured is said.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { hasPeer, median } from "../engines.mjs";
import { Budget } from "./budget.mjs";
import { chosenModels, ggufFile, sources } from "./files.mjs";
import { writeResults } from "./results.mjs";

const { values } = parseArgs({
  options: {
    shapes: { type: "string", default: "olmoe-small" },
    types: { type: "string", default: "q4_0" },
    threads: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "7" },
    prefill: { type: "string", default: "128,512" },
    decode: { type: "string", default: "0,128,2048" },
    batch: { type: "string", default: "1,8" },
    "batch-decode": { type: "string", default: "128" },
    cache: { type: "string", default: "f32" },
    busy: { type: "boolean", default: false },
    seconds: { type: "string", default: "Infinity" },
    json: { type: "string" },
  },
});
const list = (text) => text.split(",").filter(Boolean);
const { shapes, types } = await chosenModels(values);
const peer = hasPeer("node-llama-cpp");
if (!peer) console.log("without llama.cpp: `npm run peers:install` installs it");
const { target } = await sources("./product.ts");
if (!target) process.exit(0);
const { prepareModel } = await sources("./model.ts");
const { prepareMachine } = await sources("./machine.ts");

/** Steps of a round of decode. */
const STEPS = 16;
const tasks = [
  ...list(values.prefill).map((tokens) => ({
    name: `prefill ${tokens}`,
    ...{ tokens: Number(tokens), past: 0, texts: 1, repeat: 1 },
  })),
  ...list(values.batch)
    .map(Number)
    .flatMap((texts) =>
      list(values.decode)
        .map(Number)
        .filter((past) => texts === 1 || past <= Number(values["batch-decode"]))
        .map((past) => ({
          name: `decode at ${past}${texts > 1 ? ` of ${texts} texts` : ""}`,
          ...{ tokens: 1, past, texts, repeat: STEPS },
        })),
    ),
];
const context = Math.max(512, ...tasks.map(({ past, tokens, repeat }) => past + tokens * repeat)) + 16;
const texts = Math.max(1, ...tasks.map((task) => task.texts));

/** llama.cpp in a process of its own; `call` gives the milliseconds of one call. */
async function llama(file, threads) {
  const child = fork(new URL("./llama.mjs", import.meta.url), [file, ...[threads, context, texts].map(String)]);
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`llama.cpp ended with code ${code}`);
  });
  const answer = async () => (await Promise.race([once(child, "message"), ended]))[0];
  await answer();
  return {
    call: async (task) => {
      const reply = answer();
      child.send(task);
      return reply;
    },
    end: () => {
      ended.catch(() => undefined);
      child.kill();
    },
  };
}

/** Which limit of the machine a task comes up to. */
const limitOf = ({ tokens }) => (tokens === 1 ? "read" : "bytes");

/** Times of turns of every engine, after one that warms up, until the rounds or the seconds are over. */
async function alternate(engines, machine, task, seconds) {
  const times = Object.fromEntries(Object.keys(engines).map((name) => [name, { wall: [], cpu: [] }]));
  const limits = [];
  if (limitOf(task) === "read") await machine.warm();
  const start = performance.now();
  for (let round = -1; round < Number(values.rounds); round++) {
    if (round > 0 && performance.now() - start > 1000 * seconds) break;
    limits.push(await machine.rate(limitOf(task)));
    for (const [name, engine] of Object.entries(engines)) {
      const sum = { wall: 0, cpu: 0 };
      for (let i = 0; i < task.repeat; i++) {
        const { tokens, past } = task;
        const one = await engine.call({ texts: task.texts, tokens, past: past + i });
        sum.wall += one.wall;
        sum.cpu += one.cpu;
      }
      if (round < 0) continue;
      times[name].wall.push(sum.wall);
      times[name].cpu.push(sum.cpu);
    }
  }
  return { times, limits };
}

const results = [];
const keep = (one) => {
  results.push(one);
  console.log(lineOf(one));
  if (values.json) writeResults(values.json, results);
};

async function compare(shape, type, threads) {
  const about = ({ name }) => ({ shape, type, threads, cache: values.cache, busy: values.busy, name });
  const leaveOut = (task) => {
    budget.next();
    keep({ ...about(task), missing: "the time was over" });
  };
  if (budget.left <= 0) {
    tasks.forEach(leaveOut);
    return;
  }
  const file = peer ? await ggufFile(shape, type) : undefined;
  const machine = prepareMachine(threads);
  const own = prepareModel(shape, type, { threads, cache: values.cache, context, texts });
  const theirs = file === undefined ? undefined : await llama(file, threads);
  for (const task of tasks) {
    if (budget.left <= 0) {
      leaveOut(task);
      continue;
    }
    const what = about(task);
    process.stderr.write(`${nameOf(what)} …\n`);
    const engines = { moec: own, ...(theirs ? { llama: theirs } : {}) };
    const { times, limits } = await alternate(engines, machine, task, budget.next());
    const count = task.texts * task.tokens * task.repeat;
    const rates = (name) => times[name].wall.map((time) => (count / time) * 1000);
    const quotient = (of) => median(times.moec[of].map((time, i) => times.llama[of][i] / time));
    const one = { ...what, rounds: times.moec.wall.length, moec: median(rates("moec")) };
    // The limit before and after a round: the higher one is what the machine could do meanwhile.
    const shares = (work) =>
      median(rates("moec").map((rate, i) => (rate * work) / 1e9 / Math.max(limits[i + 1], limits[i + 2] ?? 0)));
    if (task.tokens > 1) {
      if (type === "q4_0" || type === "q8_0") {
        Object.assign(one, { of: "byte products", share: shares(own.tokenOperations), limit: median(limits) });
      }
    } else if (task.texts === 1) {
      Object.assign(one, { of: "reads", share: shares(own.tokenBytes), limit: median(limits) });
    }
    if (theirs) {
      const llamaRate = median(rates("llama"));
      Object.assign(one, { llama: llamaRate, ratio: quotient("wall"), cpuRatio: quotient("cpu") });
    }
    keep(one);
  }
  theirs?.end();
  own.dispose();
}

const nameOf = ({ shape, type, threads, name }) =>
  `${shape} ${type}, ${threads} thread${threads > 1 ? "s" : ""}, ${name}`;

function lineOf(one) {
  const { missing, moec, of, share, limit, llama: peerRate, ratio, cpuRatio } = one;
  if (missing) return `${nameOf(one)}: not measured (${missing})`;
  const near =
    of === undefined
      ? ""
      : `, ${(100 * share).toFixed(0)}% of ${of} (${limit.toFixed(1)} ${of === "reads" ? "GB/s" : "GOP/s"})`;
  const beside =
    peerRate === undefined
      ? ""
      : `; llama.cpp ${peerRate.toFixed(1)}: ${ratio.toFixed(2)} times (processor time ${cpuRatio.toFixed(2)} times)`;
  return `${nameOf(one)}: ${moec.toFixed(1)} tokens/s${near}${beside}`;
}

if (values.busy) {
  fork(new URL("./neighbour.mjs", import.meta.url));
  console.log("another process keeps one core busy:");
}
const cases = shapes.flatMap((shape) =>
  types.flatMap((type) => list(values.threads).map((threads) => [shape, type, Number(threads)])),
);
const budget = new Budget(
  Number(values.seconds),
  cases.flatMap(() => tasks.map(() => 1)),
);
for (const [shape, type, threads] of cases) await compare(shape, type, threads);
process.exit(0);
