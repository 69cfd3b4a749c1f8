/**
 * Every declaration of the library gives on WebGPU what the reference gives: WGSL, run by Dawn on whatever driver there
 * is. `npm run test:stdlib:webgpu` tries all of them and writes down which ran.
 */
import type { Driver } from "../../compiler/4-schedule/plan.js";
import { onWebGpu } from "../support/webgpu-trials.js";
import { comparisonsOf } from "./wasm/calls.js";
import { libraryDeclarations } from "./wasm/declarations.js";
import { hints } from "./wasm/hints.js";
import { recordRuns } from "./wasm/ran.js";

const seed = 7;
const record = { gpu: recordRuns("gpu"), cpu: recordRuns("cpu") };

const trials = libraryDeclarations()
  .filter(({ name }) => hints[name]?.refused === undefined)
  .map((decl) => ({
    name: `${decl.file} ${decl.name}`,
    draw: () => comparisonsOf(decl, seed),
    passed: (on: Driver) => {
      record[on].add(decl);
    },
    hasPassed: (on: Driver) => record[on].has(decl),
  }));

onWebGpu(trials, 40);
