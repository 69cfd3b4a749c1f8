/** What commands say fits the terminal, or stays in whole lines where it is piped. */
import { expect, it } from "vitest";
import { COMMAND_NAMES } from "../../cli/program.js";
import { moec } from "./io.js";

const COLUMNS = 80;
/** Lines beyond the terminal; a word that has no break, such as a path, may be. */
const tooLong = (text: string): readonly string[] =>
  text.split("\n").filter((line) => line.length > COLUMNS && line.trim().includes(" ", COLUMNS / 2));

it.each([["doctor"], ["search", "sinkhorn"], []])("moec %s %s fits a terminal of 80 cells", async (...args) => {
  const { out, err } = await moec([...args, ...(args.length > 0 ? ["--no-color"] : [])], { terminal: true });
  expect(out + err).not.toBe("");
  expect(tooLong(out + err)).toEqual([]);
});

it.each(COMMAND_NAMES)("the help of %s fits a terminal of 80 cells, its examples aside", async (command) => {
  const { out } = await moec([command, "--help"], { terminal: true });
  const [help] = out.split("\nExamples:");
  expect(tooLong(help!)).toEqual([]);
});

it("leaves piped lines whole", async () => {
  const { out } = await moec(["search", "sinkhorn"]);
  expect(out).toMatch(/^ {2}S-BASE .*; the weight is the sigmoid of the token's own logit\.$/m);
});
