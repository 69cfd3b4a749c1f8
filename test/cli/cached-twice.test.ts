/** A statement of a test that can't be run is said where it is, though what refuses lies in a block that it calls. */
import { expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

const text = `import { RMSNorm } from "std"

block Kept[D] {
  state rows: cache[T, D]
  (x: [T, D]) => sum(append(rows, x, as: S), over: S) + x
}

test "two calls of one text" {
  let kept = Kept[4]
  let x = random([T = 3, D = 4], seed: 1)
  let first = kept(x)
  let second = kept(x + 1)
  assert close(first, second)
}
`;

it("MOE2069 names the second call", async () => {
  const { path: cwd, remove } = folderOf({ "m.moe": text });
  try {
    const { code, out, err } = await moec(["test", "m.moe"], { cwd });
    expect(code).toBe(1);
    expect(out + err).toMatch(/can't be run: MOE2069: cache `kept.rows` holds 3 positions/);
    expect(out + err).toContain("m.moe:12:");
  } finally {
    remove();
  }
});
