/** From checked projects to programs, and the tests that files contain. */
export { buildProgram, type BuildOptions } from "./program.js";
export { ProgramRefused } from "./refused.js";
export { runTests, type TestResult, type TestFailure } from "./tests.js";
