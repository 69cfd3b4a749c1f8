/**
 * Speed of native products, one thread, as shares of what the core can do at most: byte products and multiply-adds for
 * many rows, plain reads of as many bytes for one row. Slices of limit and product alternate and are timed by processor
 * time; shown is the median of the quotients, and their upper decile in brackets, because other processes of a shared
 * machine take caches and memory away.
 *
 * Usage: node bench/native/kernels.mjs [--rounds 15] [--only q4_0] [--json]
 */
import { parseArgs } from "node:util";
import { chosen } from "../choice.mjs";
import { median } from "../engines.mjs";
import { productBar } from "./bars.mjs";
import { sources } from "./files.mjs";
import { decile, rate } from "./rates.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const { prepareLimits, prepareProduct, target } = await sources("./product.ts");
if (!target) process.exit(0);

const all = [
  ...["q4_0", "q8_0"].flatMap((storage) => [
    { storage, T: 1, K: 2048, N: 65536 },
    { storage, T: 32, K: 2048, N: 2048 },
    { storage, T: 128, K: 2048, N: 2048 },
    { storage, T: 512, K: 2048, N: 2048 },
  ]),
  ...["q4_1", "q5_0", "q4_K", "q6_K"].map((storage) => ({ storage, T: 128, K: 2048, N: 2048 })),
  ...["f32", "f16", "bf16"].flatMap((storage) => [
    { storage, T: 1, K: 2048, N: 16384 },
    { storage, T: 128, K: 2048, N: 2048 },
    { storage, T: 512, K: 2048, N: 2048 },
  ]),
];
const storages = [...new Set(all.map(({ storage }) => storage))];
const wanted = chosen("--only", [values.only], storages, (name, word) => name.includes(word));
const cases = all.filter(({ storage }) => wanted.includes(storage));

const limits = prepareLimits(512 * 2 ** 20);
const results = [];
for (const one of cases) {
  const product = prepareProduct(one);
  const quantized = one.storage.startsWith("q");
  const [work, limitWork, limit, unit] =
    one.T === 1
      ? [product.weightBytes, 64 * 2 ** 20, () => limits.read(64 * 2 ** 20), "GB/s"]
      : quantized
        ? [product.operations, limits.byteOperations, () => limits.bytes(), "GOP/s"]
        : [product.operations, limits.operations, () => limits.f32(), "GFLOP/s"];
  product.run();
  limit();
  const [rates, tops, shares] = [[], [], []];
  for (let round = 0; round < Number(values.rounds); round++) {
    const before = rate(limitWork, limit);
    const own = rate(work, product.run);
    const top = Math.max(before, rate(limitWork, limit));
    rates.push(own / 1000);
    tops.push(top / 1000);
    shares.push(own / top);
  }
  results.push({
    ...one,
    unit,
    rate: median(rates),
    limit: median(tops),
    share: median(shares),
    best: decile(shares),
  });
  if (values.json) continue;
  const bar = productBar(one);
  const percent = (share) => `${(100 * share).toFixed(0)}%`;
  const name = `${one.storage} ${one.T} x ${one.K} x ${one.N}`.padEnd(26);
  const measured = `${median(rates).toFixed(1).padStart(7)} of ${median(tops).toFixed(1)} ${unit}`.padEnd(32);
  console.log(
    `${name}${measured}${percent(median(shares))} (${percent(decile(shares))})${bar ? `, bar ${percent(bar)}` : ""}`,
  );
}
if (values.json) console.log(JSON.stringify({ target: target.name, results }, null, 2));
process.exit(0);
