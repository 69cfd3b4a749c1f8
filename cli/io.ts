/** What the command line uses of the process, so that tests can run commands without one. */
import { stdin, stdout, stderr } from "node:process";
import { isatty } from "node:tty";
import { moecError } from "../compiler/errors/raise.js";
import { systemReason } from "../runtime/node/system-errors.js";
import { EXIT, type ExitCode } from "./exit-codes.js";

export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Width of the terminal in cells; 80 without one. */
  readonly columns: number;
  /**
   * Aborted by Ctrl-C, SIGTERM and SIGHUP (`Terminated`), from the first time it is read. Until then they end the process at
   * once: a build works without a pause in which it could be asked to end, and what it left beside its target is cleared
   * by the next one.
   */
  readonly signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  readInput(): Promise<string>;
}

/** The real process, which a command line ends. */
export interface ProcessIo extends Io {
  /**
   * Ends the process with a code, once the command is done. Where a terminal was closed (and where the code says so) it ends
   * itself by SIGHUP instead, which a shell shows as 129: Node's own end sets the terminal as it found it, and aborts when that
   * is gone.
   */
  end(code: ExitCode): void;
}

/** Why a signal is aborted when the system asked for the end. */
export class Terminated extends Error {
  constructor(
    readonly by: "SIGTERM" | "SIGHUP",
    readonly code: ExitCode,
  ) {
    super(`ended by ${by}`);
  }
}

/** The real process. The first Ctrl-C, SIGTERM or SIGHUP asks a command that listens to end, the second ends it. */
export function processIo(): ProcessIo {
  let interrupt: AbortController | undefined;
  // Asked now: one that is gone is none.
  const hasTerminal = [0, 1, 2].some((file) => isatty(file));
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // `moec … | head` closes the pipe early; that is no error.
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    // Of a terminal that is gone; what is under way still clears up.
    if (interrupt?.signal.aborted) return;
    if (error.code === "EIO" && stdout.isTTY) {
      // It is known before SIGHUP comes.
      if (interrupt) return interrupt.abort(new Terminated("SIGHUP", EXIT.hungUp));
      hangUp();
    }
    const { code, message } = moecError("MOE5460", { path: "standard output", reason: systemReason(error) });
    stderr.write(`error[${code}]: ${message}\n`);
    process.exit(EXIT.failed);
  });
  // Who no longer hears what a command says of its work still wants the work.
  stderr.on("error", () => undefined);
  return {
    get cwd() {
      return workingFolder();
    },
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
    end: (code) => {
      process.exitCode = code;
      if (code === EXIT.hungUp || (hasTerminal && isHungUp(interrupt?.signal))) hangUp();
    },
  };
}

function isHungUp(signal: AbortSignal | undefined): boolean {
  return signal?.reason instanceof Terminated && signal.reason.by === "SIGHUP";
}

/** Ends this process by SIGHUP, as the system does where nobody listens; nothing of it runs any more. */
function hangUp(): void {
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}

/** @throws MoecError MOE5460 when the folder was deleted meanwhile. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw moecError("MOE5460", { path: ".", reason: "the folder was deleted" });
  }
}

/** Listens for Ctrl-C, SIGTERM and SIGHUP. Who asks a second time, by any of them, waits no longer. */
function listen(): AbortController {
  const interrupt = new AbortController();
  const on = (signal: "SIGINT" | Terminated["by"], code: ExitCode): void => {
    process.on(signal, () => {
      if (interrupt.signal.aborted) {
        if (signal === "SIGHUP" || isHungUp(interrupt.signal)) return hangUp();
        process.exit(code);
      }
      interrupt.abort(signal === "SIGINT" ? undefined : new Terminated(signal, code));
    });
  };
  on("SIGINT", EXIT.interrupted);
  on("SIGTERM", EXIT.terminated);
  on("SIGHUP", EXIT.hungUp);
  return interrupt;
}
