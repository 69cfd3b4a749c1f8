/** The command itself, behind whatever has loaded it. */
import { processIo } from "./io.js";
import { runCli } from "./program.js";

export { COMMAND_NAMES } from "./program.js";

/** Runs a command line of this process, whose end it decides. */
export async function main(args: readonly string[]): Promise<void> {
  const io = processIo();
  io.end(await runCli(args, io));
}
