/**
 * Whole models beside llama.cpp: prefill of 128 and 512 tokens, and decode behind contexts of several lengths, both
 * engines by turns in one run, with the read rate of memory measured between them. Shown are tokens per second by wall
 * time and the median of the quotients, and the same by processor time, which other processes of a shared machine
 * disturb less.
 *
 * Usage: node bench/native/models.mjs [--shapes olmoe-small] [--types q4_0] [--threads 1,2] [--rounds 7]
 *   [--prefill 128,512] [--decode 0,128,2048] [--cache f16] [--busy] [--json file]
 *
 * `--busy`: another process keeps one core busy all the while.
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { hasPeer, median } from "../engines.mjs";
import { ggufFile, sources } from "./files.mjs";

const { values } = parseArgs({
  options: {
    shapes: { type: "string", default: "olmoe-small" },
    types: { type: "string", default: "q4_0" },
    threads: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "7" },
    prefill: { type: "string", default: "128,512" },
    decode: { type: "string", default: "0,128,2048" },
    cache: { type: "string", default: "f32" },
    busy: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const list = (text) => text.split(",").filter(Boolean);
const peer = hasPeer("node-llama-cpp");
if (!peer) console.log("without llama.cpp: `npm run peers:install` installs it");
const { prepareLimits, target } = await sources("./product.ts");
if (!target) process.exit(0);
const { CONTEXT, prepareModel } = await sources("./model.ts");

const RING_BYTES = 512 * 2 ** 20;
const SLICE_BYTES = 64 * 2 ** 20;
const limits = prepareLimits(RING_BYTES);
/** Gigabytes a second of one thread, now. */
function readRate() {
  const start = performance.now();
  limits.read(SLICE_BYTES);
  return SLICE_BYTES / (performance.now() - start) / 1e6;
}

const tasks = [
  ...list(values.prefill).map((tokens) => ({ name: `prefill ${tokens}`, tokens: Number(tokens), past: 0, repeat: 1 })),
  ...list(values.decode).map((past) => ({ name: `decode at ${past}`, tokens: 1, past: Number(past), repeat: 16 })),
];

/** llama.cpp in a process of its own; `call` gives the milliseconds of one call. */
async function llama(file, threads) {
  const child = fork(new URL("./llama.mjs", import.meta.url), [file, String(threads), String(CONTEXT)]);
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`llama.cpp ended with code ${code}`);
  });
  const answer = async () => (await Promise.race([once(child, "message"), ended]))[0];
  await answer();
  return {
    call: async (tokens, past) => {
      const reply = answer();
      child.send({ tokens, past });
      return reply;
    },
    end: () => {
      ended.catch(() => undefined);
      child.kill();
    },
  };
}

/** Times of `rounds` turns of every engine, after one that warms up. */
async function alternate(engines, { tokens, past, repeat }) {
  const times = Object.fromEntries(Object.keys(engines).map((name) => [name, { wall: [], cpu: [] }]));
  const reads = [];
  for (let round = -1; round < Number(values.rounds); round++) {
    reads.push(readRate());
    for (const [name, engine] of Object.entries(engines)) {
      const sum = { wall: 0, cpu: 0 };
      for (let i = 0; i < repeat; i++) {
        const one = await engine.call(tokens, past + i);
        sum.wall += one.wall;
        sum.cpu += one.cpu;
      }
      if (round < 0) continue;
      times[name].wall.push(sum.wall);
      times[name].cpu.push(sum.cpu);
    }
  }
  return { times, read: median(reads) };
}

const results = [];
async function compare(shape, type, threads) {
  const own = prepareModel(shape, type, threads, values.cache);
  const theirs = peer ? await llama(await ggufFile(shape, type), threads) : undefined;
  for (const task of tasks) {
    const { times, read } = await alternate({ moec: own, ...(theirs ? { llama: theirs } : {}) }, task);
    const rate = (name) => ((task.tokens * task.repeat) / median(times[name].wall)) * 1000;
    const quotient = (of) => median(times.moec[of].map((time, i) => times.llama[of][i] / time));
    const one = { shape, type, threads, name: task.name, moec: rate("moec") };
    if (task.tokens === 1) Object.assign(one, { gigabytes: (one.moec * own.tokenBytes) / 1e9, read });
    if (theirs) Object.assign(one, { llama: rate("llama"), ratio: quotient("wall"), cpuRatio: quotient("cpu") });
    results.push(one);
    console.log(lineOf(one));
  }
  theirs?.end();
}

function lineOf({ shape, type, threads, name, moec, gigabytes, read, llama: peerRate, ratio, cpuRatio }) {
  const what = `${shape} ${type}, ${threads} thread${threads > 1 ? "s" : ""}, ${name}: ${moec.toFixed(1)} tokens/s`;
  const bytes =
    gigabytes === undefined
      ? ""
      : `, ${gigabytes.toFixed(1)} GB/s of weights (one thread reads ${read.toFixed(1)} at most)`;
  const beside =
    peerRate === undefined
      ? ""
      : `; llama.cpp ${peerRate.toFixed(1)}: ${ratio.toFixed(2)} times (processor time ${cpuRatio.toFixed(2)} times)`;
  return what + bytes + beside;
}

const foreign = values.busy ? spawn(process.execPath, ["-e", "for (;;);"]) : undefined;
process.on("exit", () => foreign?.kill());
if (values.busy) console.log("another process keeps one core busy:");
for (const shape of list(values.shapes)) {
  for (const type of list(values.types)) {
    for (const threads of list(values.threads)) await compare(shape, type, Number(threads));
  }
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.exit(0);
