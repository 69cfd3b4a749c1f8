/** Exit codes of every command; `docs/cli.md` lists them. */
export const EXIT = {
  ok: 0,
  /** The input is wrong: diagnostics, failed tests, files that are not formatted. */
  wrongInput: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A file, the machine or a bundle made it impossible. */
  failed: 3,
  /** A mistake in moec itself. */
  bug: 70,
  /** SIGHUP: the terminal is gone. */
  hungUp: 129,
  /** Ctrl-C. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
