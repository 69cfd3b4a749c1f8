/** The tests of the hard cases hold for optimized programs too, and compiled to WebAssembly. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runOnWasm } from "../../cli/test-device.js";
import { check } from "../../compiler/1-check/index.js";
import { prepareTests, runTests, type TestResult } from "../../compiler/2-graph/index.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { repository, testHost } from "../check/host.js";

const folder = "test/samples/hard";
const files = readdirSync(join(repository, folder)).filter((file) => file.endsWith(".moe"));

const said = ({ name, failures, diagnostics }: TestResult): object => ({ name, failures, diagnostics });
const good = ({ name }: TestResult): object => ({ name, failures: [], diagnostics: [] });

describe.each(files)("%s", (file) => {
  const project = check(`${folder}/${file}`, testHost());

  test("optimized", () => {
    const results = runTests(project, undefined, { prepare: (program) => optimize(program) });
    expect(results.map(said)).toEqual(results.map(good));
  });

  test("on WebAssembly", async () => {
    for (const prepared of prepareTests(project)) {
      const result = await runOnWasm(prepared);
      expect({ ...said(result), refused: result.refused }).toEqual({ ...good(result), refused: undefined });
    }
  });
});

describe("parameters of tests", () => {
  test("are whole numbers within their bits", () => {
    const text = `expert Codes[D, F] {
  param codes: uint[2][D, F]
  param rows: int[D]
  (x: [D]) => x @ float(codes) + sum(float(rows) * x, over: D)
}
test "codes" {
  let e = Codes[64, 16]
  assert all(all(e.codes >= 0, over: D), over: F)
  assert all(all(e.codes < 4, over: D), over: F)
  assert any(any(e.codes == 3, over: D), over: F)
  assert all(e.rows >= 0, over: D)
  assert all(e.rows < 8, over: D)
}
`;
    const [result] = runTests(check("codes.moe", testHost({ "codes.moe": text })));
    expect(said(result!)).toEqual(good(result!));
  });

  test("an assertion that does not hold fails on every device", async () => {
    const text = 'test "wrong" {\n  let x = random([T = 4], seed: 1)\n  assert all(x > 10, over: T)\n}\n';
    const project = check("wrong.moe", testHost({ "wrong.moe": text }));
    expect(runTests(project)[0]!.passed).toBe(false);
    expect((await runOnWasm(prepareTests(project)[0]!)).failures).toHaveLength(1);
  });
});
