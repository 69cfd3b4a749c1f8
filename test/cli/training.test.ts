/** `moec inspect --cost --training`: by hand on small models, and as published on large ones. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acceleratorOf } from "../../cli/cost/accelerators.js";
import { expectedDrops } from "../../cli/cost/drops.js";
import { modelCost } from "../../cli/cost/model-cost.js";
import { trainingFigures } from "../../cli/cost/training.js";
import { durationText } from "../../cli/show/units.js";
import { packageRoot } from "../../cli/package-root.js";
import { diskHost } from "../../cli/source-host.js";
import { check } from "../../compiler/1-check/index.js";
import { testHost } from "../check/host.js";
import { folderOf, moec } from "./io.js";

const plain = { optimizer: "adam", expertsOver: 1 } as const;

/** Figures of a spec that is written here, for a sequence of so many tokens. */
function figuresOf(text: string, sequence: number) {
  const project = check("m.moe", testHost({ "m.moe": text }));
  expect(project.diagnostics).toEqual([]);
  return trainingFigures(modelCost(project), { sequence, ...plain });
}

function exampleCost(name: string, sizes: Readonly<Record<string, number>> = {}) {
  return modelCost(check(`examples/${name}/${name}.moe`, diskHost(packageRoot)), { sizes });
}

interface Training {
  readonly forward: number;
  readonly exchanged: number;
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly kept: number;
  readonly stateOfDevice: number;
  readonly formulas: Readonly<Record<string, string>>;
  readonly time: Readonly<Record<"compute" | "memory" | "communication" | "seconds", number>> & { limit: string };
}

async function trainingOf(...args: readonly string[]): Promise<Training> {
  const { out, err } = await moec(["inspect", "examples/tiny-moe", "--cost", "--training", ...args, "--json"]);
  const record = JSON.parse(out) as { ok: boolean; views?: { title: string; data: Training }[] };
  expect(record.ok, err + out).toBe(true);
  return record.views!.find(({ title }) => title === "training")!.data;
}

const net = (input: string, first: string): string => `model M[V = 32, D = 8, F = 12] {
  param tok: [V, D]
  param up: [D, F]
  param down: [F, D]
  forward(${input}) => relu(${first} @ up) @ down
}
`;

describe("op by op", () => {
  it("gives each factor of a product its gradient, and none to what is not learned", () => {
    const [D, F, T] = [8, 12, 5];
    const looked = figuresOf(net("tokens: int[T]", "tok[V: tokens]"), T);
    expect(looked.forward).toBe(4 * D * F + F);
    // Two products for each, a choice and a product for each number that relu gave, an addition into the row of the table.
    expect(looked.backward).toBe(8 * D * F + 2 * F + D);
    // The rows, what relu gave, and the ids.
    expect(looked.kept).toBe(T * (2 * D + 2 * F + 4));
    const given = figuresOf(net("x: [T, D]", "x"), T);
    expect(given.backward).toBe(6 * D * F + 2 * F);
    expect(given.kept).toBe(T * (2 * D + 2 * F));
  });

  it("counts layers, and keeps their inputs alone when they are computed again", () => {
    const [D, F, L, T] = [8, 12, 6, 5];
    const text = `block Layer[D, F] {
  param up: [D, F]
  param down: [F, D]
  (x: [T, D]) => x + relu(x @ up) @ down
}
model M[V = 32, L = ${L}, D = ${D}, F = ${F}] {
  param tok: [V, D]
  stack layers = L of Layer[D, F]
  forward(tokens: int[T]) => layers(tok[V: tokens])
}
`;
    const figures = figuresOf(text, T);
    expect(figures.forward).toBe(L * (4 * D * F + F + D));
    expect(figures.again).toBe(figures.forward);
    const layer = T * (2 * D + 2 * F);
    expect(figures.kept).toBe(L * layer + T * 4);
    expect(figures.keptRecomputed).toBe(L * T * 2 * D + layer + T * 4);
  });
});

describe("as published", () => {
  // Training operations of a token at 4096 tokens, in units of 1e9: Zhao et al. 2025 (arXiv:2505.09343), table 2.
  it.each([
    ["deepseek-v3", 61, 250],
    ["deepseek-v2", 60, 155],
  ])("%s", (name, layers, published) => {
    const cost = exampleCost(name);
    const { forward, backward, sixN } = trainingFigures(cost, { sequence: 4096, ...plain });
    // Products alone: six for each parameter; scores of 192 and sums of 128 numbers for each of 128 heads and each key.
    const products = sixN + 3 * 2 * layers * 128 * (192 + 128) * (4097 / 2);
    expect(Math.round(products / 1e9)).toBe(published);
    expect(forward + backward).toBeGreaterThan(products);
    // Norms, activations, rotations and softmax: a few hundred operations for each of some thousand numbers of a layer.
    expect(forward + backward).toBeLessThan(products * 1.005);
  });

  it("Switch: an expert more costs a column of the router", () => {
    const [many, one] = [128, 1].map((E) => {
      return trainingFigures(exampleCost("switch-transformer", { E }), { sequence: 512, ...plain }).forward;
    });
    const column = 6 * 2 * 768;
    const each = (many! - one!) / 127;
    expect(each).toBeGreaterThanOrEqual(column);
    // The softmax over the experts and the choice among them: fewer than 16 operations an expert in each of 6 layers.
    expect(each).toBeLessThan(column + 6 * 16);
  });
});

