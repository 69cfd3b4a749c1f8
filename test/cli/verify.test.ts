/** `moec verify`: its measures by hand-made cases, and the command on a small random model. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  compareRoutes,
  compareRows,
  isExplained,
  tokensBeforeChange,
  type LayerRoutes,
} from "../../cli/verify/compare.js";
import { byMixture } from "../../cli/verify/runs.js";
import { storedAs } from "../../cli/verify/stored-parameters.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import type { DeviceReport } from "../../runtime/device.js";
import { hasNative } from "../support/native.js";
import { moec } from "./io.js";

describe("compareRows", () => {
  it("measures the whole and the worst position", () => {
    const found = [3, 4, 0, 1];
    const expected = [3, 4, 0, 2];
    const result = compareRows(found, expected, 2);
    expect(result.relativeError).toBeCloseTo(1 / Math.sqrt(29), 12);
    expect(result).toMatchObject({ sameBest: 2, positions: 2, worst: { position: 1, relativeError: 0.5 } });
  });

  it("sees another best and a number that is none", () => {
    expect(compareRows([1, 2], [2, 1], 2).sameBest).toBe(0);
    const broken = compareRows([1, NaN], [1, 1], 2);
    expect(broken.worst.relativeError).toBeNaN();
    expect(broken.relativeError <= 1).toBe(false);
    expect(compareRows([NaN, 1], [1, 1], 1).worst).toEqual({ position: 0, relativeError: NaN });
  });
});

describe("compareRoutes", () => {
  it("counts experts as a set and leaves empty slots out", () => {
    const routes = (index: readonly number[]): readonly LayerRoutes[] => [{ layer: 0, name: "moe", slots: 2, index }];
    const compared = [{ layer: 0, name: "moe", same: 2, all: 3 }];
    expect(compareRoutes(routes([1, 0, 3, -1]), routes([0, 1, 2, -1]))).toEqual(compared);
  });

  it("refuses runs with other rows", () => {
    const routes = (slots: number): LayerRoutes[] => [{ layer: 0, name: "moe", slots, index: [0, 1] }];
    expect(() => compareRoutes(routes(1), routes(2))).toThrow(RangeError);
    expect(() => compareRoutes([], routes(2))).toThrow(RangeError);
    expect(() => compareRoutes([{ layer: 0, name: "moe", slots: 2, index: [] }], routes(2))).toThrow(RangeError);
  });

  it("keeps the choices of a token's heads apart", () => {
    const index = [1, 0, 3, 2];
    const routes = [{ layer: 0, name: "moe", slots: 4, choices: 2, index }];
    expect(compareRoutes(routes, routes)).toMatchObject([{ layer: 0, same: 4, all: 4 }]);
    const swapped = [{ ...routes[0]!, index: [3, 2, 1, 0] }];
    expect(compareRoutes(swapped, routes)).toMatchObject([{ layer: 0, same: 0, all: 4 }]);
  });
});

describe("the verdict", () => {
  const layer = (index: readonly number[]): LayerRoutes => ({
    layer: 0,
    name: "moe",
    slots: 2,
    byToken: true,
    index,
  });
  const expected = [1, 1, 1];
  const verdict = (found: readonly number[], before: number): boolean =>
    isExplained({ found, expected, width: 1 }, 3, before, 0.01);

  it("finds the first token that changed its experts in any layer", () => {
    const routes = [layer([0, 1, 2, 3, 4, 5]), layer([0, 1, 2, 3, 4, 5])];
    expect(tokensBeforeChange(routes, routes)).toBe(Infinity);
    expect(tokensBeforeChange([layer([1, 0, 3, 2, 4, 6]), layer([0, 1, 2, 7, 4, 5])], routes)).toBe(1);
  });

  it("excuses nothing when no row, or a row that is no token, changed its experts", () => {
    const rows = (index: readonly number[]): LayerRoutes[] => [
      { layer: 0, name: "moe", slots: 1, byToken: false, index },
    ];
    const before = tokensBeforeChange(rows([0, 1, 2, 3, 4]), rows([0, 1, 2, 3, 4]));
    expect(before).toBe(Infinity);
    expect(tokensBeforeChange(rows([0, 1, 2, 4, 4]), rows([0, 1, 2, 3, 4]))).toBe(0);
    const ones = Array<number>(9).fill(1);
    for (const tokens of [before, 0]) {
      expect(
        isExplained(
          { found: ones.map((one, at) => (at === 7 ? 1e6 : one)), expected: ones, width: 1 },
          9,
          tokens,
          0.01,
        ),
      ).toBe(false);
    }
  });

  it("excuses what comes behind a changed token and nothing before it", () => {
    expect(verdict([1, 1.001, 1], 3)).toBe(true);
    expect(verdict([1, 1, 2], 3)).toBe(false);
    expect(verdict([1, 1, 2], 2)).toBe(true);
    expect(verdict([1, 2, 2], 2)).toBe(false);
    expect(verdict([2, 2, 2], 0)).toBe(false);
    expect(verdict([1, NaN, 1], 1)).toBe(true);
    expect(verdict([NaN, 1, 1], 1)).toBe(false);
  });

  it("compares two mixtures of a layer each with its own", () => {
    const trace = (index: number, name: number): never =>
      ({ layers: [{ stack: "layers", index }], op: "mixture", routes: { name } }) as never;
    const order = byMixture([trace(0, 1), trace(0, 2), trace(1, 3), trace(1, 4)]);
    expect(order.map(({ routes }) => (routes as unknown as { name: number }).name)).toEqual([1, 3, 2, 4]);
  });
});

describe("parameters as stored", () => {
  it("have their blocks along the summed axis", () => {
    const axes = [
      { name: "K", size: 32 },
      { name: "N", size: 2 },
    ];
    const matrix = { batch: [], rows: ["N"], columns: ["K"] };
    const weight = { path: "w", storage: "q4_0", axes, layerAxes: 0, matrix };
    const rounding = storedAs({ weights: [weight] } as unknown as Plan);
    // Column N = 1 is a thousand times smaller: blocks along N would lose it.
    const values = Float32Array.from({ length: 64 }, (_, at) => ((at >> 1) - 16) * (at % 2 === 0 ? 1 : 1e-3));
    const stored = rounding("w", values, ["K", "N"], []);
    for (let at = 0; at < 64; at++) {
      // A step of q4_0 is the largest number over 8; half of it, and the f16 of the scale.
      const step = (at % 2 === 0 ? 16 : 16e-3) / 8;
      expect(Math.abs(stored[at]! - values[at]!), `${at}`).toBeLessThanOrEqual(step * 0.505 + 1e-6);
    }
    expect(stored).not.toEqual(values);
  });
});

/** Two mixtures whose routes are over heads and tokens, with scores that lie head by head, and token by token. */
const heads = (choice: string): string => `import { SwiGLU } from "std"

block Heads[D, H, F, E] {
  param so: [H, D, E]
  use experts = E of SwiGLU[D, F]
  (x: [T, D]) => {
    let p = softmax(contract(so, x, over: D), over: E)
    sum(mixture(expand(x, [H]), choose(p, ${choice}), experts), over: H)
  }
}

block Wide[D, H, F, E] {
  param w: [D, E]
  use experts = E of SwiGLU[D, F]
  (x: [T, D]) => {
    let h = expand(x, [H])
    let p = softmax(h @ w, over: E)
    sum(mixture(h, choose(p, ${choice}), experts), over: H)
  }
}

model M[V = 64, D = 32, H = 4, F = 32, E = 5] {
  param tok: [V, D]
  use heads = Heads[D, H, F, E]
  use wide = Wide[D, H, F, E]
  forward(tokens: int[T]) -> f32[T, V] => {
    let x = tok[V: tokens]
    (x + heads(x) + wide(x)) @ tok
  }
}
`;

