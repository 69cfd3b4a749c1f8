/** The project's own specs are in the one layout that `moec fmt` gives. */
import { expect, it } from "vitest";
import { format } from "../../grammar/print/plugin.js";
import { sources } from "./sources.js";

const specs = sources(["bench", "examples", "playground/lessons", "stdlib"], [".moe"]);

it("finds them", () => {
  expect(specs.length).toBeGreaterThan(80);
});

it.each(specs.map(({ path, text }) => [path, text] as const))("%s", async (_, text) => {
  expect(await format(text)).toBe(text);
});
