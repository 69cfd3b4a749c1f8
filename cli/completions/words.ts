/** What can be typed behind `moec`, read from the commands themselves. */
import type { Argument, Command, Option } from "commander";
import { catalog } from "../../compiler/errors/catalog.generated.js";
import { isListOption } from "../options.js";

/** One of several words, with what it means where that is known. */
export interface Word {
  readonly text: string;
  readonly meaning?: string;
}

/** What stands behind an option, or in the place of an argument. */
export type Value =
  | { readonly kind: "words"; readonly words: readonly Word[]; readonly isList?: boolean }
  | { readonly kind: "path" }
  /** A number or a text of one's own. */
  | { readonly kind: "free" };

export interface CompletedOption {
  readonly flags: readonly string[];
  readonly text: string;
  /** Name of the value as help shows it, and what it may be; absent for flags. */
  readonly value?: { readonly name: string } & { readonly of: Value };
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** By place; the last one repeats where it is variadic. */
  readonly arguments: readonly { readonly name: string; readonly of: Value; readonly repeats: boolean }[];
}

/** All commands of the program, `help` with them. */
export function completedCommands(program: Command): readonly CompletedCommand[] {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    summary: command.summary() || command.description(),
    options: [...command.options.map(completedOption), HELP],
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      of: argumentValue(command.name(), argument),
      repeats: argument.variadic,
    })),
  }));
  const words = commands.map(({ name, summary }) => ({ text: name, meaning: summary }));
  const help = { name: "command", of: { kind: "words", words } as const, repeats: false };
  return [...commands, { name: "help", summary: "help for a command", options: [], arguments: [help] }];
}

const HELP: CompletedOption = { flags: ["-h", "--help"], text: "display help for command" };

function completedOption(option: Option): CompletedOption {
  const { short, long, description } = option;
  const flags = [short, long].flatMap((flag) => flag ?? []);
  const name = /[<[](.+?)[>\]]/.exec(option.flags)?.[1];
  if (name === undefined) return { flags, text: description };
  const words = option.argChoices?.map((text) => ({ text }));
  const of: Value = words
    ? { kind: "words", words, isList: isListOption(option) }
    : PATHS.has(name) || name === "name=path"
      ? { kind: "path" }
      : { kind: "free" };
  return { flags, text: description, value: { name, of } };
}

/** Names of values and arguments that are files or folders. */
const PATHS: ReadonlySet<string> = new Set([
  "bundle",
  "checkpoint",
  "file",
  "folder",
  "model",
  "path",
  "paths",
  "project",
]);

function argumentValue(command: string, argument: Argument): Value {
  if (argument.argChoices) return { kind: "words", words: argument.argChoices.map((text) => ({ text })) };
  if (command === "explain") {
    return { kind: "words", words: Object.values(catalog).map(({ code, title }) => ({ text: code, meaning: title })) };
  }
  // The text that `usage` reads is a file; other texts are typed.
  const isPath = PATHS.has(argument.name()) || (command === "usage" && argument.name() === "text");
  return isPath ? { kind: "path" } : { kind: "free" };
}
