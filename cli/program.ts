/** The command line: commands, their shared options, and how a command is started and ends. */
import { Command, CommanderError, Option } from "commander";
import { buildCommand } from "./commands/build.js";
import { checkCommand } from "./commands/check.js";
import { completionsCommand } from "./commands/completions.js";
import { doctorCommand } from "./commands/doctor.js";
import { exportCommand } from "./commands/export.js";
import { explainCommand } from "./commands/explain.js";
import { formatCommand } from "./commands/fmt.js";
import { generateCommand } from "./commands/generate.js";
import { importCommand } from "./commands/import.js";
import { inspectCommand } from "./commands/inspect.js";
import { lspCommand } from "./commands/lsp.js";
import { newCommand } from "./commands/new.js";
import { runCommand } from "./commands/run.js";
import { searchCommand } from "./commands/search.js";
import { serveCommand } from "./commands/serve.js";
import { testCommand } from "./commands/test.js";
import { verifyCommand } from "./commands/verify.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { report } from "./failures.js";
import type { Io } from "./io.js";
import { moecVersion } from "./package-root.js";
import { Shell, type CommonOptions } from "./shell.js";

/** Runs the body of a command: makes its shell, turns what it throws into words and an exit code. */
export type Start = <O extends CommonOptions>(
  command: string,
  options: O,
  body: (shell: Shell, options: O) => Promise<ExitCode>,
) => Promise<void>;

/** Adds one command; each lives in a file of `commands/`. */
export type CommandDefinition = (program: Command, start: Start) => Command;

const COMMANDS: readonly CommandDefinition[] = [
  newCommand,
  importCommand,
  checkCommand,
  formatCommand,
  explainCommand,
  searchCommand,
  inspectCommand,
  testCommand,
  verifyCommand,
  buildCommand,
  exportCommand,
  runCommand,
  generateCommand,
  serveCommand,
  lspCommand,
  doctorCommand,
  completionsCommand,
];

/** The whole command line; `finish` is told the exit code of the command that ran. */
export function makeProgram(io: Io, finish: (code: ExitCode) => void): Command {
  const program = new Command("moec")
    .description("A language and compiler for sparse neural networks: a .moe file in, text and a bundle out.")
    .version(moecVersion(), "-V, --version", "print the version")
    .helpCommand("help [command]", "help for a command")
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride();
  const start: Start = async (command, options, body) => {
    const shell = new Shell(io, command, options);
    try {
      finish(await body(shell, options));
    } catch (error) {
      finish(report(shell, error));
    } finally {
      shell.progress.clear();
    }
  };
  for (const define of COMMANDS) {
    define(program, start)
      .addOption(new Option("--json", "print one JSON object instead of text"))
      .addOption(new Option("--color", "colours even without a terminal"))
      .addOption(new Option("--no-color", "no colours").default(undefined))
      .exitOverride();
  }
  program.addHelpText(
    "after",
    "\nExit codes: 0 done, 1 the input is wrong, 2 the command line is wrong, 3 a file or the machine made it impossible.\n",
  );
  return program;
}

/** Runs a command line and gives its exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = makeProgram(io, (ended) => {
    code = ended;
  });
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.usage;
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}
