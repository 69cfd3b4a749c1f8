/** What people do wrong: places that can't be written, wrong options; also with `--json`. */
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

describe("places that can't be written", () => {
  const { path: cwd, remove } = folderOf({ taken: "somebody's work" });
  beforeAll(async () => {
    mkdirSync(join(cwd, "folder.onnx"));
    expect((await moec(["new", "mine"], { cwd })).code).toBe(0);
  });
  afterAll(remove);
  const random = ["--random", "1", "--size", "V=256", "--size", "L=1"];

  it.each([
    ["a bundle below a file", ["build", "mine", ...random, "--out", "taken/bundle"], "taken"],
    ["a spec where a file is", ["import", join(process.cwd(), "examples/tiny-moe"), "--out", "taken"], "taken"],
    ["an ONNX file where a folder is", ["export", "mine", ...random, "-o", "folder.onnx"], "folder.onnx"],
    ["a page below a file", ["inspect", "mine", "--html", "taken/page.html"], "taken"],
    ["a project where a file is", ["new", "taken"], "taken"],
  ])("%s", async (_, args, place) => {
    const { code, err } = await moec(args, { cwd });
    expect(err).toContain("MOE5460");
    expect(err).toContain(`\`${place}`);
    expect(err).not.toContain("mistake in moec");
    expect(code).toBe(3);
    expect(readFileSync(join(cwd, "taken"), "utf8")).toBe("somebody's work");
    // Nothing half-written stays.
    expect(readdirSync(cwd).sort()).toEqual(["folder.onnx", "mine", "taken"]);
  });

  it("makes the folders on the way to a file", async () => {
    const { code } = await moec(["inspect", "mine", "--html", "some/where/page.html"], { cwd });
    expect(code).toBe(0);
    expect(statSync(join(cwd, "some/where/page.html")).size).toBeGreaterThan(1000);
  });
});

describe("a wrong command line", () => {
  it.each([
    ["build", ["build", "--target", "foo"]],
    ["build", ["build", "--foo"]],
    ["generate", ["generate", "bundle", "x", "-n", "-1"]],
    ["generate", ["generate", "bundle", "x", "--top-p", "3"]],
    ["run", ["run", "spec.moe", "--threads", "0"]],
    ["run", ["run", "spec.moe", "x", "--threads", "1e9"]],
    ["run", ["run", "spec.moe", "x", "--seed", "1e300"]],
    ["verify", ["verify", "spec.moe", "--seed", "1e300"]],
    ["build", ["build", "spec.moe", "--random", "1e300"]],
    ["serve", ["serve", "bundle", "--texts", "257"]],
    // Timers of Node end at once when they are set for longer.
    ["serve", ["serve", "bundle", "--grace", "3000000"]],
    ["generate", ["generate", "bundle", "x", "--top-k", "1e9"]],
    ["serve", ["serve", "bundle", "--port", "70000"]],
    ["inspect", ["inspect", "spec.moe", "--size", "V=99999999999999999999999"]],
    ["completions", ["completions", "cmd.exe"]],
    ["", ["biuld"]],
  ])("of %s is said with code 2, as an object where that was asked for", async (command, args) => {
    const text = await moec(args);
    expect(text.code).toBe(2);
    expect(text.err).toMatch(/^error\[MOE5461\]: /);
    const { code, out, err } = await moec([...args, "--json"]);
    expect([code, err]).toEqual([2, ""]);
    const said = JSON.parse(out) as { command: string; ok: boolean; error: { message: string } };
    expect(said).toMatchObject({ schema: 1, command, ok: false, error: { code: "MOE5461" } });
    expect(text.err).toContain(said.error.message);
  });
});

it("help for a command that is none names it", async () => {
  const { code, out } = await moec(["help", "nope", "--json"]);
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ ok: false, error: { message: "unknown command 'nope'" } });
});

describe("hints", () => {
  it("axes begin at 1", async () => {
    const spec = "model M[V = 8, D = 4] {\n  param tok: [V, D]\n  forward(tokens: int[T]) => tok[V: tokens]\n}\n";
    const { path: cwd, remove } = folderOf({ "m.moe": spec });
    try {
      const { code, err } = await moec(["inspect", "m.moe", "--size", "D=0"], { cwd });
      expect([code, err]).toEqual([1, expect.stringContaining("MOE2282")]);
    } finally {
      remove();
    }
  });

  it("a checkpoint is not a project", async () => {
    const { path: cwd, remove } = folderOf({ "m.safetensors": "" });
    try {
      expect((await moec(["run", "m.safetensors", "hi"], { cwd })).err).toContain("moec import");
      expect((await moec(["check"], { cwd })).out).toContain("there is no .moe file");
    } finally {
      remove();
    }
  });

  it("a folder with a space is quoted", async () => {
    const { path: cwd, remove } = folderOf({});
    try {
      expect((await moec(["new", "my model"], { cwd })).out).toContain('moec run "my model"');
    } finally {
      remove();
    }
  });
});
