/** What a command line names is looked up before any work: a wrong word costs no compile. */
import { expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

it.each([
  [["inspect", "wrong.moe", "--ir", "nonsense"], "no pass `nonsense`: build, "],
  [["build", "wrong.moe", "--target", "wasm,native", "--level", "nonsense"], "no level `nonsense`"],
])("%j is refused before the spec is read", async (args, words) => {
  const folder = folderOf({ "wrong.moe": "model M {\n" });
  try {
    const { code, err } = await moec(args, { cwd: folder.path });
    expect(code).toBe(2);
    expect(err).toContain("MOE5461");
    expect(err).toContain(words);
    expect(err).not.toContain("MOE1");
  } finally {
    folder.remove();
  }
});