interface Verified {
  readonly kernels: { readonly relativeError: number };
  readonly routes: readonly { readonly name: string }[];
  readonly bound: number;
}

describe("moec verify", () => {
  const folder = mkdtempSync(join(tmpdir(), "moec-verify-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ["f32", 1e-5],
    ["q8_0", 0.1],
  ])("finds a random mixture in %s to be what its spec says", async (format, bound) => {
    mkdirSync(folder, { recursive: true });
    await moec(["new", join(folder, format), "--template", "mixture"]);
    const args = [
      "verify",
      join(folder, format),
      "--random",
      "3",
      "--quantization",
      format,
      "--tokens",
      "5",
      "--threads",
      "1",
      "--json",
    ];
    const { code, out, err } = await moec(args, { cwd: folder });
    expect(err).toBe("");
    const result = JSON.parse(out) as Verified & { decoding: Verified };
    expect(code).toBe(0);
    expect(result.routes.map(({ name }) => name)).toEqual(["layers.0.moe.experts", "layers.1.moe.experts"]);
    // Two choices for each of the tokens, of which two are decoded one by one.
    expect(result.decoding).toMatchObject({ explained: true, kernels: { positions: 2 } });
    expect(result.decoding.routes).toMatchObject([{ all: 10 }, { all: 10 }]);
    expect(result.decoding.kernels.relativeError).toBeLessThan(bound);
    expect(result.kernels.relativeError).toBeLessThan(bound);
    expect(result.bound).toBeLessThan(4 * bound);
  });

  it("reads the routes of heads in the order in which they lie, wherever the tokens are", async () => {
    const file = join(folder, "heads.moe");
    writeFileSync(file, heads("top: 2"));
    const args = [
      "verify",
      file,
      "--random",
      "3",
      "--quantization",
      "f32",
      "--tokens",
      "9",
      "--threads",
      "1",
      "--json",
    ];
    const { code, out, err } = await moec(args, { cwd: folder });
    expect(err).toBe("");
    expect(code).toBe(0);
    const { routes } = JSON.parse(out) as { routes: readonly { same: number; all: number }[] };
    expect(routes).toMatchObject([
      { same: 72, all: 72 },
      { same: 72, all: 72 },
    ]);
  });

  it("is not asked of a mixture whose number of slots a call decides", async () => {
    const file = join(folder, "open.moe");
    writeFileSync(file, heads("top: T"));
    const { code, out } = await moec(["build", file, "--random", "3", "--quantization", "f32", "--json"], {
      cwd: folder,
    });
    expect(code).not.toBe(0);
    expect(out).toContain("MOE3371");
  });

  // What MOE3371 says to write instead: as many experts as there are tokens, below and above the number of experts.
  it.each([3, 9])("follows a number of experts that a call decides, up to all: %i tokens", async (tokens) => {
    const file = join(folder, "followed.moe");
    writeFileSync(file, heads("where: top_mask(p, T, over: E), at_most: E"));
    const args = ["--random", "3", "--quantization", "f32", "--tokens", String(tokens), "--threads", "1", "--json"];
    const { code, out, err } = await moec(["verify", file, ...args], { cwd: folder });
    expect(err).toBe("");
    expect(code).toBe(0);
    const { routes } = JSON.parse(out) as { routes: readonly { same: number; all: number }[] };
    const chosen = tokens * 4 * Math.min(tokens, 5);
    expect(routes).toMatchObject([
      { same: chosen, all: chosen },
      { same: chosen, all: chosen },
    ]);
  });

  it.skipIf(!hasNative)("compares native kernels by the plan of their level", async () => {
    const args = [
      "verify",
      join(folder, "q8_0"),
      "--random",
      "3",
      "--quantization",
      "q8_0",
      "--device",
      "native",
      "--json",
    ];
    const { code, out, err } = await moec(args, { cwd: folder });
    expect(err).toBe("");
    const result = JSON.parse(out) as { kernels: { relativeError: number }; device: DeviceReport; bound: number };
    expect(code).toBe(0);
    expect(result.device.device).toBe("native");
    expect(result.kernels.relativeError).toBeLessThan(result.bound);
  });

  it("refuses a bundle, which has no sources to compare with", async () => {
    mkdirSync(join(folder, "bundle"));
    writeFileSync(join(folder, "bundle", "manifest.json"), "{}");
    const { code, err } = await moec(["verify", join(folder, "bundle")], { cwd: folder });
    expect(code).toBe(3);
    expect(err).toContain("MOE5403");
  });

  it("refuses more tokens than the context holds", async () => {
    writeFileSync(join(folder, "m.moe"), "");
    const { code, err } = await moec(
      ["verify", join(folder, "f32"), "--random", "3", "--threads", "1", "--tokens", "100000"],
      {
        cwd: folder,
      },
    );
    expect(code).toBe(3);
    expect(err).toContain("MOE5323");
  });
});