describe("memory, traffic and time", () => {
  it("is 16 bytes a parameter with Adam, and what experts are sent", async () => {
    const { parameters } = exampleCost("tiny-moe");
    const count = parameters.reduce((sum, { all }) => sum + all, 0);
    const adam = await trainingOf("--experts-over", "4");
    expect(adam.weights + adam.gradients + adam.optimizer).toBe(16 * count);
    // D = 256 numbers to 2 experts in 4 layers and back, of two bytes, twice; three of four are elsewhere.
    expect(adam.exchanged).toBe((256 * 2 * 4 * 2 * 2 * 2 * 3) / 4);
    const sgd = await trainingOf("--optimizer", "sgd");
    expect(sgd.optimizer).toBe(4 * count);
    expect(sgd.exchanged).toBe(0);
  });

  it("gives a device whole experts", async () => {
    const { parameters } = exampleCost("tiny-moe");
    const [dense, experts] = [false, true].map((isExpert) =>
      parameters.reduce((sum, { all, bank }) => sum + ((bank !== undefined) === isExpert ? all : 0), 0),
    );
    // Of 8 experts over 3 devices one holds 3, over 5 devices 2.
    expect((await trainingOf("--experts-over", "3")).stateOfDevice).toBe(16 * (dense! + (3 / 8) * experts!));
    expect((await trainingOf("--experts-over", "5")).stateOfDevice).toBe(16 * (dense! + (2 / 8) * experts!));
  });

  it("sends gradients of experts to the devices that hold the same ones", async () => {
    const { parameters } = exampleCost("tiny-moe");
    const dense = parameters.reduce((sum, { all, bank }) => sum + (bank === undefined ? all : 0), 0);
    const args = ["--experts-over", "8", "--tokens", "8M", "--devices", "8xH100", "--batch", "4M"];
    const { exchanged, time } = await trainingOf(...args);
    // No two of 8 devices hold an expert of 8: in 2 updates only the rest goes around, gradients and weights of 2 bytes.
    const bytes = (8e6 * exchanged) / 8 + 2 * dense * 4 * (7 / 8);
    expect(time.communication).toBeCloseTo(bytes / 450e9, 12);
  });

  it("counts memory and operations of one way to train", () => {
    const cost = exampleCost("tiny-moe");
    const [h100, utilization] = [acceleratorOf("H100"), 0.5];
    const figuresAt = (memory: number) => {
      const plan = { tokens: 1e9, devices: 1, accelerator: { ...h100, memory }, utilization, batch: 4e6 };
      const { time, ...figures } = trainingFigures(cost, { sequence: 512, ...plain, plan });
      return { ...figures, time: time! };
    };
    const { forward, backward, again, weights, gradients, optimizer, kept, keptRecomputed, time } = figuresAt(80e9);
    const seconds = (operations: number): number => (operations * 1e9) / (h100.operations * utilization);
    const state = weights + gradients + optimizer;
    const once = {
      isRecomputed: false,
      fits: true,
      bytesPerDevice: state + kept,
      compute: seconds(forward + backward),
    };
    expect(time).toMatchObject(once);
    expect(figuresAt(state + kept).time).toMatchObject(once);
    const twice = { isRecomputed: true, bytesPerDevice: state + keptRecomputed };
    const compute = seconds(forward + backward + again);
    expect(figuresAt(state + kept - 1).time).toMatchObject({ ...twice, compute, fits: true });
    expect(figuresAt(state + keptRecomputed - 1).time).toMatchObject({ ...twice, compute, fits: false });
  });

  it("says which limit is the longest", async () => {
    const args = ["--tokens", "1T", "--devices", "16xh100", "--context", "512"];
    const { forward, time } = await trainingOf(...args, "--utilization", "0.5");
    expect(time.compute / ((forward * 1e12) / (16 * 989e12 * 0.5))).toBeGreaterThan(2.5);
    expect(time.compute / ((forward * 1e12) / (16 * 989e12 * 0.5))).toBeLessThan(3.01);
    expect(time.seconds).toBe(Math.max(time.compute, time.memory, time.communication));
    expect(time.seconds).toBe(time[time.limit as "compute"]);
    const small = await trainingOf(...args, "--batch", "512");
    expect(small.time.limit).toBe("communication");
  });

  it("gives formulas that give the numbers", async () => {
    const { formulas, forward, kept } = await trainingOf("--context", "64");
    const sizes = { V: 2048, L: 4, D: 256, H: 4, G: 2, C: 64, F: 256, E: 8, k: 2, T: 64, keys: 65 / 2 };
    const at = (name: string): number => {
      const text = formulas[name]!.replace(/\^/g, "**").replace(/[A-Za-z]\w*/g, (n) => String(sizes[n as "V"] ?? NaN));
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      return (Function(`return ${text}`) as () => number)();
    };
    expect(Math.abs(at("forward") / 64 / forward - 1)).toBeLessThan(1e-4);
    expect(Math.abs(at("kept") / kept - 1)).toBeLessThan(1e-4);
  });

  it("counts texts whose operations are beyond whole numbers: a token costs more by equal steps of keys", async () => {
    const at = async (context: number): Promise<number> => (await trainingOf("--context", String(context))).forward;
    const [one, two, four] = [await at(2 ** 30), await at(2 ** 31), await at(2 ** 32)];
    // Each figure is rounded to 2^-53 of itself, some ten times on the way.
    expect(Math.abs(four - two - 2 * (two - one)) / four).toBeLessThan(1e-13);
    expect(two).toBeGreaterThan(one);
  });

  it("is part of the page", async () => {
    const folder = folderOf({ "m.moe": net("tokens: int[T]", "tok[V: tokens]") });
    try {
      const args = ["inspect", "m.moe", "--training", "--html", "page.html"];
      expect((await moec(args, { cwd: folder.path })).code).toBe(0);
      expect(readFileSync(join(folder.path, "page.html"), "utf8")).toContain("backward");
    } finally {
      folder.remove();
    }
  });

  it("refuses devices that it does not know, and more devices than experts", async () => {
    const inspect = ["inspect", "examples/tiny-moe"];
    const unknown = await moec([...inspect, "--tokens", "1T", "--devices", "8xH101"]);
    expect([unknown.code, unknown.err]).toEqual([3, expect.stringContaining("MOE5465")]);
    const spread = await moec([...inspect, "--experts-over", "16"]);
    expect([spread.code, spread.err]).toEqual([3, expect.stringContaining("MOE5466")]);
    for (const wrong of [
      ["--devices", "0xH100"],
      ["--tokens", "many"],
      ["--tokens", "1e999", "--devices", "8xH100"],
      ["--tokens", "1T"],
      ["--devices", "8xH100"],
      ["--utilization", "0.5"],
      ["--batch", "4M", "--devices", "8xH100"],
      ["--tokens", "1T", "--experts-over", "4", "--devices", "2xH100"],
      ["--optimizer", "best"],
      ["--utilization", "2"],
    ]) {
      const { code, err } = await moec([...inspect, ...wrong]);
      expect([code, err], wrong.join(" ")).toEqual([2, expect.stringContaining("MOE5461")]);
    }
  });
});

