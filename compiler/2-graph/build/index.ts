/** From checked projects to programs, and the tests that files contain. */
export { buildProgram, type BuildOptions } from "./program.js";
export { ProgramRefused } from "./refused.js";
export {
  prepareTests,
  runTests,
  type PreparedTest,
  type TestFailure,
  type TestOptions,
  type TestResult,
} from "./tests.js";
