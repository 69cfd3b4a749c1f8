/**
 * How fast the language server answers on a file of about a thousand lines: `node bench/editor/run.mjs`, after
 * `npm run build`. Starts `moec lsp --stdio`, types into the file, and prints the median and the 95th percentile of the
 * time from a keystroke to its diagnostics (with the server's waiting time) and of each request; on Linux also of the
 * processor time that the server's thread took for it, which other programs on the machine do not make longer.
 */
import { existsSync, readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from "vscode-languageserver/node";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rounds = Number(process.argv[2] ?? 30);

/** Blocks, experts and tests of the usual kind until there are `lines` lines. */
function source(lines) {
  let text = 'import { RMSNorm, Attention, TopK, SwiGLU, Causal } from "std"\n';
  for (let n = 0; text.split("\n").length < lines; n++) {
    text += `
/// Expert number ${n}.
expert Expert${n}[D, F] {
  param gate: [D, F]
  param up: [D, F]
  param down: [F, D]
  (x: [D]) => (silu(x @ gate) * (x @ up)) @ down
}

/// Layer number ${n}.
block Layer${n}[D, H, G, C, F, E](k: int = 2) {
  use norm1 = RMSNorm[D](epsilon: 1e-5)
  use attn = Attention[D, H, G, C](mask: Causal, theta: 10_000)
  use norm2 = RMSNorm[D](epsilon: 1e-5)
  use route = TopK[D, E](k)
  use experts = E of Expert${n}[D, F]
  (x: [T, D]) => {
    let h = x + attn(norm1(x))
    let y = mixture(norm2(h), route, experts)
    h + y
  }
}
`;
  }
  return text;
}

const server = spawn(process.execPath, [join(root, "dist/cli/main.js"), "lsp", "--stdio"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const connection = createProtocolConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
let version = 1;
let wake = () => undefined;
connection.onNotification("textDocument/publishDiagnostics", (params) => wake(params));
connection.listen();

const schedstat = `/proc/${server.pid}/task/${server.pid}/schedstat`;
/** Milliseconds of processor time that the server's thread has had; undefined where the system does not tell. */
const threadTime = () =>
  existsSync(schedstat) ? Number(readFileSync(schedstat, "utf8").split(" ")[0]) / 1e6 : undefined;

/** @returns {Promise<number>} milliseconds until the diagnostics of `version` arrive */
function diagnosed() {
  const begun = performance.now();
  return new Promise((resolve) => {
    wake = (params) => {
      if (params.version === version) resolve(performance.now() - begun);
    };
  });
}

const uri = pathToFileURL(join(root, "bench/editor/typed.moe")).href;
const text = source(1_000);
const lines = text.split("\n");
await connection.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
await connection.sendNotification("initialized", {});
const first = diagnosed();
await connection.sendNotification("textDocument/didOpen", {
  textDocument: { uri, languageId: "moe", version, text },
});
console.log(`${lines.length} lines, first diagnostics after ${(await first).toFixed(0)} ms`);

const middle = lines.findIndex((line, index) => index > lines.length / 2 && line.includes("let h = x"));
const position = { line: middle, character: lines[middle].indexOf("norm1") + 2 };
const whole = { start: { line: 0, character: 0 }, end: { line: lines.length, character: 0 } };
const requests = {
  hover: ["hover", { position }],
  definition: ["definition", { position }],
  references: ["references", { position, context: { includeDeclaration: true } }],
  highlights: ["documentHighlight", { position }],
  completion: ["completion", { position }],
  "signature help": ["signatureHelp", { position: { ...position, character: position.character + 5 } }],
  "semantic tokens": ["semanticTokens/full", {}],
  "inlay hints of 60 lines": [
    "inlayHint",
    { range: { start: { line: middle - 30, character: 0 }, end: { line: middle + 30, character: 0 } } },
  ],
  "inlay hints of the file": ["inlayHint", { range: whole }],
  "code lenses": ["codeLens", {}],
  "document symbols": ["documentSymbol", {}],
  folding: ["foldingRange", {}],
  "quick fixes": ["codeAction", { range: { start: position, end: position }, context: { diagnostics: [] } }],
};

/** Of each kind: milliseconds that passed, and those of the server's thread. */
const times = new Map();
async function timed(name, work) {
  const before = threadTime();
  const begun = performance.now();
  await work();
  const passed = performance.now() - begun;
  const kept = times.get(name) ?? { passed: [], thread: [] };
  kept.passed.push(passed);
  if (before !== undefined) kept.thread.push(threadTime() - before);
  times.set(name, kept);
}

for (let round = 0; round < rounds; round++) {
  const typed = { line: middle, character: lines[middle].length };
  const back = round % 2 === 1;
  const range = back
    ? { start: typed, end: { ...typed, character: typed.character + 4 } }
    : { start: typed, end: typed };
  version++;
  await timed("keystroke to diagnostics", async () => {
    const done = diagnosed();
    await connection.sendNotification("textDocument/didChange", {
      textDocument: { uri, version },
      contentChanges: [{ range, text: back ? "" : " * 2" }],
    });
    await done;
  });
  for (const [name, [method, more]] of Object.entries(requests)) {
    await timed(name, () => connection.sendRequest(`textDocument/${method}`, { textDocument: { uri }, ...more }));
  }
}

function quantiles(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
  return sorted.length === 0 ? "" : at(0.5).padStart(10) + at(0.95).padStart(10);
}
const title = ["median", "p95", "thread", "p95"].map((word) => word.padStart(10)).join("");
console.log(`${"".padEnd(28)}${title}  (ms, ${rounds} rounds)`);
for (const [name, { passed, thread }] of times) {
  console.log(`${name.padEnd(28)}${quantiles(passed)}${quantiles(thread)}`);
}
await connection.sendRequest("shutdown");
await connection.sendNotification("exit");
server.kill();
