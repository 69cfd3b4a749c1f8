/** How the command comes into memory: as one file with V8's kept code, or module by module. */
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sourcePlaces } from "../../cli/source-places.js";
import { builtCommand, type BuiltCommand, type Ended } from "./built-command.js";

let command: BuiltCommand;
let home: string;
let cache: string;
let bundle: string;

beforeAll(async () => {
  command = await builtCommand("moec launch (1) ");
  ({ home, cache } = command);
  bundle = join(home, "dist/cli/moec.cjs");
  // What runs when the bundle must not: it says so.
  writeFileSync(join(home, "dist/cli/entry.js"), 'export const main = () => console.log("modules");\n');
  writeFileSync(join(home, "good.moe"), "block B[D] {\n  (x: [T, D]) => x + x\n}\n");
});
afterAll(() => command.remove());

const moec = (args: readonly string[], env: Record<string, string> = {}): Ended => command.run(args, env);

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

  it("takes no code of another text of the same length, or of an engine with other flags", () => {
    const own = { MOEC_CACHE: join(home, "edits") };
    const kinds = (): number => readdirSync(join(own.MOEC_CACHE, "code")).filter((name) => name !== "packages").length;
    const text = readFileSync(bundle, "latin1");
    // Whole seconds, so that the same time can be set again.
    const write = (content: string, time: number): void => {
      writeFileSync(bundle, content, "latin1");
      utimesSync(bundle, time, time);
    };
    const time = Math.ceil(statSync(bundle).mtimeMs / 1000);
    try {
      write(text, time);
      expect(moec(["explain", "MOE2041"], own).out).toContain("one axis with two sizes");
      expect(kinds()).toBe(1);
      // V8 compares nothing of the text but its length.
      write(text.replaceAll("one axis with two sizes", "one axis with six sizes"), time + 1);
      expect(moec(["explain", "MOE2041"], own).out).toContain("one axis with six sizes");
      expect(kinds()).toBe(2);
    } finally {
      write(text, time);
    }
    const flagged = command.shell('exec "$1" --no-opt "$2" explain MOE2041', [], own);
    expect(flagged.out).toContain("one axis with two sizes");
    expect(kinds()).toBe(3);
    expect(moec(["explain", "MOE2041"], own).out).toContain("one axis with two sizes");
    expect(kinds()).toBe(3);
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
