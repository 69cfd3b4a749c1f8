/** Files that are replaced together on disks that give no second names, and where not even going back works. */
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { report } from "../../cli/failures.js";
import { Shell } from "../../cli/shell.js";
import { placeOf, replaceFiles } from "../../runtime/node/replace-files.js";
import { folderOf, silentIo } from "../cli/io.js";

type Fault = (from: string, to: string) => void;
const faults: { link?: Fault; rename?: Fault } = vi.hoisted(() => ({}));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const linkSync = (from: string, to: string): void => {
    faults.link?.(from, to);
    real.linkSync(from, to);
  };
  const renameSync = (from: string, to: string): void => {
    faults.rename?.(from, to);
    real.renameSync(from, to);
  };
  return { ...real, linkSync, renameSync };
});

let made: { readonly path: string; remove(): void };
const at = (name: string): string => join(made.path, name);
beforeEach(() => (made = folderOf({ a: "old a", b: "old b" })));
afterEach(() => {
  delete faults.link;
  delete faults.rename;
  vi.useRealTimers();
  made.remove();
});

const names = ["a", "new", "b", "last"];
const paths = (): readonly string[] => names.map(at);
const fill = (asides: readonly string[]): void => asides.forEach((aside, i) => fs.writeFileSync(aside, `new ${i}`));
const contents = (): Record<string, string> =>
  Object.fromEntries(fs.readdirSync(made.path).map((name) => [name, fs.readFileSync(at(name), "utf8")]));

function refused(syscall: string, code: string, path: string, dest: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { syscall, code, path, dest });
}

/** Disks without second names: FAT, some of networks. */
const noLinks: Fault = (from, to) => {
  throw refused("link", "EPERM", from, to);
};

/** Refuses to move a file to these names, to `last` always. */
const busy =
  (isBusy: (name: string) => boolean, from: () => boolean): Fault =>
  (path, dest) => {
    if (basename(dest) === "last" || (from() && isBusy(basename(dest)))) throw refused("rename", "EBUSY", path, dest);
  };
const always = (): boolean => true;

it.each([["with", undefined] as const, ["without", noLinks] as const])(
  "all are old when one can't take its place, %s second names",
  (_, link) => {
    if (link) faults.link = link;
    faults.rename = busy(() => false, always);
    fs.symlinkSync("nowhere", at("dangling"));
    expect(() => replaceFiles([...paths().slice(0, 3), at("dangling"), at("last")], fill)).toThrow("EBUSY");
    expect(fs.readlinkSync(at("dangling"))).toBe("nowhere");
    fs.unlinkSync(at("dangling"));
    expect(contents()).toEqual({ a: "old a", b: "old b" });
  },
);

it("a path that is there twice has what it had before", () => {
  faults.rename = busy(() => false, always);
  expect(() => replaceFiles([at("a"), at("a"), at("new"), at("new"), at("last")], fill)).toThrow("EBUSY");
  expect(contents()).toEqual({ a: "old a", b: "old b" });
});

it("the names of files stand for something at any time, on disks without second names too", () => {
  faults.link = noLinks;
  const seen: unknown[] = [];
  faults.rename = () => void seen.push(["a", "b"].map((name) => fs.existsSync(at(name))));
  replaceFiles(paths(), fill);
  expect(seen).toEqual(names.map(() => [true, true]));
  expect(contents()).toEqual({ a: "new 0", new: "new 1", b: "new 2", last: "new 3" });
});

it.each([
  ["beside its place", (name: string) => name === "a", /^a\.before-[0-9a-f]{8}$/],
  ["where it was kept", (name: string) => name.startsWith("a"), /^\.a\.\d+\.[0-9a-f]{8}~$/],
])("what can't be put back stays %s, and the error says so", (_, isBusy, place) => {
  let renames = 0;
  faults.rename = busy(isBusy, () => ++renames > 1);
  let error: unknown;
  try {
    replaceFiles(paths(), fill);
  } catch (thrown) {
    error = thrown;
  }
  const { a, b, ...others } = contents();
  expect([a, b]).toEqual(["new 0", "old b"]);
  expect(Object.values(others)).toEqual(["old a"]);
  const [kept] = Object.keys(others);
  expect(kept).toMatch(place);
  const said: string[] = [];
  const io = { ...silentIo({ cwd: made.path }), out: (text: string) => void said.push(text) };
  expect(report(new Shell(io, "build", { json: true }), error)).toBe(3);
  expect(JSON.parse(said.join(""))).toMatchObject({
    error: {
      code: "MOE5467",
      message:
        `can't use \`${at("last")}\`: another program uses it; and not all files could be put back: ` +
        `what was in \`${at("a")}\` is in \`${at(kept!)}\``,
    },
  });
});

/** No process has a number above 2^22. */
const gone = 2 ** 22 + 1;

it("what a killed process kept goes back to where nothing is, and else away", () => {
  const kept = [".a", ".missing"].map((name) => `${name}.${gone}.0123abcd~`);
  kept.forEach((name) => fs.writeFileSync(at(name), "kept"));
  expect(kept.map((name) => basename(placeOf(at(name))))).toEqual(["a", "missing"]);
  // A second name has the old times of its file, and is still as young as it is.
  fs.linkSync(at("b"), at(`.b.${gone}.0123abcd~`));
  fs.utimesSync(at("b"), 0, 0);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 30_000 });
  replaceFiles([at("c")], fill);
  expect(Object.keys(contents()).sort()).toEqual([...kept, `.b.${gone}.0123abcd~`, "a", "b", "c"].sort());

  made.remove();
  made = folderOf({ a: "a" });
  kept.forEach((name) => fs.writeFileSync(at(name), "kept"));
  vi.setSystemTime(Date.now() + 61_000);
  replaceFiles([at("c")], fill);
  expect(contents()).toEqual({ a: "a", missing: "kept", c: "new 0" });
});
