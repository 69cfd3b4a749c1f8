/** Bars of `npm run bench`: each is judged or said to be not measured. */
import { expect, it } from "vitest";
import { judge } from "../../bench/bars.mjs";

interface Line {
  readonly name: string;
  readonly verdict: string;
}
const layer = { what: "layer", threads: 1, storage: "f32", tokens: 1 };
const verdicts = (row: object): readonly string[] =>
  (judge([{ ...layer, ...row }], ["layer"], [1]) as readonly Line[])
    .filter(({ name }) => name.startsWith("layer f32, 1 token,"))
    .map(({ verdict }) => verdict);

it("bars compare engines of one host", () => {
  expect(verdicts({ moec: 1, others: { "onnxruntime-web loop": 2 } })).toEqual(["holds"]);
  expect(verdicts({ moec: 2, others: { "onnxruntime-web loop": 1 } })).toEqual(["MISSED"]);
});

it("say what is not measured, also where one host has ours only and another theirs", () => {
  expect(verdicts({ moec: 1 })).toEqual(["not measured"]);
  expect(verdicts({ moec: 1, others: { "onnxruntime-web loop (Chromium)": 2 } })).toEqual(["not measured"]);
});
