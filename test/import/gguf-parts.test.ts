/** GGUF models in several files, as a user has them: any part, the folder or a list names the model. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { moec } from "../cli/io.js";
import { ggufParts } from "../support/gguf-parts.js";
import { configs, ggufBytes } from "./configs.js";

const cwd = mkdtempSync(join(tmpdir(), "moec-parts-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const bytes = ggufBytes(configs["olmoe"]!, "q8_0");
const parts = ggufParts(openCheckpoint(memorySource(bytes)), 3, { stem: "Tiny" });
const [first, second, third] = Object.keys(parts) as [string, string, string];
let expected: readonly number[];

async function run(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await moec(args, { cwd });
  expect(code, err + out).toBe(0);
  return out;
}
const ids = async (...args: readonly string[]): Promise<readonly number[]> =>
  (
    JSON.parse(await run("run", ...args, "quick brown", "-t", "0", "-n", "6", "--threads", "1", "--json")) as {
      ids: number[];
    }
  ).ids;
const refused = async (...args: readonly string[]): Promise<string> => {
  const { code, err, out } = await moec(args, { cwd });
  expect(code, out).toBe(3);
  return err;
};
const folderOf = (name: string, files: readonly string[]): void => {
  mkdirSync(join(cwd, name));
  for (const file of files) writeFileSync(join(cwd, name, file), parts[file]!);
};

beforeAll(async () => {
  writeFileSync(join(cwd, "whole.gguf"), bytes);
  await run("import", "whole.gguf", "--out", "whole");
  expected = await ids("whole");
  folderOf("all", [first, second, third]);
});

it("imports the folder and any part as the model that they are", async () => {
  // The name of the model and that of its file differ.
  const math = (text: string): string => text.replace(/, from `.*`/, "").replace(/^model \w+\[/m, "model M[");
  const spec = math(readFileSync(join(cwd, "whole", "whole.moe"), "utf8"));
  for (const [at, path] of ["all", `all/${second}`, `all/${third}`].entries()) {
    await run("import", path, "--out", `made-${at}`);
    expect(readFileSync(join(cwd, `made-${at}`, "moec.yaml"), "utf8")).toContain(`weights: ../all/${first}\n`);
    const name = at === 0 ? "all" : "tiny";
    const text = readFileSync(join(cwd, `made-${at}`, `${name}.moe`), "utf8");
    expect(math(text)).toBe(spec);
  }
  expect(await ids("made-1")).toEqual(expected);
  await run("verify", "made-1", "--tokens", "4", "--threads", "1");
  await run("inspect", "made-1", "--memory");
});

it("runs a part of a model without a project, whichever it is, or the folder", async () => {
  expect(await ids(`all/${third}`)).toEqual(expected);
  expect(await ids("all")).toEqual(expected);
});

it("counts a model in parts once", async () => {
  folderOf("several", [first, second, third]);
  writeFileSync(join(cwd, "several", "bert.gguf"), bytes);
  const said = new RegExp(`MOE5123.*holds 2 checkpoints[^]*${first}, bert\\.gguf`);
  expect(await refused("import", "several")).toMatch(said);
  expect(await refused("run", "several", "x")).toMatch(said);
});

it("says that sources are wanted where they are", async () => {
  for (const path of ["all", `all/${first}`]) {
    expect(await refused("inspect", path)).toMatch(/MOE5403.*needs a spec[^]*moec import/);
  }
});

it("takes a list of all parts and no other", async () => {
  await run("import", "all", "--out", "listed");
  const project = join(cwd, "listed", "moec.yaml");
  const text = readFileSync(project, "utf8");
  const listing = (names: readonly string[]): string =>
    text.replace(/^weights: .*$/m, `weights: [${names.map((name) => `../all/${name}`).join(", ")}]`);
  writeFileSync(project, listing([third, first, second]));
  expect(await ids("listed")).toEqual(expected);
  writeFileSync(project, listing([first, second]));
  expect(await refused("run", "listed", "x")).toMatch(/MOE5123.*list is not that of the parts/);
});

it("says which part is missing", async () => {
  folderOf("partial", [first, third]);
  expect(await refused("import", "partial")).toMatch(/MOE5123.*Tiny-00002-of-00003\.gguf[^]*is in 3 files/);
  expect(await refused("run", `partial/${third}`, "x")).toMatch(/MOE5123.*Tiny-00002-of-00003\.gguf/);
});

it("makes the bundle anew when another part has changed", async () => {
  folderOf("changing", [first, second, third]);
  await run("import", "changing", "--out", "follows");
  const out = async (): Promise<string> =>
    (await moec(["run", "follows", "x", "-n", "1", "--threads", "1"], { cwd })).err;
  const made = "kernels";
  expect(await out()).toContain(made);
  expect(await out()).not.toContain(made);
  utimesSync(join(cwd, "changing", third), 1, 1);
  expect(await out()).toContain(made);
});
