/**
 * `node bench/serve/load.mjs [--seconds 60] [--connections 64]`: requests to a server with the example model from many
 * connections at once. Every tenth client goes away in the middle. Says how many were answered, lost, refused, how fast,
 * how long an abandoned text went on, and how the resident memory of the server grew after its first fifth: its floor
 * (what lives) and its peak (what a machine must have).
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
    device: { type: "string", default: "wasm" },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const root = fileURLToPath(new URL("../../", import.meta.url));
const args = ["dist/cli/main.js", "serve", "examples/tiny-moe", "--port", "0", "--json", "--device", values.device];
const hook = new URL("./collections.mjs", import.meta.url).href;
const stdio = ["ignore", "pipe", "inherit", "ipc"];
const server = spawn(process.execPath, ["--import", hook, ...args], { cwd: root, stdio });
/** What the server's memory is after each full collection. */
const collections = [];
server.on("message", (memory) => collections.push(memory));
let text = "";
for await (const piece of server.stdout) {
  text += piece;
  if (text.trimEnd().endsWith("}")) break;
}
const { url } = JSON.parse(text);
const agent = new Agent({ keepAlive: true, maxSockets: connections });

function ask(body, leaveAfter) {
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
    sent.on("error", () => resolve({ left: leaveAfter !== undefined, lost: leaveAfter === undefined }));
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

const end = performance.now() + seconds * 1000;
const count = { answered: 0, lost: 0, refused: 0, left: 0 };
const times = [];
const resident = [];
const watch = setInterval(
  () => void metric("process_resident_memory_bytes").then((bytes) => resident.push(bytes)),
  500,
);
await Promise.all(
  Array.from({ length: connections }, async (_, client) => {
    for (let turn = 0; performance.now() < end; turn++) {
      const leaves = (client + turn) % 10 === 0;
      const stream = leaves || turn % 2 === 0;
      const body = { prompt: `Chapter ${client * 1000 + turn}. In the`, max_tokens: 16, temperature: 0.8, stream };
      const result = await ask(body, leaves ? 300 : undefined);
      if (result.left) count.left++;
      else if (result.status === 429) count.refused++;
      else if (result.status === 200 && result.isWhole) {
        count.answered++;
        times.push(result.milliseconds);
      } else count.lost++;
    }
  }),
);
clearInterval(watch);
// What the clients that left had begun must end within a step.
const idle = performance.now();
while ((await metric("moec_texts_busy")) > 0 && performance.now() - idle < 5000);
const settle = performance.now() - idle;
// Between two full collections the heap fills with garbage, so two samples differ by their moment: a floor is what lives.
const warm = resident.slice(Math.floor(resident.length / 5));
const halves = [warm.slice(0, warm.length >> 1), warm.slice(warm.length >> 1)];
const ends = (of) => halves.map((half) => of(...half));
const [floors, peaks] = [ends(Math.min), ends(Math.max)];
const growth = ([before, after]) => `${((after / before - 1) * 100).toFixed(1)}%`;
const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(0);
times.sort((a, b) => a - b);
const part = (share) => Math.round(times[Math.floor(times.length * share)] ?? NaN);
console.log(`${connections} connections, ${seconds} s: ${JSON.stringify(count)}`);
console.log(`answers/s ${(count.answered / seconds).toFixed(1)}, median ${part(0.5)} ms, p95 ${part(0.95)} ms`);
console.log(`all texts free ${Math.round(settle)} ms after the last client`);
for (const [name, values] of Object.entries({ floor: floors, peak: peaks })) {
  const text = `${values.map(mebibytes).join(", then ")} MiB (${growth(values)})`;
  console.log(`resident memory, ${name} of the two halves after the first fifth: ${text}`);
}
for (const { at, heapUsed, external, rss } of collections) {
  console.log(
    `full collection ${at.toFixed(0)} s after the start: ${mebibytes(heapUsed)} MiB live in the heap, ` +
      `${mebibytes(external)} MiB outside of it, ${mebibytes(rss)} MiB resident`,
  );
}
server.kill("SIGTERM");
const [code] = await once(server, "exit");
console.log(`the server ended with ${code}`);
agent.destroy();
process.exitCode = count.lost > 0 || code !== 0 ? 1 : 0;
