/** What the benches of native code stand on: their bars, their files, and that nothing is left running behind them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { judge, productBar } from "../../bench/native/bars.mjs";
import { prepareMachine } from "../../bench/native/machine.js";
import { readResults, writeResults } from "../../bench/native/results.mjs";

const folder = mkdtempSync(join(tmpdir(), "moec-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("bars of products", () => {
  const judged = (storage: string, T: number, share: number): readonly string[] => {
    const report = { machine: [], models: [], starts: [], layers: [], products: [{ storage, T, share }] };
    return judge(report, "olmoe").filter((line: string) => !line.endsWith("not measured"));
  };

  it.each([
    ["q4_0", 1],
    ["q4_0", 32],
    ["q8_0", 128],
    ["f32", 512],
  ])("%s of %d rows is judged by the one that is shown", (storage, T) => {
    const bar = productBar({ storage, T }) as number;
    expect(judged(storage, T, bar)).toEqual([expect.stringMatching(/: holds$/)]);
    expect(judged(storage, T, bar - 0.01)).toEqual([expect.stringMatching(/: MISSED$/)]);
  });

  it("are not asked of other products", () => {
    expect(productBar({ storage: "f16", T: 128 })).toBeUndefined();
    expect(judged("f16", 128, 0.1)).toEqual([]);
  });
});

describe("bars", () => {
  const empty = { machine: [], models: [], starts: [], layers: [], products: [] };
  const judged = (report: object): readonly string[] =>
    judge({ ...empty, ...report }, "olmoe").filter((line: string) => !line.endsWith("not measured"));
  const task = { type: "q4_0", busy: false, cache: "f32" };
  const start = { shape: "olmoe", type: "q4_0", moec: { wall: 10, resident: 50 }, llama: { wall: 60, resident: 100 } };

  it.each([
    {
      kind: "models beside llama.cpp's better thread count",
      report: (ratio: number) => ({
        models: [
          { ...task, shape: "llama-1b", name: "decode at 128", threads: 1, llama: 20, ratio: 9 },
          { ...task, shape: "llama-1b", name: "decode at 128", threads: 2, cache: "f16", llama: 10, ratio: 9 },
          { ...task, shape: "llama-1b", name: "decode at 128", threads: 2, llama: 10, ratio },
        ],
      }),
      ...{ holds: 2.2, misses: 2.18, about: "llama-1b q4_0, decode at 128, 2 threads" },
    },
    {
      kind: "models with a busy neighbour",
      report: (ratio: number) => ({
        models: [
          { ...task, shape: "olmoe-small", name: "decode at 128", threads: 2, busy: true, llama: 10, ratio },
          { ...task, shape: "olmoe-small", name: "decode at 128", threads: 1, llama: 90, ratio: 9 },
        ],
      }),
      ...{ holds: 2, misses: 1.99, about: "olmoe-small q4_0, decode at 128, 2 threads, a busy neighbour" },
    },
    {
      kind: "shares of reads",
      report: (share: number) => ({
        models: [{ ...task, shape: "olmoe", name: "decode at 128", threads: 2, share }],
      }),
      ...{ holds: 0.86, misses: 0.85, about: "olmoe q4_0, decode at 128, share of reads, 2 threads" },
    },
    {
      kind: "starts of q4_0",
      report: (resident: number) => ({
        starts: [
          { ...start, type: "q8_0", moec: { wall: 60, resident: 100 } },
          { ...start, moec: { wall: 10, resident } },
        ],
      }),
      ...{ holds: 55, misses: 56, about: "olmoe q4_0, resident memory" },
    },
    {
      kind: "layers of the slower thread count",
      report: (ratio: number) => ({
        layers: [
          { storage: "f32", tokens: 16, threads: 1, ratio: 9 },
          { storage: "f32", tokens: 16, threads: 2, ratio },
        ],
      }),
      ...{ holds: 1.2, misses: 1.19, about: "one layer f32, 16 tokens" },
    },
  ])("judge $kind", ({ report, holds, misses, about }) => {
    const lines = (value: number): readonly string[] => judged(report(value)).filter((line) => line.startsWith(about));
    expect(lines(holds)).toEqual([expect.stringMatching(/: holds$/)]);
    expect(lines(misses)).toEqual([expect.stringMatching(/: MISSED$/)]);
  });

  it("say nothing of a start of another type, nor of a layer with one thread count", () => {
    expect(judged({ starts: [{ ...start, type: "q8_0" }] })).toEqual([]);
    expect(judged({ layers: [{ storage: "f32", tokens: 16, threads: 1, ratio: 9 }] })).toEqual([]);
  });
});

describe("files of results", () => {
  it("hold what was written, and nothing lies beside them", () => {
    const path = join(folder, "whole.json");
    writeResults(path, [{ name: "a" }]);
    writeResults(path, [{ name: "a" }, { name: "b" }]);
    expect(readResults(path)).toEqual([{ name: "a" }, { name: "b" }]);
    expect(readdirSync(folder)).toEqual(["whole.json"]);
  });

  it("that are cut or absent hold nothing", () => {
    const path = join(folder, "cut.json");
    writeFileSync(path, '[{"name": "a"}, {"na');
    expect(readResults(path)).toBeUndefined();
    expect(readResults(join(folder, "absent.json"))).toBeUndefined();
  });
});

describe("processes", () => {
  it("a busy neighbour ends with the process that started it, however that ends", async () => {
    const neighbour = new URL("../../bench/native/neighbour.mjs", import.meta.url).href;
    const script = join(folder, "parent.mjs");
    writeFileSync(
      script,
      `import { fork } from "node:child_process";
      const neighbour = fork(new URL(${JSON.stringify(neighbour)}));
      neighbour.once("message", () => console.log(neighbour.pid));\n`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    // The neighbour holds the same pipe, which is closed when both have gone.
    const closed = once(parent, "close");
    const [pid] = (await once(parent.stdout, "data")) as [Buffer];
    expect(Number(pid.toString())).toBeGreaterThan(0);
    parent.kill("SIGKILL");
    expect(await closed).toEqual([null, "SIGKILL"]);
  });

  it("more threads than make calls at once are not measured as fewer", () => {
    const most = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
    expect(() => prepareMachine(most + 1)).toThrow(`UV_THREADPOOL_SIZE=${most + 1}`);
  });
});
