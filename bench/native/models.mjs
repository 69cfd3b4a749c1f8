/**
 * A whole model beside llama.cpp: prefill of 128 and 512 tokens and decode behind 128, both engines by turns in one run.
 * Shown are tokens per second by wall time and the median of the quotients, and the same by processor time, which other
 * processes of a shared machine disturb less.
 *
 * Usage: node bench/native/models.mjs [--shape olmoe-small] [--type q4_0] [--threads 1,2] [--rounds 7] [--json]
 */
import { fork } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "olmoe-small" },
    type: { type: "string", default: "q4_0" },
    threads: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
  },
});
const { prepareModel, writeModel } = (await runnerImport(new URL("./model.ts", import.meta.url).pathname)).module;
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

const folder = join(tmpdir(), "moec-bench");
const file = join(folder, `${values.shape}-${values.type}.gguf`);
const peer = existsSync(new URL("../peers/node_modules/node-llama-cpp", import.meta.url));
if (!peer) console.log("without llama.cpp: `npm run peers:install` installs it");
if (peer && !existsSync(file)) {
  mkdirSync(folder, { recursive: true });
  await writeModel(values.shape, values.type, `${file}.part`);
  renameSync(`${file}.part`, file);
}

const tasks = [
  { name: "prefill 128", tokens: 128, past: 0 },
  { name: "prefill 512", tokens: 512, past: 0 },
  { name: "decode at 128", tokens: 1, past: 128, repeat: 16 },
];
const results = [];
for (const threads of values.threads.split(",").map(Number)) {
  const own = prepareModel(values.shape, values.type, threads);
  const child = peer ? fork(new URL("./llama.mjs", import.meta.url), [file, String(threads)]) : undefined;
  const answer = () => new Promise((resolve) => child.once("message", resolve));
  if (child) await answer();
  const ask = (message) => {
    const reply = answer();
    child.send(message);
    return reply;
  };
  for (const { name, tokens, past, repeat = 1 } of tasks) {
    const times = { moec: { wall: [], cpu: [] }, llama: { wall: [], cpu: [] } };
    for (let round = -1; round < Number(values.rounds); round++) {
      for (const engine of child ? ["moec", "llama"] : ["moec"]) {
        const sum = { wall: 0, cpu: 0 };
        for (let i = 0; i < repeat; i++) {
          const one = engine === "moec" ? own.call(tokens, past + i) : await ask({ tokens, past: past + i });
          sum.wall += one.wall;
          sum.cpu += one.cpu;
        }
        if (round < 0) continue; // warms up
        times[engine].wall.push(sum.wall);
        times[engine].cpu.push(sum.cpu);
      }
    }
    const rate = (list) => ((tokens * repeat) / median(list)) * 1000;
    const quotient = (of) => median(times.moec[of].map((time, i) => times.llama[of][i] / time));
    const one = { threads, name, moec: rate(times.moec.wall) };
    if (child)
      Object.assign(one, { llama: rate(times.llama.wall), ratio: quotient("wall"), cpuRatio: quotient("cpu") });
    results.push(one);
    if (values.json) continue;
    const peerText = child
      ? `, llama.cpp ${one.llama.toFixed(0)}: ${one.ratio.toFixed(2)} times (processor time ${one.cpuRatio.toFixed(2)} times)`
      : "";
    console.log(
      `${values.shape} ${values.type}, ${threads} threads, ${name}: ${one.moec.toFixed(0)} tokens/s${peerText}`,
    );
  }
  child?.kill();
}
if (values.json) console.log(JSON.stringify({ shape: values.shape, type: values.type, results }, null, 2));
process.exit(0);
