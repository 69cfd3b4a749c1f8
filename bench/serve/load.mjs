/**
 * `node bench/serve/load.mjs [--seconds 60] [--connections 64] [--windows 1]`: requests to a server with the example model
 * from many connections at once. Every tenth client goes away in the middle. Says how many were answered, lost, refused,
 * how fast, how long an abandoned text went on, and how the memory of the server grew: after a fifth of the time to warm
 * up and after each window all garbage is collected, so that what is left lives.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request, Agent } from "node:http";
import { clearInterval, setInterval } from "node:timers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    connections: { type: "string", default: "64" },
    windows: { type: "string", default: "1" },
    device: { type: "string", default: "wasm" },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const root = fileURLToPath(new URL("../../", import.meta.url));
const args = ["dist/cli/main.js", "serve", "examples/tiny-moe", "--port", "0", "--json", "--device", values.device];
const hook = new URL("./collections.mjs", import.meta.url).href;
const stdio = ["ignore", "pipe", "inherit", "ipc"];
const server = spawn(process.execPath, ["--expose-gc", "--import", hook, ...args], { cwd: root, stdio });
let text = "";
for await (const piece of server.stdout) {
  text += piece;
  if (text.trimEnd().endsWith("}")) break;
}
const { url } = JSON.parse(text);
function ask(agent, body, leaveAfter) {
  return new Promise((resolve) => {
    const begun = performance.now();
    const options = { method: "POST", agent, headers: { "content-type": "application/json" } };
    const sent = request(`${url}/v1/completions`, options, (response) => {
      let bytes = 0;
      let last = "";
      response.on("data", (piece) => {
        bytes += piece.length;
        last = piece.toString();
        if (leaveAfter !== undefined && bytes > leaveAfter) sent.destroy();
      });
      response.on("end", () => {
        const isWhole = body.stream ? last.includes("[DONE]") : last.includes("usage");
        resolve({ status: response.statusCode, isWhole, milliseconds: performance.now() - begun });
      });
      response.on("error", () => resolve({ left: true }));
    });
    sent.on("error", (error) => resolve({ left: leaveAfter !== undefined, why: error.code ?? error.message }));
    sent.end(JSON.stringify(body));
  });
}

const metric = async (name) => {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
  return Number(
    lines
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")
      .at(-1),
  );
};

const count = { answered: 0, lost: 0, refused: 0, left: 0 };
/** Why requests were lost. */
const reasons = new Set();
const times = [];
let number = 0;

/** Keeps all connections busy for so long, and counts. */
async function load(milliseconds) {
  const end = performance.now() + milliseconds;
  // Connections of its own: the server has closed those that were idle while it was measured.
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const client = async () => {
    while (performance.now() < end) {
      const turn = number++;
      const leaves = turn % 10 === 0;
      const stream = leaves || turn % 2 === 0;
      const body = { prompt: `Chapter ${turn}. In the`, max_tokens: 16, temperature: 0.8, stream };
      const result = await ask(agent, body, leaves ? 300 : undefined);
      if (result.left) count.left++;
      else if (result.status === 429) count.refused++;
      else if (result.status === 200 && result.isWhole) {
        count.answered++;
        times.push(result.milliseconds);
      } else {
        count.lost++;
        reasons.add(result.why ?? `status ${result.status}`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
}

/** What the clients that left had begun must end within a step: milliseconds until no text is written. */
async function settled() {
  const idle = performance.now();
  while ((await metric("moec_texts_busy")) > 0 && performance.now() - idle < 5000);
  return performance.now() - idle;
}

const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
/** What lives in the server; the largest resident size of the window stands beside it. */
async function collected(peak) {
  server.send("collect");
  const [memory] = await once(server, "message");
  return { ...memory, peak };
}

const samples = [];
let settle = 0;
for (let window = 0; window <= Number(values.windows); window++) {
  let peak = 0;
  const watch = setInterval(
    () => void metric("process_resident_memory_bytes").then((bytes) => (peak = Math.max(peak, bytes))),
    500,
  );
  await load(window === 0 ? 200 * seconds : 1000 * seconds);
  clearInterval(watch);
  settle = Math.max(settle, await settled());
  samples.push(await collected(peak));
}
times.sort((a, b) => a - b);
const part = (share) => Math.round(times[Math.floor(times.length * share)] ?? NaN);
const spent = seconds * (0.2 + Number(values.windows));
console.log(`${connections} connections, ${spent} s: ${JSON.stringify(count)} ${[...reasons].join(", ")}`.trimEnd());
console.log(`answers/s ${(count.answered / spent).toFixed(1)}, median ${part(0.5)} ms, p95 ${part(0.95)} ms`);
console.log(`all texts free ${Math.round(settle)} ms after the last client`);
const [warm] = samples;
const growth = (sample, name) => `${((sample[name] / warm[name] - 1) * 100).toFixed(1)}%`;
for (const [window, sample] of samples.entries()) {
  const { heapUsed, external, rss, peak } = sample;
  console.log(
    `${window === 0 ? "warmed up" : `window ${window}`}, all garbage collected: ${mebibytes(heapUsed)} MiB live in the heap, ` +
      `${mebibytes(external)} MiB outside of it, ${mebibytes(rss)} MiB resident (${growth(sample, "rss")}); ` +
      `at most ${mebibytes(peak)} MiB resident before`,
  );
}
server.kill("SIGTERM");
const [code] = await once(server, "exit");
console.log(`the server ended with ${code}`);
process.exitCode = count.lost > 0 || code !== 0 ? 1 : 0;
