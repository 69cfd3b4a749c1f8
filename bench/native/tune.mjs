/**
 * Shapes of wide tiles, measured on this machine: the candidates for a level of processors, each as share of what the
 * core can do at most, one thread. Slices of limit and candidates alternate and are timed by processor time; shown are
 * the medians of the quotients, the best first. What wins on the machines that a level stands for is written down in
 * `compiler/targets/tile-shapes.ts`; the shapes in use are marked.
 *
 * Usage: node bench/native/tune.mjs [--level x86-64-v3] [--rounds 15] [--rows 128] [--storage q4_0]
 */
import { parseArgs } from "node:util";
import { median } from "../engines.mjs";
import { sources } from "./files.mjs";
import { rate } from "./rates.mjs";

const { values } = parseArgs({
  options: {
    level: { type: "string", default: "" },
    rounds: { type: "string", default: "15" },
    rows: { type: "string", default: "128" },
    storage: { type: "string", default: "" },
  },
});
const { candidatesFor, levels, prepareLimits, prepareProduct } = await sources("./candidates.ts");
const target = levels.find(({ name }) => values.level === "" || name === values.level);
if (!target) {
  console.error(`no such level here: ${values.level}`);
  process.exit(1);
}

const limits = prepareLimits(64, target);
for (const storage of values.storage === "" ? ["q4_0", "q8_0", "f32"] : [values.storage]) {
  const quantized = storage.startsWith("q");
  const limit = quantized ? () => limits.bytes() : () => limits.f32();
  const limitWork = quantized ? limits.byteOperations : limits.operations;
  const found = candidatesFor(target, quantized ? storage : undefined).map(({ name, shapes }) => ({
    ...{ name, shares: [] },
    product: prepareProduct({ storage, T: Number(values.rows), K: 2048, N: 512 }, { ...target, tiles: shapes }),
  }));
  for (const { product } of found) product.run();
  for (let round = 0; round < Number(values.rounds); round++) {
    const top = rate(limitWork, limit, 2000);
    for (const { product, shares } of found) shares.push(rate(product.operations, product.run, 4000) / top);
  }
  console.log(`${storage}, ${values.rows} rows, ${target.name}`);
  for (const { name, shares } of found.sort((a, b) => median(b.shares) - median(a.shares))) {
    console.log(`  ${name.padEnd(44)}${(100 * median(shares)).toFixed(1)}%`);
  }
}
process.exit(0);
