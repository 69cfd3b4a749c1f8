/**
 * Writes the static report of CUDA kernels into docs/cuda.md. It needs nvcc and no GPU:
 * `node bench/cuda/report.mjs [spec] [--storage q8_0] [--size D=2048] [--tokens 256] [--context 4096] [--print]`
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { format, resolveConfig } from "prettier";
import { runnerImport } from "vite";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    storage: { type: "string", default: "q8_0" },
    size: { type: "string", multiple: true, default: [] },
    tokens: { type: "string", default: "256" },
    context: { type: "string", default: "512" },
    print: { type: "boolean", default: false },
  },
});
const example = "examples/tiny-moe/tiny-moe.moe";
const [spec = example] = positionals;
const path = new URL("report.ts", import.meta.url).pathname;
const { reportText } = (await runnerImport(path)).module;
const report = reportText({
  spec,
  storage: values.storage,
  sizes: Object.fromEntries(values.size.map((one) => one.split("=")).map(([name, value]) => [name, Number(value)])),
  tokens: Number(values.tokens),
  context: Number(values.context),
  attention: spec === example,
});

if (values.print) console.log(report);
else {
  const page = new URL("../../docs/cuda.md", import.meta.url);
  const [before, after] = readFileSync(page, "utf8").split(/<!-- report -->[^]*<!-- end of report -->/);
  const text = `${before}<!-- report -->\n\n${report}\n<!-- end of report -->${after}`;
  writeFileSync(page, await format(text, { ...(await resolveConfig(page)), parser: "markdown" }));
}
