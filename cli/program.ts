/** The command line: commands, their shared options, and how a command is started and ends. */
import { Command, CommanderError, Option } from "commander";
import type { CommandDefinition, Start } from "./command.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { report, UsageError, WRONG_LINE } from "./failures.js";
import type { Io } from "./io.js";
import { moecVersion } from "./package-root.js";
import { Shell } from "./shell.js";

/** By name, in the order of the help. Each is loaded when it is wanted: what a command needs costs the others nothing. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandDefinition>>> = {
  new: async () => (await import("./commands/new.js")).newCommand,
  import: async () => (await import("./commands/import.js")).importCommand,
  check: async () => (await import("./commands/check.js")).checkCommand,
  fmt: async () => (await import("./commands/fmt.js")).formatCommand,
  explain: async () => (await import("./commands/explain.js")).explainCommand,
  search: async () => (await import("./commands/search.js")).searchCommand,
  inspect: async () => (await import("./commands/inspect.js")).inspectCommand,
  test: async () => (await import("./commands/test.js")).testCommand,
  verify: async () => (await import("./commands/verify.js")).verifyCommand,
  build: async () => (await import("./commands/build.js")).buildCommand,
  usage: async () => (await import("./commands/usage.js")).usageCommand,
  convert: async () => (await import("./commands/convert.js")).convertCommand,
  export: async () => (await import("./commands/export.js")).exportCommand,
  run: async () => (await import("./commands/run.js")).runCommand,
  generate: async () => (await import("./commands/generate.js")).generateCommand,
  serve: async () => (await import("./commands/serve.js")).serveCommand,
  lsp: async () => (await import("./commands/lsp.js")).lspCommand,
  doctor: async () => (await import("./commands/doctor.js")).doctorCommand,
  completions: async () => (await import("./commands/completions.js")).completionsCommand,
};

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** These are about all the others. */
const GENERAL: ReadonlySet<string> = new Set(["help", "completions"]);

const VERSION = ["-V", "--version"];

/** The commands that a command line asks for: one by name, none for the version, or all. */
export async function commandsFor(args: readonly string[] = []): Promise<readonly CommandDefinition[]> {
  const [name = ""] = args;
  if (VERSION.includes(name)) return [];
  const alone = Object.hasOwn(COMMANDS, name) && !GENERAL.has(name) ? COMMANDS[name] : undefined;
  return Promise.all((alone ? [alone] : Object.values(COMMANDS)).map((load) => load()));
}

/**
 * A command line of these commands; `finish` is told the exit code of the command that ran.
 *
 * @param parsing Where help and wrong command lines are written.
 */
export function makeProgram(
  io: Io,
  finish: (code: ExitCode) => void,
  commands: readonly CommandDefinition[],
  parsing: Pick<Io, "out" | "err"> = io,
): Command {
  const program = new Command("moec")
    .description("A language and compiler for sparse neural networks: a .moe file in, text and a bundle out.")
    .version(moecVersion(), VERSION.join(", "), "print the version")
    .helpCommand("help [command]", "help for a command")
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => parsing.out(text),
      writeErr: (text) => parsing.err(text),
      outputError: (text, write) => write(text.replace(/^error(?=: )/, `error[${WRONG_LINE}]`)),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
    })
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
  for (const define of commands) {
    define(program, start)
      .addOption(new Option("--json", "print one JSON object instead of text"))
      .addOption(new Option("--color", "colours even without a terminal"))
      .addOption(new Option("--no-color", "no colours").default(undefined))
      .exitOverride();
  }
  program.addHelpText(
    "after",
    "\nExit codes: 0 done, 1 the input is wrong, 2 the command line is wrong,\n3 a file or the machine made it impossible.\n",
  );
  return program;
}

/** Runs a command line and gives its exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const finish = (ended: ExitCode): void => {
    code = ended;
  };
  // What is wrong with the command line itself is said here, before a command has read its options.
  const json = args.includes("--json");
  const quiet: Pick<Io, "out" | "err"> = { out: (text) => io.out(text), err: () => undefined };
  const program = makeProgram(io, finish, await commandsFor(args), json ? quiet : io);
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.usage;
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    if (json) {
      const shell = new Shell(io, Object.hasOwn(COMMANDS, args[0]!) ? args[0]! : "", { json });
      return report(shell, new UsageError(wrongLine(error, args)));
    }
    return EXIT.usage;
  }
  return code;
}

/** What is wrong with a command line; of `help` for a command that is none the parser says only that it showed help. */
function wrongLine({ code, message }: CommanderError, args: readonly string[]): string {
  if (code === "commander.help")
    return `unknown command '${args.find((arg) => arg !== "help" && !arg.startsWith("-")) ?? ""}'`;
  return message.replace(/^error: /, "");
}
