/** Every template of `moec new`: checked, tested, built, and run by the command that `new` prints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TEMPLATES } from "../../cli/templates.js";
import { printable } from "../../cli/show/printable.js";
import { loadTokenizer } from "../../runtime/tokenizer/index.js";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { folderOf, moec, type Outcome } from "./io.js";

const { path: cwd, remove } = folderOf({});
afterAll(remove);

describe.each(Object.keys(TEMPLATES))("%s", (template) => {
  const run = (...args: string[]): Promise<Outcome> => moec(args, { cwd });

  it("goes the whole way", async () => {
    const made = await run("new", template, "--template", template);
    expect(made.code, made.err).toBe(0);
    expect(await run("check", template, "--warnings-as-errors")).toMatchObject({ code: 0, err: "" });
    expect(await run("fmt", "--check", template)).toMatchObject({ code: 0 });
    expect((await run("test", template)).out).toMatch(/1 passed, 0 failed/);
    const built = await run("build", template, "--random", "1", "--out", join("built", template));
    expect(built.code, built.err).toBe(0);
    expect((await run("generate", join("built", template), "Once", "-n", "4", "--threads", "1")).code).toBe(0);
  });

  it("shows a prompt and its routes on a terminal without power over it", async () => {
    const terminal = { cwd, terminal: true, env: { NO_COLOR: "1" } };
    const args = [
      "run",
      join("built", template),
      "\u001b[2J\u0007 and some more",
      "-n",
      "1",
      "--threads",
      "1",
      "--trace",
    ];
    const { code, out, err } = await moec(args, terminal);
    expect(code, err).toBe(0);
    // eslint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]/);
    if (template === "mixture") expect(out).toMatch(/^ +┌␛ +.+┐$/m);
  });

  it("runs by the commands that `new` prints", async () => {
    const { out } = await run("new", `${template}-printed`, "--template", template);
    const printed = [...out.matchAll(/^ {2}moec (.*)$/gm)].map(([, line]) => line!);
    expect(printed.map((line) => line.split(" ")[0])).toEqual(["test", "run"]);
    for (const line of printed) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
      // Tests run from the sources, which threads are not started from.
      const { code, err } = await run(...words, ...(words[0] === "run" ? ["--threads", "1"] : []));
      expect(code, `${line}: ${err}`).toBe(0);
    }
  });
});

it.each(["layer", "t", "attention", "linear", "MLP", "v"])("a folder %j gives a model that checks", async (name) => {
  for (const template of Object.keys(TEMPLATES)) {
    const folder = join(template, "named", name);
    expect((await moec(["new", folder, "--template", template], { cwd })).code).toBe(0);
    expect(await moec(["check", folder, "--warnings-as-errors"], { cwd })).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(join(cwd, folder, "model.moe"), "utf8")).toMatch(/^model \w+Model\[/m);
  }
});

it("the tokenizer of templates gives the bytes of any text and the text of its bytes", () => {
  const tokenizer = loadTokenizer({ tokenizer: byteTokenizer() });
  const text = "Once upon a time: ½ é 汉 🙂\n\t\u001b";
  const ids = tokenizer.encode(text);
  expect(ids).toEqual([...new TextEncoder().encode(text)]);
  expect(tokenizer.decode(ids)).toBe(text);
  expect(tokenizer.vocabSize).toBe(256);
});

it("text on a terminal has no power over it", () => {
  expect(printable("a\u001b[2Jb\u0007\u007f\u009bc\r\n\té")).toBe("a␛[2Jb␇␡\ufffdc␍\n\té");
});
