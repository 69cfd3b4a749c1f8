/** Several files of one command are replaced together or not at all, and nothing is left of a command that failed. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { writeTextFiles } from "../../cli/write-text-files.js";
import { replaceFiles, replaceFilesInTurns } from "../../runtime/node/replace-files.js";
import { folderOf, moec } from "./io.js";

const folders: { remove(): void }[] = [];
function folder(files: Readonly<Record<string, string>> = {}): string {
  const made = folderOf(files);
  folders.push(made);
  return made.path;
}
afterEach(() => folders.splice(0).forEach((made) => made.remove()));

/** All files below a folder with what they hold; folders as such. */
function contents(path: string): Record<string, string | undefined> {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
  const text = (name: string): string | undefined =>
    statSync(join(path, name)).isDirectory() ? undefined : readFileSync(join(path, name), "utf8");
  return Object.fromEntries(names.map((name) => [name, text(name)]));
}

describe.each([
  [
    "at once",
    (paths: readonly string[], write: (asides: readonly string[]) => void): unknown => replaceFiles(paths, write),
  ],
  [
    "in turns",
    (paths: readonly string[], write: (asides: readonly string[]) => void): unknown =>
      replaceFilesInTurns(paths, (asides) => Promise.resolve(asides).then(write)),
  ],
])("files replaced %s", (_, replace) => {
  const fill = (asides: readonly string[]): void => asides.forEach((aside, at) => writeFileSync(aside, `new ${at}`));

  it("are all new, in folders that were not there", async () => {
    const cwd = folder({ a: "old a" });
    await Promise.resolve(replace([join(cwd, "a"), join(cwd, "deep/er/b")], fill));
    expect(contents(cwd)).toEqual({ a: "new 0", deep: undefined, "deep/er": undefined, "deep/er/b": "new 1" });
  });

  it("are all old when one can't take its place", async () => {
    const cwd = folder({ a: "old a", "c/keep": "" });
    const before = contents(cwd);
    const paths = ["a", "b", "deep/d", "c"].map((name) => join(cwd, name));
    await expect(Promise.resolve().then(() => replace(paths, fill))).rejects.toMatchObject({ syscall: "rename" });
    expect(contents(cwd)).toEqual(before);
  });

  it("leave no folder when writing fails, nor when a folder can't be made", async () => {
    const cwd = folder({ a: "old a" });
    const before = contents(cwd);
    const broken = (): void => {
      throw new Error("no more");
    };
    await expect(Promise.resolve().then(() => replace([join(cwd, "x/y/b"), join(cwd, "x/c")], broken))).rejects.toThrow(
      "no more",
    );
    const long = "n".repeat(300);
    await expect(
      Promise.resolve().then(() => replace([join(cwd, "a"), join(cwd, "x", long, "b")], fill)),
    ).rejects.toMatchObject({ code: "ENAMETOOLONG" });
    expect(contents(cwd)).toEqual(before);
  });
});

it("a text file that is a link stays one, and files keep who may read them", () => {
  const cwd = folder({ real: "old" });
  symlinkSync("real", join(cwd, "link"));
  const { mode } = statSync(join(cwd, "real"));
  writeTextFiles([{ path: join(cwd, "link"), text: "new" }]);
  expect(readFileSync(join(cwd, "real"), "utf8")).toBe("new");
  expect(statSync(join(cwd, "real")).mode).toBe(mode);
});

it.each([0o600, 0o664])("a text file goes on with the mode %i, whatever the umask cuts", (mode) => {
  const cwd = folder({ text: "old" });
  chmodSync(join(cwd, "text"), mode);
  writeTextFiles([{ path: join(cwd, "text"), text: "new" }]);
  expect(readFileSync(join(cwd, "text"), "utf8")).toBe("new");
  expect(statSync(join(cwd, "text")).mode & 0o777).toBe(mode);
});

describe("commands", () => {
  const crooked = "expert Twice[D] {\n      (x: [D])  => x * 2\n}\n";

  it("fmt changes all files or none", async () => {
    // The name beside it is longer than names may be.
    const cwd = folder({ "a.moe": crooked, [`${"b".repeat(245)}.moe`]: crooked });
    const before = contents(cwd);
    const { code, err } = await moec(["fmt"], { cwd });
    expect([code, err]).toEqual([3, expect.stringContaining("MOE5460")]);
    expect(contents(cwd)).toEqual(before);
  });

  it("import --force replaces both files or none", async () => {
    const cwd = folder({ "into/tiny-moe.moe": "my spec" });
    mkdirSync(join(cwd, "into/moec.yaml/mine"), { recursive: true });
    const before = contents(cwd);
    const { code, err } = await moec(["import", join(process.cwd(), "examples/tiny-moe"), "--out", "into", "--force"], {
      cwd,
    });
    expect([code, err]).toEqual([3, expect.stringContaining("MOE5460")]);
    expect(contents(cwd)).toEqual(before);
  });

  it("build leaves no folder behind a spec that does not build", async () => {
    const cwd = folder();
    await moec(["new", "m"], { cwd });
    const before = contents(cwd);
    const args = ["build", "m", "--random", "1", "--out", "some/where/bundle", "--size", "V=256", "--size", "L=1"];
    const { code } = await moec([...args, "--size", "F=4194304"], { cwd });
    expect(code).not.toBe(0);
    expect(contents(cwd)).toEqual(before);
    expect(existsSync(join(cwd, "some"))).toBe(false);
  });
});
