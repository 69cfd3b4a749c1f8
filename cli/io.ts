/** What the command line uses of the process, so that tests can run commands without one. */
import { stdin, stdout, stderr } from "node:process";
import { EXIT } from "./exit-codes.js";

export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Width of the terminal in cells; 80 without one. */
  readonly columns: number;
  /**
   * Aborted by Ctrl-C, from the first time it is read. Until then Ctrl-C ends the process at once: a build works without
   * a pause in which it could be asked to end, and what it left beside its target is cleared by the next one.
   */
  readonly signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  readInput(): Promise<string>;
}

/** The real process. The first Ctrl-C asks a command that listens to end, the second ends it. */
export function processIo(): Io {
  let interrupt: AbortController | undefined;
  // `moec … | head` closes the pipe early; that is no error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    cwd: process.cwd(),
    env: process.env,
    outIsTerminal: stdout.isTTY,
    errIsTerminal: stderr.isTTY,
    columns: stdout.columns || 80,
    get signal() {
      interrupt ??= listen();
      return interrupt.signal;
    },
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    readInput: async () => {
      const pieces: Buffer[] = [];
      for await (const piece of stdin) pieces.push(piece as Buffer);
      return Buffer.concat(pieces).toString("utf8");
    },
  };
}

/** Listens for Ctrl-C. */
function listen(): AbortController {
  const interrupt = new AbortController();
  process.once("SIGINT", () => {
    interrupt.abort();
    process.once("SIGINT", () => process.exit(EXIT.interrupted));
  });
  return interrupt;
}
