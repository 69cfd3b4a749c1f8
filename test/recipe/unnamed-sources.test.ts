/** Calls of recipes in tests of a spec whose sources are made in the call itself. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { moec } from "../cli/io.js";

const folder = mkdtempSync(join(tmpdir(), "moec-unnamed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SPEC = `expert Net[D, F] {
  param up: [D, F]
  param down: [F, D]
  (x: [D]) => relu(x @ up) @ down
}
recipe Difference[D, F](a: Net[D, F], b: Net[D, F]) -> c: Net[D, F] {
  c = a - b
}
recipe Scaled[D, F](net: Net[D, F], by: float) -> more: Net[D, F] {
  more = by * net
}

test "two modules made in the call have parameters of their own" {
  let c = Difference(Net[4, 6], b: Net[4, 6])
  assert max(abs(c.up), over: [D, F]) > 0
  assert max(abs(c.down), over: [D, F]) > 0
}

test "results of two recipes are told apart" {
  let net = Net[4, 6]
  let c = Difference(Scaled(net, 3.0), Scaled(net, 1.0))
  assert close(c.up, 2 * net.up)
  assert close(c.down, 2 * net.down)
}
`;

test("two sources without a name are two modules", async () => {
  writeFileSync(join(folder, "spec.moe"), SPEC);
  const { code, out, err } = await moec(["test", "spec.moe"], { cwd: folder });
  expect(code, out + err).toBe(0);
});
