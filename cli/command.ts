/** What one command is: a file of `commands/` that adds it to a command line. */
import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.js";
import type { CommonOptions, Shell } from "./shell.js";

/** Runs the body of a command: makes its shell, turns what it throws into words and an exit code. */
export type Start = <O extends CommonOptions>(
  command: string,
  options: O,
  body: (shell: Shell, options: O) => Promise<ExitCode>,
) => Promise<void>;

/** Adds one command. */
export type CommandDefinition = (program: Command, start: Start) => Command;
