/** The command itself, behind whatever has loaded it. */
import { processIo } from "./io.js";
import { runCli } from "./program.js";

export { COMMAND_NAMES } from "./program.js";

/** Runs a command line of this process, whose exit code it sets. */
export async function main(args: readonly string[]): Promise<void> {
  process.exitCode = await runCli(args, processIo());
}
