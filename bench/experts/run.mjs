/**
 * What a layer costs as its experts become many: single neurons chosen by product keys (PEER) and Monet's factored experts,
 * 1,024 to 262,144 of them, on WebAssembly, one thread, processor time. With the formulas of both, time may grow with the
 * square root of the number of experts: 4 times from one row to the next.
 *
 *     node bench/experts/run.mjs [--sides 32,128,512] [--tokens 1,64] [--rounds 15] [--json]
 */
import { parseArgs } from "node:util";
import { compiler, least, program } from "../compiled.mjs";

const { values } = parseArgs({
  options: {
    /** Square roots of the numbers of experts. */
    sides: { type: "string", default: "32,128,512" },
    tokens: { type: "string", default: "1,64" },
    rounds: { type: "string", default: "15" },
    json: { type: "boolean", default: false },
  },
});
const sides = values.sides.split(",").map(Number);
const tokens = values.tokens.split(",").map(Number);
const { schedule, wasmRelaxed, Machine } = compiler;

const noise = (count, scale, seed) => {
  let state = seed;
  const next = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1) * scale;
  return Float64Array.from({ length: count }, next);
};

const cases = [];
for (const model of ["Peer", "Monet"]) {
  for (const side of sides) {
    const graph = program(new URL("experts.moe", import.meta.url).pathname, { model, sizes: { N: side } });
    const most = Math.max(...tokens);
    const plan = schedule(graph, wasmRelaxed, { limits: { T: most, context: most }, entries: ["forward"] });
    const machine = new Machine(plan, wasmRelaxed, "wasm");
    machine.setParams((path) => {
      const { axes } = plan.plan.weights.find((weight) => weight.path === path);
      return {
        data: noise(
          axes.reduce((n, { size }) => n * size, 1),
          0.2,
          path.length,
        ),
      };
    });
    const [input] = plan.plan.entries[0].inputs;
    const width = input.axes.slice(1).reduce((n, { size }) => n * Number(size), 1);
    machine.feed("forward", { [input.name]: noise(most * width, 1, 7) });
    for (const T of tokens) {
      cases.push({ model, experts: side * side, T, run: () => machine.launchAll("forward", { T }) });
    }
  }
}
const times = least(
  Number(values.rounds),
  20_000,
  cases.map(({ run }) => run),
);
const rows = cases.map(({ model, experts, T }, index) => ({ model, experts, T, microseconds: times[index] / T }));
if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  console.log("layer   tokens   experts   us/token   growth   sqrt(E) allows");
  for (const row of rows) {
    const before = rows.filter(({ model, T }) => model === row.model && T === row.T);
    const last = before[before.indexOf(row) - 1];
    console.log(
      [
        row.model.padEnd(6),
        String(row.T).padStart(7),
        String(row.experts).padStart(9),
        row.microseconds.toFixed(1).padStart(10),
        (last ? `${(row.microseconds / last.microseconds).toFixed(2)}x` : "").padStart(8),
        (last ? `${Math.sqrt(row.experts / last.experts).toFixed(1)}x` : "").padStart(16),
      ].join(" "),
    );
  }
}
