/**
 * Every declaration of the library gives on WebGPU what the reference gives: WGSL, run by Dawn on whatever driver there
 * is. Here one declaration in some is tried, with the launches for drivers that compute on the processor;
 * `npm run test:stdlib:webgpu` tries all of them, also with the launches for GPUs, and writes down which ran.
 */
import { describe, test } from "vitest";
import { compareOnDawn, drivers } from "../support/webgpu-machine.js";
import { comparisonsOf, failure } from "./wasm/calls.js";
import { libraryDeclarations } from "./wasm/declarations.js";
import { hints } from "./wasm/hints.js";
import { recordRuns } from "./wasm/ran.js";

const everything = process.env["MOEC_LIBRARY"] === "all";
/** One declaration in this many is tried when not all are. */
const SHARE = 40;
/** `MOEC_PART=2/40` tries the third of forty parts: a software driver keeps what it compiled until the process ends. */
const [part = 0, parts = 1] = process.env["MOEC_PART"]?.split("/").map(Number) ?? [];
/** `MOEC_DRIVER=cpu` or `gpu` runs only these launches; those for GPUs are slow on a software driver. */
const chosen = drivers.filter((driver) => driver === (process.env["MOEC_DRIVER"] ?? (everything ? driver : "cpu")));
const seed = 7;
const record = { gpu: recordRuns("gpu"), cpu: recordRuns("cpu") };

const declarations = libraryDeclarations().filter(({ name }) => hints[name]?.refused === undefined);

const isTried = (position: number): boolean => (everything ? position % parts === part : position % SHARE === 0);

describe.each(declarations.filter((_, position) => isTried(position)))("$file $name", (decl) => {
  test.for(chosen)("webgpu = reference, launches for a %s", async (driver, { skip }) => {
    const { text, comparisons } = comparisonsOf(decl, seed);
    for (const { program, what } of comparisons) {
      try {
        if (!(await compareOnDawn(program, what, driver))) return skip("no driver");
      } catch (cause) {
        throw failure(cause, seed, text);
      }
    }
    record[driver](decl);
  });
});
