import { expect, it } from "vitest";
import { passesPage } from "../../compiler/3-optimize/reference.js";

it("docs/reference/passes.md is up to date (npx vitest run test/optimize/reference.test.ts --update)", async () => {
  await expect(passesPage()).toMatchFileSnapshot("../../docs/reference/passes.md");
});
