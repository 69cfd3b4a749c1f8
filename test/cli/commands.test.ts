/** Commands that need no model: exit codes, JSON, colours, help. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { commandsFor, makeProgram } from "../../cli/program.js";
import { folderOf, hasColor, moec } from "./io.js";

const folders: { remove(): void }[] = [];
function folder(files: Readonly<Record<string, string>>): string {
  const made = folderOf(files);
  folders.push(made);
  return made.path;
}
afterEach(() => folders.splice(0).forEach((made) => made.remove()));

const GOOD = "/// Twice.\nexpert Twice[D] {\n  (x: [D]) => x * 2\n}\n";
const BAD = "expert Twice[D] {\n  (x: [D]) => y * 2\n}\n";

const names = makeProgram({ cwd: ".", env: {} } as never, () => undefined, await commandsFor()).commands.map(
  (command) => command.name(),
);

describe("every command", () => {
  it.each(names)("%s has help with an example, and --json", async (name) => {
    const { code, out } = await moec([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("Examples:");
    expect(out).toContain("--json");
    expect(out).toContain(`moec ${name}`);
    // It fits the terminal, and no sentence is broken where the source was.
    const [text] = out.split("Examples:");
    for (const line of text!.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const [, description = ""] = text!.split("\n\n");
    const lines = description.split("\n");
    for (const [at, line] of lines.slice(0, -1).entries())
      expect(line.length + 1 + lines[at + 1]!.split(" ")[0]!.length, line).toBeGreaterThan(80);
  });

  it.each(["run", "serve", "usage", "verify"])("%s says that it takes Hugging Face folders", async (name) => {
    expect((await moec([name, "--help"])).out.replace(/\s+/g, " ")).toContain("a Hugging Face folder");
  });

  it("is listed by the help", async () => {
    const { out } = await moec(["--help"]);
    for (const name of names) expect(out).toContain(`  ${name} `);
  });

  it.each([
    [["nothing"], 2],
    [["check", "--nothing"], 2],
    [["run"], 2],
    [["fmt", "--check", "no-such-folder"], 3],
    [["build", "no-such-folder"], 3],
    [[], 2],
    [["--version"], 0],
  ])("%j ends with %d", async (args, code) => {
    expect((await moec(args)).code).toBe(code);
  });

  it("suggests the command that was meant", async () => {
    expect((await moec(["chekc"])).err).toContain("check");
  });
});

describe("check", () => {
  it("says that good files are good", async () => {
    const cwd = folder({ "a.moe": GOOD, "sub/b.moe": GOOD });
    const { code, out } = await moec(["check"], { cwd });
    expect(code).toBe(0);
    expect(out).toContain("2 files checked");
  });

  it("shows what is wrong and ends with 1", async () => {
    const cwd = folder({ "a.moe": BAD });
    const { code, out, err } = await moec(["check", "a.moe"], { cwd });
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toMatch(/error\[MOE\d{4}\]/);
    expect(err).toContain("a.moe:2:15");
  });

  it("gives diagnostics as JSON with lines and columns", async () => {
    const cwd = folder({ "a.moe": BAD });
    const { code, out } = await moec(["check", "--json"], { cwd });
    expect(code).toBe(1);
    const result = JSON.parse(out) as { diagnostics: { code: string; span: { from: object } }[] };
    expect(result).toMatchObject({ schema: 1, command: "check", ok: false, files: 1 });
    expect(result.diagnostics[0]!.span).toMatchObject({ file: "a.moe", from: { line: 2, column: 15 } });
  });
});

describe("check --fix", () => {
  it("mends what has one way to mend it, and says what", async () => {
    const text = "expert Twice[D] {\n  (input: [D]) => inptu * 2 + inptu\n}\n";
    const cwd = folder({ "a.moe": text });
    const { code, out } = await moec(["check", "--fix"], { cwd });
    expect(out).toContain("fixed a.moe");
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, "a.moe"), "utf8")).toBe(text.replaceAll("inptu", "input"));
  });

  it("leaves what it can't mend and ends with 1", async () => {
    const text = "expert Twice[D] {\n  (x: [D]) => nothing_like_it * 2\n}\n";
    const cwd = folder({ "a.moe": text });
    const { code, err } = await moec(["check", "--fix"], { cwd });
    expect(code).toBe(1);
    expect(err).toContain("nothing_like_it");
    expect(readFileSync(join(cwd, "a.moe"), "utf8")).toBe(text);
  });
});

describe("fmt", () => {
  it("--diff shows lines that change, changes nothing and ends with 1", async () => {
    const ugly = "expert Twice[D] {\n  (x: [D])   =>  x * 2\n}\n";
    const cwd = folder({ "a.moe": ugly });
    const { code, out } = await moec(["fmt", "--diff"], { cwd });
    expect(code).toBe(1);
    expect(out).toContain("-  (x: [D])   =>  x * 2\n+  (x: [D]) => x * 2");
    expect(readFileSync(join(cwd, "a.moe"), "utf8")).toBe(ugly);
    expect((await moec(["fmt"], { cwd })).code).toBe(0);
    expect(await moec(["fmt", "--diff"], { cwd })).toMatchObject({ code: 0, out: "" });
  });

  const crooked = GOOD.replace("  (x", "      (x");
  it("rewrites what is crooked, once", async () => {
    const cwd = folder({ "a.moe": crooked, "b.moe": GOOD });
    const first = await moec(["fmt"], { cwd });
    expect(first).toMatchObject({ code: 0, out: "formatted a.moe\n" });
    expect(readFileSync(join(cwd, "a.moe"), "utf8")).toBe(GOOD);
    expect((await moec(["fmt"], { cwd })).out).toContain("2 files formatted");
  });

  it("changes nothing with --check and ends with 1", async () => {
    const cwd = folder({ "a.moe": crooked });
    const { code, out } = await moec(["fmt", "--check"], { cwd });
    expect(code).toBe(1);
    expect(out).toContain("needs format a.moe");
    expect(readFileSync(join(cwd, "a.moe"), "utf8")).toBe(crooked);
  });

  it("formats standard input", async () => {
    expect(await moec(["fmt", "--stdin"], { input: crooked })).toMatchObject({ code: 0, out: GOOD });
  });

  it("leaves files with syntax errors alone", async () => {
    const cwd = folder({ "a.moe": "expert {" });
    const { code, err } = await moec(["fmt"], { cwd });
    expect(code).toBe(1);
    expect(err).toMatch(/error\[MOE1/);
    expect(readFileSync(join(cwd, "a.moe"), "utf8")).toBe("expert {");
  });
});

describe("explain", () => {
  it("fits the terminal", async () => {
    for (const code of ["MOE2280", "MOE3371", "MOE4280"]) {
      const { out } = await moec(["explain", code]);
      const [text] = out.split("\nWrong");
      for (const line of text!.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  it("prints the page of a code however it is typed", async () => {
    for (const code of ["MOE5310", "5310", "moe5310"]) {
      const { out } = await moec(["explain", code]);
      expect(out).toContain("4 GiB");
      expect(out).toContain("Wrong");
    }
  });

  it("suggests codes that are near", async () => {
    const { code, err } = await moec(["explain", "MOE5319"]);
    expect(code).toBe(2);
    expect(err).toContain("MOE53");
  });

  it("lists all codes", async () => {
    const { codes } = JSON.parse((await moec(["explain", "--json"])).out) as { codes: unknown[] };
    expect(codes.length).toBeGreaterThan(50);
  });
});

describe("new", () => {
  it("makes a project that checks and is formatted", async () => {
    for (const template of ["mixture", "dense"]) {
      const cwd = folder({});
      expect((await moec(["new", "my-model", "--template", template], { cwd })).code).toBe(0);
      expect(await moec(["check", "my-model"], { cwd })).toMatchObject({ code: 0, err: "" });
      expect((await moec(["fmt", "--check", "my-model"], { cwd })).code).toBe(0);
    }
  });

  it("never writes over anything", async () => {
    const cwd = folder({ "work/model.moe": "mine" });
    const { code, err } = await moec(["new", "work"], { cwd });
    expect(code).toBe(3);
    expect(err).toContain("MOE5404");
    expect(readFileSync(join(cwd, "work/model.moe"), "utf8")).toBe("mine");
  });
});

describe("colours", () => {
  const args = ["explain", "MOE5310"];
  it.each([
    ["a terminal", {}, true, [], true],
    ["a pipe", {}, false, [], false],
    ["NO_COLOR", { NO_COLOR: "1" }, true, [], false],
    ["FORCE_COLOR", { FORCE_COLOR: "1" }, false, [], true],
    ["--no-color", { FORCE_COLOR: "1" }, true, ["--no-color"], false],
    ["--color", { NO_COLOR: "1" }, false, ["--color"], true],
    ["a dumb terminal", { TERM: "dumb" }, true, [], false],
    ["--json", { FORCE_COLOR: "1" }, true, ["--json"], false],
  ] as const)("with %s", async (_, env, terminal, more, expected) => {
    expect(hasColor((await moec([...args, ...more], { env, terminal })).out)).toBe(expected);
  });
});

describe("completions", () => {
  it.each(["bash", "zsh", "fish"])("for %s name every command and its options", async (shell) => {
    const { out } = await moec(["completions", shell]);
    for (const name of names) expect(out).toContain(name);
    expect(out).toContain("max-tokens");
  });

  it("for bash is a script that bash can read", async () => {
    const { out } = await moec(["completions", "bash"]);
    const cwd = folder({ "moec.bash": out });
    const complete = `source moec.bash; COMP_WORDS=(moec ch); COMP_CWORD=1; _moec; echo "\${COMPREPLY[@]}"`;
    expect(execFileSync("bash", ["-c", complete], { cwd }).toString().trim()).toBe("check");
  });
});

describe("doctor", () => {
  it("finds what the tests run on", async () => {
    const { code, out } = await moec(["doctor", "--json"]);
    expect(code).toBe(0);
    const { findings } = JSON.parse(out) as { findings: { name: string; state: string }[] };
    expect(findings.find(({ name }) => name === "wasm SIMD")?.state).toBe("good");
  });
});

describe("a wrong project file", () => {
  it.each([
    ["modle: a.moe\n", "moec.yaml:1:1", "`model`"],
    ["model: a.moe\nquantization: q9\n", "moec.yaml:2:15", "q8_0"],
    ["model: a.moe\ncontext: -4\n", "moec.yaml:2:10", "context"],
    ["model: a.moe\ngenerate:\n  top_p: 1\n", "moec.yaml:3:3", "`topP`"],
    ["model: [a\n", "moec.yaml:", "MOE5401"],
    ["- a\n- b\n", "moec.yaml:1:1", "MOE5402"],
    ["", "moec.yaml:1:1", "it is missing"],
    ["model: &a [*a]\n", "moec.yaml", "MOE540"],
  ])("%j is pointed at", async (text, place, word) => {
    const cwd = folder({ "moec.yaml": text, "a.moe": GOOD });
    const { code, err } = await moec(["build", "."], { cwd });
    expect(code).toBe(1);
    expect(err).toContain(place);
    expect(err).toContain(word);
  });
});

describe("a command that was interrupted or has a mistake in it", () => {
  it("does not print a stack for what users cause", async () => {
    const cwd = folder({ "moec.yaml": "model: a.moe\n", "a.moe": GOOD });
    const { code, err } = await moec(["build"], { cwd });
    expect(code).toBe(3);
    expect(err).toContain("MOE5407");
    expect(err).not.toContain("    at ");
  });
});
