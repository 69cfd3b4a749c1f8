/** The command line without a process: what it printed and its exit code. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Io } from "../../cli/io.js";
import { runCli } from "../../cli/program.js";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly input?: string;
}

export async function moec(args: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  let out = "";
  let err = "";
  const io: Io = {
    ...silentIo(surroundings),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  };
  const code = await runCli(args, io);
  return { code, out, err };
}

/** What a command is given; what it prints is lost. */
export function silentIo(surroundings: Surroundings = {}): Io {
  return {
    cwd: surroundings.cwd ?? process.cwd(),
    env: surroundings.env ?? {},
    outIsTerminal: surroundings.terminal ?? false,
    errIsTerminal: surroundings.terminal ?? false,
    columns: 80,
    signal: new AbortController().signal,
    out: () => undefined,
    err: () => undefined,
    readInput: () => Promise.resolve(surroundings.input ?? ""),
  };
}

/** A folder with files, removed by `remove`. */
export function folderOf(files: Readonly<Record<string, string>>): {
  readonly path: string;
  readonly remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), "moec-cli-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

// eslint-disable-next-line no-control-regex
export const hasColor = (text: string): boolean => /\u001b\[/.test(text);
