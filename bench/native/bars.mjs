/** What native code promises beside llama.cpp and ONNX Runtime, and whether a run holds it. */

/** The first row that has each of these fields. */
const rowOf = (rows, fields) =>
  rows.find((row) => Object.entries(fields).every(([field, value]) => row[field] === value));
/** What tells a task of a whole model, whose cache holds f32. */
const task = (shape, type, name, threads, busy = false) => ({ shape, type, name, threads, busy, cache: "f32" });

/** Thread counts that models and layers are measured with. */
const THREADS = [1, 2];

/** A bar over whole models: ours over llama.cpp's best, since on two cores two threads may be slower than one. */
const model = (shape, type, name, threads, bar, busy = false) => ({
  name: `${shape} ${type}, ${name}, ${threads} thread${threads > 1 ? "s" : ""}${busy ? ", a busy neighbour" : ""}`,
  bar,
  value: ({ models }) => {
    const { llama, ratio } = rowOf(models, task(shape, type, name, threads, busy)) ?? {};
    if (llama === undefined) return undefined;
    const rates = THREADS.map((count) => rowOf(models, task(shape, type, name, count, busy))?.llama ?? 0);
    return ratio * (llama / Math.max(...rates));
  },
});
const started = (shape, bar, value, name, atMost = false) => ({
  ...{ name: `${shape} q4_0, ${name}`, bar, atMost },
  value: ({ starts }) => {
    const row = rowOf(starts, { shape, type: "q4_0" });
    return row?.llama && value(row);
  },
});
const layer = (storage, tokens, bar) => ({
  name: `one layer ${storage}, ${tokens} token${tokens > 1 ? "s" : ""}, against ONNX Runtime, slower thread count`,
  bar,
  value: ({ layers }) => {
    const ratios = THREADS.map((threads) => rowOf(layers, { storage, tokens, threads })?.ratio ?? 0);
    return ratios.every((ratio) => ratio > 0) ? Math.min(...ratios) : undefined;
  },
});
/** Least shares of the limit that products have, by storage and rows. */
const productBars = {
  q4_0: { 1: 0.9, 32: 0.5, 128: 0.68 },
  q8_0: { 1: 0.9, 32: 0.5, 128: 0.68 },
  f32: { 512: 0.85 },
};
/**
 * The bar of a product of `kernels.mjs`, if it has one.
 *
 * @param {{ storage: string, T: number }} product
 * @returns {number | undefined}
 */
export const productBar = ({ storage, T }) => productBars[storage]?.[T];
const product = (storage, T) => ({
  name: `product ${storage}, ${T} row${T > 1 ? "s" : ""}, share of the limit`,
  bar: productBar({ storage, T }),
  value: ({ products }) => rowOf(products, { storage, T })?.share,
});
const reads = (shape, threads, bar) => ({
  name: `${shape} q4_0, decode at 128, share of reads, ${threads} thread${threads > 1 ? "s" : ""}`,
  bar,
  value: ({ models }) => rowOf(models, task(shape, "q4_0", "decode at 128", threads))?.share,
});

/** @param large The shape that stands for OLMoE: all of its layers, or fewer. */
const barsFor = (large) => [
  model(large, "q4_0", "prefill 512", 2, 3.5),
  model(large, "q4_0", "prefill 128", 2, 3.3),
  model(large, "q4_0", "decode at 128", 1, 1.3),
  model(large, "q4_0", "decode at 128", 2, 1.15),
  model("olmoe-small", "q4_0", "decode at 128", 2, 2, true),
  started(large, 5, ({ moec, llama }) => llama.wall / moec.wall, "start to the first token"),
  started(large, 0.55, ({ moec, llama }) => moec.resident / llama.resident, "resident memory", true),
  ...["q4_0", "q8_0"].map((type) => model("olmoe-small", type, "decode at 128", 2, 1.2)),
  ...["mixtral-small", "qwen3-small"].flatMap((shape) =>
    ["q4_0", "q8_0"].map((type) => model(shape, type, "prefill 512", 2, 2.8)),
  ),
  model("llama-1b", "q4_0", "prefill 512", 2, 1.5),
  model("llama-1b", "q4_0", "decode at 128", 2, 1.1),
  ...Object.entries({ 1: 1.1, 16: 1.2, 128: 1.4, 512: 1.35 }).map(([tokens, bar]) => layer("f32", Number(tokens), bar)),
  ...Object.entries({ 1: 2, 16: 1.8, 128: 2.5, 512: 2.5 }).map(([tokens, bar]) => layer("q4_0", Number(tokens), bar)),
  ...Object.entries(productBars).flatMap(([storage, bars]) =>
    Object.keys(bars).map((rows) => product(storage, Number(rows))),
  ),
  ...THREADS.map((threads) => reads(large, threads, 0.86)),
];

/** One line for each bar; what has no figure is said. */
export function judge(report, large) {
  return barsFor(large).map(({ name, bar, atMost, value }) => {
    const found = value(report);
    if (found === undefined || Number.isNaN(found)) return `${name}: not measured`;
    const holds = atMost ? found <= bar : found >= bar;
    return `${name}: ${found.toFixed(2)}, wanted ${atMost ? "at most" : "at least"} ${bar}: ${holds ? "holds" : "MISSED"}`;
  });
}
