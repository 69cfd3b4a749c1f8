/**
 * The examples on WebGPU: every entry, small, gives what the reference gives, and so do the assertions of their own
 * tests, on whatever driver Dawn finds. `npm run test:examples:webgpu` tries all of them.
 */
import { buildProgram, prepareTests } from "../../compiler/2-graph/index.js";
import { onWebGpu, type Comparison } from "../support/webgpu-trials.js";
import type { Application } from "../examples/applications.js";
import { callsOf, paramsOf, specOf } from "../examples/run-small.js";
import { smallExamples } from "../examples/small.js";

function comparisonsOf(name: string, application: Application): readonly Comparison[] {
  const project = specOf(name);
  const program = buildProgram(project, { sizes: application.sizes });
  const params = paramsOf(application);
  const entries = program.entries.map((_, index) => ({
    program,
    what: { ...callsOf(program, index, application), params },
  }));
  // What a test asserts is true or false.
  const tests = prepareTests(project).flatMap(({ program: own, params: numbers }) =>
    own
      ? [
          {
            program: own,
            what: {
              calls: [{ inputs: {}, sizes: {} }],
              params: (path: string) => [...numbers(path).data],
              tolerance: 0,
            },
          },
        ]
      : [],
  );
  return [...entries, ...tests];
}

const trials = Object.entries(smallExamples).map(([name, application]) => ({
  name,
  draw: () => ({ comparisons: comparisonsOf(name, application) }),
}));

onWebGpu(trials, 20);
