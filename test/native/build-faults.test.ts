/** `moec build --target native` twice at once, and killed in the middle: what is there afterwards is whole. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cache } from "../../runtime/native/cache.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { moec } from "../cli/io.js";
import { hasNative, levels } from "../support/native.js";
import { startWaiting, together, type Kill } from "../support/waiting-process.js";

const cwd = mkdtempSync(join(tmpdir(), "moec-faults-"));
const cache = (name: string): string => (process.env["MOEC_CACHE"] = join(cwd, `cache-${name}`));
const before = process.env["MOEC_CACHE"];
afterAll(() => {
  if (before === undefined) delete process.env["MOEC_CACHE"];
  else process.env["MOEC_CACHE"] = before;
  rmSync(cwd, { recursive: true, force: true });
});

/** Without products, whose kernels take LLVM seconds. */
const MODEL = `model Small[V = 64, D = 32] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, D] => 2 * tok[V: tokens]
}
`;
const build = (out: string): readonly string[] => [
  ...["build", "small.moe", "--out", out, "--target", "native", "--level", levels.at(-1)!.name],
  ...["--random", "1", "--context", "32", "--prefill", "8"],
];

/** The command line in a process; gives its exit code and what it said. */
const command = (args: readonly string[]): string => `
const { runCli } = await load("cli/program.ts");
const run = async () => {
  let err = "";
  const io = {
    cwd: ${JSON.stringify(cwd)}, env: {}, outIsTerminal: false, errIsTerminal: false, columns: 80,
    signal: new AbortController().signal, out: () => {}, err: (text) => { err += text; }, readInput: async () => "",
  };
  return { code: await runCli(${JSON.stringify(args)}, io), err };
};`;

interface Ended {
  readonly code: number;
  readonly err: string;
}

/** Loads the bundle, whose files are hashed then, and computes with it. */
async function logits(folder: string): Promise<readonly number[]> {
  using model = await loadModel(Model, join(cwd, folder), { device: "native", threads: 1, verify: true });
  const { outputs } = await model.call("forward", { tokens: [1, 2, 3] });
  return [...Object.values(outputs)[0]!.data];
}

const hidden = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name.startsWith("."));

/** Every file of the cache is whole. */
function expectWhole(root: string): void {
  for (const kind of readdirSync(root)) {
    const kept = new Cache(kind, undefined, root);
    for (const name of readdirSync(join(root, kind))) expect(kept.read(name), `${kind}/${name}`).toBeDefined();
  }
}

describe.runIf(hasNative)("native builds", () => {
  let expected: readonly number[] = [];
  beforeAll(async () => {
    cache("alone");
    writeFileSync(join(cwd, "small.moe"), MODEL);
    expect(await moec(build("alone/bundle"), { cwd })).toMatchObject({ code: 0, err: "" });
    expected = await logits("alone/bundle");
  });

  it("two at once into one folder and one cache end well, or one is refused", async () => {
    const root = cache("two");
    const body = command(build("two/bundle"));
    const ended = await together([startWaiting<Ended>(body), startWaiting<Ended>(body)]);
    const refused = ended.filter((one) => one!.code !== 0);
    expect(refused.length).toBeLessThan(2);
    for (const one of refused) {
      expect(one).toMatchObject({ code: 3, err: expect.stringContaining("MOE5314") as string });
    }
    expect(hidden(join(cwd, "two"))).toEqual([]);
    expectWhole(root);
    expect(await logits("two/bundle")).toEqual(expected);
  });

  it("two that take turns in writing one folder are kept apart, from the lock's first byte on", async () => {
    const body = `
const { writeFolder } = await load("cli/write-folder.ts");
const run = () => {
  const codes = {};
  for (let turn = 0; turn < 300; turn++) {
    let code = "written";
    try {
      writeFolder(${JSON.stringify(join(cwd, "turns/bundle"))}, (writer) => {
        const file = writer.open("manifest.json");
        file.write(Buffer.from('{"format":"moec-bundle","turn":'));
        file.write(Buffer.from(turn + "}"));
        file.close();
      });
    } catch (error) {
      code = error.code;
    }
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return codes;
};`;
    type Codes = Readonly<Record<string, number>>;
    const all = await together([startWaiting<Codes>(body), startWaiting<Codes>(body)]);
    const codes = new Set(all.flatMap((one) => Object.keys(one!)));
    codes.delete("MOE5314");
    expect([...codes]).toEqual(["written"]);
    expect(hidden(join(cwd, "turns"))).toEqual([]);
  });

  it("killed in the middle: the next one works, and clears what was left", async () => {
    const root = cache("killed");
    const folder = join(cwd, "killed");
    mkdirSync(folder);
    const objects = join(root, "objects");
    const kills: readonly Kill[] = [
      // Half of an object is in the cache, half of the bundle's first file in its folder, the old bundle is set aside.
      { call: "writeFileSync", word: join("cache-killed", "objects") },
      { call: "writeSync", word: ".building" },
      { call: "renameSync", word: ".building" },
    ];
    for (const [turn, kill] of kills.entries()) {
      const child = startWaiting<Ended>(command(build("killed/bundle")), kill);
      expect(await together([child])).toEqual([undefined]);
      expect(existsSync(join(folder, "bundle"))).toBe(false);
      expect(hidden(folder)).toEqual(turn === 0 ? [] : [".bundle.building", ".bundle.lock"]);
      expect(hidden(objects)).toHaveLength(turn === 0 ? 1 : 0);
      // What was written a moment ago may belong to a process on another machine.
      for (const name of hidden(objects)) utimesSync(join(objects, name), new Date(0), new Date(0));
      expect(await moec(build("killed/bundle"), { cwd })).toMatchObject({ code: 0, err: "" });
      expect(hidden(folder)).toEqual([]);
      expectWhole(root);
      expect(await logits("killed/bundle")).toEqual(expected);
      rmSync(join(folder, "bundle"), { recursive: true });
    }
  });
});
