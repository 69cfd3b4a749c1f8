/** `moec run`: what can be known early is said early. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

const SPEC = `import { RMSNorm } from "std"

model Tiny[V = 64, D = 32] {
  param tok: [V, D]
  use norm = RMSNorm[D]
  forward(tokens: int[T]) -> f32[T, V] => norm(tok[V: tokens]) @ tok
}
`;

it("misses a tokenizer before it builds anything", async () => {
  const folder = folderOf({ "tiny.moe": SPEC });
  try {
    const { code, err } = await moec(["run", join(folder.path, "tiny.moe"), "Once", "--random", "1"]);
    expect(code).toBe(3);
    expect(err).toContain("MOE5313");
    expect(existsSync(join(folder.path, ".moec"))).toBe(false);
  } finally {
    folder.remove();
  }
});
