/**
 * `npm run bench:peers`: native code beside llama.cpp and ONNX Runtime in one run: products as shares of the machine's
 * limits, one layer, whole models, one with a busy neighbour, and the time and memory to the first token. Brings the
 * engines and writes the GGUF files (under `.cache/bench`) that it needs.
 *
 * `npm run bench:peers -- --quick` takes small shapes and few rounds (minutes); `--full` adds OLMoE's 6.9 billion
 * parameters, which need 16 GB of memory and 10 GB of disk.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, full: { type: "boolean", default: false } },
});
const root = fileURLToPath(new URL("../../", import.meta.url));

function run(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = status ?? 1;
}
function bench(title, script, ...args) {
  console.log(`\n${title}: node bench/native/${script} ${args.join(" ")}`);
  run(process.execPath, `bench/native/${script}`, ...args);
}

run("npm", "run", "--silent", "peers:install");
run("npm", "ci", "--prefix", "bench/onnxruntime", "--ignore-scripts", "--no-audit", "--no-fund");
const rounds = values.quick ? ["--rounds", "2"] : [];
const large = values.full ? "olmoe" : "olmoe-4";
bench("products", "kernels.mjs", ...(values.quick ? ["--rounds", "3"] : []));
bench("one layer", "layer.mjs", ...(values.quick ? ["--dims", "1024,512,16", "--rounds", "1"] : []));
bench("whole models", "models.mjs", "--types", "q4_0,q8_0", ...rounds);
const others = "mixtral-small,qwen3-small";
bench("other designs", "models.mjs", "--shapes", others, "--types", "q4_0,q8_0", "--decode", "128", ...rounds);
bench("finer formats", "models.mjs", "--types", "q4_K,q6_K", "--prefill", "128", "--decode", "128", ...rounds);
if (!values.quick) {
  bench("a dense model", "models.mjs", "--shapes", "llama-1b", "--decode", "128", "--rounds", "3");
  bench("OLMoE", "models.mjs", "--shapes", large, "--rounds", "3");
}
bench("a busy neighbour", "models.mjs", "--busy", "--threads", "2", "--prefill", "", "--decode", "128", ...rounds);
bench("start", "start.mjs", "--shapes", values.quick ? "olmoe-small" : `olmoe-small,${large}`, ...rounds);
