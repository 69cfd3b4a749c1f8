/** `moec test` says by what the two sides of an assertion that does not hold differ, and sorts whole numbers exactly. */
import { afterAll, describe, expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

const folder = folderOf({
  "differs.moe": `test "differs" {
  let x = cumsum(random([T = 4], seed: 1) * 0 + 1, over: T, exclusive: true)
  let far = x + where(x == 2, 0.5, 0.001)
  assert close(x, far, tolerance: 1e-4)
  assert close(sum(x, over: T), 7, tolerance: 0.01), "the sum"
  assert x == x + where(x > 1, 1, 0)
  assert close(x, far, tolerance: 1)
}
`,
  // Multiples of 2^24 + 1 are no f32, so a sort that went through one would change them.
  "whole.moe": `test "whole numbers" {
  let n = int(random([D = 6], seed: 1) * 100) * 16777217
  let sorted = sort(n, over: D)
  let down = sort(n, over: D, descending: true)
  assert sum(sorted % 16777217, over: D) == sum(n % 16777217, over: D)
  assert sorted[D: 0] == down[D: 5]
  assert sum(sorted - n, over: D) == 0
}
`,
});
afterAll(() => folder.remove());

describe.each(["reference", "wasm"])("on %s", (device) => {
  const run = (file: string) => moec(["test", file, "--device", device], { cwd: folder.path });

  it("says where operands differ, by what, and what was allowed", async () => {
    const { code, out } = await run("differs.moe");
    expect(code).toBe(1);
    expect(out).toContain(
      "close(x, far, tolerance: 1e-4): farthest apart at [T: 2]: 2 and 2.5, by 0.5; " +
        "tolerance 0.0001 * (1 + |b|) = 0.00035; 4 of 4 are too far apart",
    );
    expect(out).toContain("the sum: 6 and 7 are 1 apart; tolerance 0.01 * (1 + |b|) = 0.08");
    expect(out).toContain("first unlike at [T: 2]: 2 and 3; 2 of 4 are unlike");
    expect(out.match(/does not hold/g)).toHaveLength(3);
  });

  it("gives the numbers as JSON", async () => {
    const { out } = await moec(["test", "differs.moe", "--device", device, "--json"], { cwd: folder.path });
    const { results } = JSON.parse(out) as { results: readonly { failures: readonly { difference: unknown }[] }[] };
    expect(results[0]!.failures.map(({ difference }) => difference)).toEqual([
      expect.objectContaining({ position: { T: 2 }, left: 2, right: 2.5, difference: 0.5, tolerance: 1e-4, unlike: 4 }),
      expect.objectContaining({ position: {}, left: 6, right: 7, entries: 1 }),
      { position: { T: 2 }, left: 2, right: 3, difference: 1, unlike: 2, entries: 4 },
    ]);
  });

  it("sorts whole numbers as such", async () => {
    const { code, out } = await run("whole.moe");
    expect(out).toContain("1 passed, 0 failed");
    expect(code).toBe(0);
  });
});