describe("choices without a place", () => {
  it("are those of all ways to choose", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 2, max: 6 }),
        fc.nat(10),
        (tokens, experts, room) => {
          // Each token comes to an expert or does not: all 2^tokens ways with their chances.
          let over = 0;
          for (let way = 0; way < 2 ** tokens; way++) {
            const taken = way.toString(2).replaceAll("0", "").length;
            const chance = (1 / experts) ** taken * (1 - 1 / experts) ** (tokens - taken);
            over += chance * Math.max(0, taken - room);
          }
          // At most 1024 terms, each of a few roundings.
          expect(expectedDrops(tokens, 1, experts, room)).toBeCloseTo(over / (tokens / experts), 11);
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  });

  it("are none with room for all, and all that is too much when everybody comes", () => {
    expect(expectedDrops(4096, 2, 64, 4096)).toBe(0);
    expect(expectedDrops(100, 4, 4, 60)).toBe(0.4);
    // The same of a sequence with more tokens than anybody counts one by one, by the normal number that it comes close to.
    const [mean, spread] = [2 ** 33, Math.sqrt(2 ** 33 * (63 / 64))];
    expect(expectedDrops(2 ** 39, 1, 64, mean) * mean).toBeCloseTo(spread / Math.sqrt(2 * Math.PI), 0);
    // Evenly filled experts without room to spare: the mean distance of a binomial number from its mean, half of it above.
    expect(expectedDrops(4096, 1, 64, 64)).toBeCloseTo(Math.sqrt(63 / 64 / (2 * Math.PI * 64)), 3);
  });
});

describe("durations", () => {
  it.each([
    [12, "12 seconds"],
    [1.25, "1.3 seconds"],
    [119, "119 seconds"],
    [120, "2.0 minutes"],
    [9.5 * 3600, "9.5 hours"],
    [99.4 * 86400, "99 days"],
    [99.5 * 86400, "100 days"],
    [99.99 * 86400, "100 days"],
    [100 * 86400, "100 days"],
    [1234.5 * 86400, "1235 days"],
    [0, "0.0 seconds"],
  ])("%d seconds", (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});
