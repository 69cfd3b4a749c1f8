/** `docs/cli.md` says all of the command line and nothing else. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commandsFor, makeProgram } from "../../cli/program.js";
import { EXIT } from "../../cli/exit-codes.js";
import { projectSchema } from "../../cli/project-file.js";

const text = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
const program = makeProgram({ cwd: ".", env: {} } as never, () => undefined, await commandsFor());

describe("docs/cli.md", () => {
  it.each(program.commands.map((command) => [command.name(), command] as const))(
    "has %s with its options",
    (name, command) => {
      expect(text).toContain(`moec ${name}`);
      for (const { long } of command.options) expect(text, `${name} ${long}`).toContain(long);
    },
  );

  it("names only options that exist", () => {
    const known = new Set(program.commands.flatMap((command) => command.options.map(({ long }) => long)));
    for (const [option] of text.matchAll(/--[a-z][a-z-]+/g))
      expect(known.has(option) || option === "--help", option).toBe(true);
  });

  it("lists the exit codes", () => {
    for (const code of Object.values(EXIT)) expect(text).toMatch(new RegExp(`\\| ${code} +\\|`));
  });

  it("shows every key of moec.yaml", () => {
    for (const key of Object.keys(projectSchema.shape)) expect(text).toMatch(new RegExp(`^${key}:`, "m"));
  });
});
