/** What a machine may do to a command: pipes instead of files, no home, full disks, closed pipes, few addresses. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtCommand, type BuiltCommand } from "./built-command.js";

const MODEL = `model Small[V = 8, D = 4] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, V] => tok[V: tokens] @ tok
}
`;

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand("moec machine 日本\n");
  writeFileSync(join(command.home, "small.moe"), MODEL);
});
afterAll(() => command.remove());

const hasPipes = process.platform !== "win32";
const FULL = "/dev/full";
/** A user whom the system does not know; only root may become one. */
const STRANGER = ["setpriv", "--reuid", "61234", "--clear-groups"];
const knowsStrangers = spawnSync(STRANGER[0]!, [...STRANGER.slice(1), "true"]).status === 0;
if (!knowsStrangers) console.warn("skipped: this user can't run a command as another one");

describe("paths that are no plain files", () => {
  it.runIf(hasPipes).each([
    ["check", ["check", "pipe.moe"], "MOE5123"],
    ["import", ["import", "pipe.gguf"], "MOE5123"],
    ["run", ["run", "pipe.gguf", "x"], "MOE5123"],
    ["build", ["build", "pipe.moe", "--random", "1"], "MOE2002"],
    ["tokenizer", ["build", "pipes", "--random", "1"], "MOE5123"],
    ["device", ["check", "/dev/zero"], "MOE5123"],
    ["link", ["check", "nowhere.moe"], "MOE5123"],
    ["circle", ["import", "circle.gguf"], "MOE5460"],
  ])("%s: refused, and not waited for", (_, args, code) => {
    const { home } = command;
    mkdirSync(join(home, "pipes"), { recursive: true });
    writeFileSync(join(home, "pipes/moec.yaml"), "model: ../small.moe\ntokenizer: ../pipe.json\n");
    for (const name of ["pipe.moe", "pipe.gguf", "pipe.json"]) {
      if (!existsSync(join(home, name))) spawnSync("mkfifo", [join(home, name)]);
    }
    for (const [name, target] of [
      ["nowhere.moe", "gone"],
      ["circle.gguf", "circle.gguf"],
    ] as const) {
      rmSync(join(home, name), { force: true });
      symlinkSync(target, join(home, name));
    }
    const { status, err } = command.run(args);
    expect(err).toContain(`error[${code}]`);
    expect([1, 3]).toContain(status);
  });
});

describe("where there is no home", () => {
  it.runIf(knowsStrangers)("commands run and keep nothing; what needs a folder says how to name one", () => {
    const nobody = { HOME: undefined, MOEC_CACHE: undefined, XDG_CACHE_HOME: undefined };
    const run = (args: readonly string[], env = {}) =>
      command.shell(`exec ${STRANGER.join(" ")} "$@"`, args, { ...nobody, ...env });
    expect(run(["check", "small.moe"])).toMatchObject({ status: 0, err: "" });
    expect(run(["explain", "MOE2041"]).status).toBe(0);
    expect(run(["doctor"]).out).toMatch(/cache .*MOEC_CACHE/);
    writeFileSync(join(command.home, "none.gguf"), "GGUF");
    const { status, err } = run(["run", "none.gguf", "x", "--device", "wasm"]);
    expect({ status, err }).toMatchObject({ status: 3, err: expect.stringContaining("MOEC_CACHE") as string });
    // A home that may not be written is as good as none.
    expect(run(["check", "small.moe"], { HOME: command.home })).toMatchObject({ status: 0, err: "" });
  });
});

describe.runIf(hasPipes)("streams", () => {
  it.runIf(existsSync(FULL))("a full disk behind standard output is MOE5460, with exit code 3", () => {
    for (const args of [["explain", "MOE2041"], ["check", "small.moe", "--json"], ["--help"]]) {
      const { status, err } = command.shell(`exec "$@" > ${FULL}`, args);
      expect(err).toBe("error[MOE5460]: can't use `standard output`: the disk is full\n");
      expect(status).toBe(3);
    }
  });

  it("a reader of the result that leaves is no error; one of the notes does not end the work", () => {
    const said = command.shell('("$@"; echo $? >&3) 3>&2 | head -1', ["explain"]);
    expect(said).toMatchObject({ out: expect.stringMatching(/^MOE1001/) as string, err: "0\n" });
    const noted = command.shell('("$@" 2>&1 >/dev/null; echo $? >&3) 3>&2 | true', ["check", "missing.moe"]);
    expect(noted.err).toBe("3\n");
    const full = command.shell(`exec "$@" 2> ${FULL}`, ["check", "missing.moe"]);
    expect(full.status).toBe(3);
  });

  it("none at all are fine, too", () => {
    expect(command.shell('exec "$@" <&- >&- 2>&-', ["check", "small.moe"]).status).toBe(0);
    expect(command.shell('exec "$@" <&- >&- 2>&-', ["check", "missing.moe"]).status).toBe(3);
  });
});

it.runIf(hasPipes)("a folder that was deleted under a command is said", () => {
  const { status, err } = command.shell('mkdir gone && cd gone && rmdir ../gone && exec "$@"', ["check", "small.moe"]);
  expect({ status, err }).toMatchObject({ status: 3, err: expect.stringContaining("MOE5460") as string });
});

describe.runIf(hasPipes)("few addresses", () => {
  const built = (spec: string) =>
    command.shell('ulimit -v 3500000 && exec "$@"', ["build", spec, "--random", "1", "--out", "bundle"]);

  beforeAll(() => {
    // What a bundle carries to run plays no part here.
    for (const file of ["node/runtime-node.js", "types/runtime.d.ts", "browser/runtime.js"]) {
      mkdirSync(dirname(join(command.home, "dist/bundle", file)), { recursive: true });
      writeFileSync(join(command.home, "dist/bundle", file), "");
    }
  });

  it("what the engine can't have is said, and nothing is left", () => {
    writeFileSync(join(command.home, "large.moe"), MODEL.replace("V = 8, D = 4", "V = 800_000, D = 1024"));
    const before = readdirSync(command.home);
    const { status, err } = built("large.moe");
    expect({ status, err }).toMatchObject({
      status: 3,
      err: expect.stringMatching(/^error\[MOE4209\].*memory/m) as string,
    });
    expect(readdirSync(command.home)).toEqual(before);
  });

  it("a model that fits is built: that takes no memory of WebAssembly with its ten gigabytes of addresses", () => {
    expect(built("small.moe")).toMatchObject({ status: 0 });
    expect(existsSync(join(command.home, "bundle/manifest.json"))).toBe(true);
  });
});
