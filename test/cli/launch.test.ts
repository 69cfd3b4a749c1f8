import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sourcePlaces } from "../../cli/source-places.js";
import { buildCli } from "../../scripts/build-cli.mjs";

const home = mkdtempSync(join(tmpdir(), "moec launch (1) "));
const cache = join(home, "cache");
const main = join(home, "dist/cli/main.js");
const bundle = join(home, "dist/cli/moec.cjs");

beforeAll(async () => {
  mkdirSync(join(home, "dist/cli"), { recursive: true });
  cpSync("package.json", join(home, "package.json"));
  for (const link of ["stdlib", "node_modules"]) symlinkSync(resolve(link), join(home, link));
  await buildCli(join(home, "dist/cli"));
  // What runs when the bundle must not: it says so.
  writeFileSync(join(home, "dist/cli/entry.js"), 'export const main = () => console.log("modules");\n');
  writeFileSync(join(home, "good.moe"), "block B[D] {\n  (x: [T, D]) => x + x\n}\n");
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function moec(args: readonly string[], env: Record<string, string> = {}) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], {
    cwd: home,
    encoding: "utf8",
    env: { ...process.env, MOEC_CACHE: cache, NODE_DISABLE_COMPILE_CACHE: "", ...env },
  });
  return { out: stdout, err: stderr, status };
}

/** The files of kept code, by command. */
function kept(): ReadonlyMap<string, string> {
  const code = join(cache, "code");
  const folders = existsSync(code) ? readdirSync(code) : [];
  return new Map(folders.flatMap((one) => readdirSync(join(code, one)).map((name) => [name, join(code, one, name)])));
}

describe("the bundled command", () => {
  it("keeps V8's code of what it has run, and runs the same with it", () => {
    const first = moec(["explain", "MOE2041"]);
    expect(first).toMatchObject({ status: 0, err: "" });
    const [, file] = [...kept()].find(([name]) => name === "explain")!;
    const { mtimeMs } = statSync(file);
    expect(moec(["explain", "MOE2041"])).toEqual(first);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
  });

  it("takes no code that is damaged, and makes it again", () => {
    const first = moec(["check", "good.moe", "--json"]);
    const file = kept().get("check")!;
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 1;
    for (const wrong of [damaged, whole.subarray(0, 1000)]) {
      writeFileSync(file, wrong);
      expect(moec(["check", "good.moe", "--json"])).toEqual(first);
      expect(readFileSync(file).length).toBeGreaterThan(whole.length / 2);
    }
  });

  it("keeps nothing of words that are no commands, and nothing at all when it must not", () => {
    const before = [...kept().keys()];
    expect(moec(["chekc"]).status).toBe(2);
    expect([...kept().keys()]).toEqual(before);
    const off = join(home, "off");
    expect(moec(["explain", "MOE2041"], { MOEC_CACHE: off, NODE_DISABLE_COMPILE_CACHE: "1" }).status).toBe(0);
    expect(existsSync(off)).toBe(false);
  });

  it("keeps nothing of runs that did little: help, files that are not there", () => {
    const little = { MOEC_CACHE: join(home, "little") };
    expect(moec(["explain", "--help"], little).status).toBe(0);
    expect(moec(["check", "missing.moe"], little).status).not.toBe(0);
    const files = existsSync(little.MOEC_CACHE) ? readdirSync(little.MOEC_CACHE, { recursive: true }) : [];
    expect(files.filter((name) => /(explain|check)$/.test(String(name)))).toEqual([]);
    expect(moec(["check", "good.moe"], little).status).toBe(0);
    expect(readdirSync(little.MOEC_CACHE, { recursive: true }).some((name) => String(name).endsWith("check"))).toBe(
      true,
    );
  });

  it("runs where nothing can be kept", () => {
    const file = join(home, "a file");
    writeFileSync(file, "");
    expect(moec(["--version"], { MOEC_CACHE: file })).toMatchObject({ status: 0, err: "" });
    chmodSync(file, 0o400);
    expect(moec(["--version"], { MOEC_CACHE: file })).toMatchObject({ status: 0, err: "" });
  });

  it("gives way to modules that were compiled later", () => {
    const record = join(home, "dist/.tsbuildinfo");
    writeFileSync(record, "");
    const { mtimeMs } = statSync(bundle);
    utimesSync(record, 0, mtimeMs / 1000 + 10);
    expect(moec(["--version"]).out).toBe("modules\n");
    utimesSync(record, 0, mtimeMs / 1000 - 10);
    expect(moec(["--version"]).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("says the places of its mistakes in the sources", () => {
    const lines = readFileSync(bundle, "utf8").split("\n");
    const text = "A language and compiler for sparse neural networks";
    const line = lines.findIndex((one) => one.includes(text));
    const place = `at f (${bundle}:${line + 1}:${lines[line]!.indexOf(text)})`;
    const [, source, at] = /^at f \((.*):(\d+):\d+\)$/.exec(sourcePlaces(place, bundle))!;
    expect(source).toBe("cli/program.ts");
    expect(readFileSync(source!, "utf8").split("\n")[Number(at) - 1]).toContain(text);
    expect(sourcePlaces("at g (/elsewhere/moec.cjs:1:1)", bundle)).toBe("at g (/elsewhere/moec.cjs:1:1)");
  });
});
