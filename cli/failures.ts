/** From whatever a command threw to text or JSON and an exit code. */
import { resolve } from "node:path";
import type { Diagnostic } from "../compiler/errors/diagnostic.js";
import { locateDiagnostics } from "../compiler/errors/located.js";
import { MoecError } from "../compiler/errors/moec-error.js";
import { renderDiagnostics, type SourceReader } from "../compiler/errors/render.js";
import type { ErrorCode } from "../compiler/errors/errors.generated.js";
import { moecError } from "../compiler/errors/raise.js";
import { shortReasonOf, traceOf } from "../compiler/errors/reason.js";
import { placeOf } from "../runtime/node/replace-files.js";
import { isFileError, systemReason } from "../runtime/node/system-errors.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { Terminated } from "./io.js";
import type { Shell } from "./shell.js";
import { named, readText } from "./source-host.js";
import { sourcePlaces } from "./source-places.js";
import { folderOf } from "./write-folder.js";

/** Diagnostics that end a command. */
export class DiagnosticsError extends Error {
  constructor(
    readonly diagnostics: readonly Diagnostic[],
    readonly read: SourceReader,
  ) {
    super(diagnostics.map((one) => `${one.code}: ${one.message}`).join("\n"));
  }
}

/** The code of everything that is wrong with a command line. */
export const WRONG_LINE = "MOE5461" satisfies ErrorCode;

/** A wrong command line: said in one line, exit code 2. */
export class UsageError extends Error {}

/** At most this many are shown; the last line counts the others. */
const SHOWN_DIAGNOSTICS = 50;

/** Shows diagnostics; with `--json` they are a field of the result instead. */
export function showDiagnostics(shell: Shell, diagnostics: readonly Diagnostic[], read: SourceReader): void {
  if (diagnostics.length === 0 || shell.json) return;
  const options = { palette: shell.notePalette, limit: SHOWN_DIAGNOSTICS, width: Math.max(60, shell.io.columns) };
  shell.progress.clear();
  shell.io.err(`${renderDiagnostics(diagnostics, read, options)}\n`);
}

/** Says what went wrong and gives the exit code. */
export function report(shell: Shell, error: unknown): ExitCode {
  shell.progress.clear();
  if (shell.io.signal.aborted) return interrupted(shell);
  if (error instanceof DiagnosticsError) {
    showDiagnostics(shell, error.diagnostics, error.read);
    shell.result(false, { diagnostics: locateDiagnostics(error.diagnostics, error.read) });
    return EXIT.wrongInput;
  }
  if (isRefusal(error)) {
    // Programs that can't be built say so with places in the spec.
    const read: SourceReader = (file) => readText(resolve(shell.io.cwd, file));
    return report(shell, new DiagnosticsError(error.diagnostics, read));
  }
  if (error instanceof MoecError) {
    const { code, message, place, help } = error;
    sayCoded(shell, error);
    shell.result(false, { error: { code, message, ...(place ? { place } : {}), ...(help ? { help } : {}) } });
    return EXIT.failed;
  }
  if (error instanceof UsageError) {
    shell.note(`${shell.notePalette.error(`error[${WRONG_LINE}]`)}: ${error.message}`);
    shell.result(false, { error: { code: WRONG_LINE, message: error.message } });
    return EXIT.usage;
  }
  if (isFileError(error)) return report(shell, fileError(shell, error));
  if (isOutOfMemory(error)) return report(shell, moecError("MOE4209", { reason: shortReasonOf(error) }));
  return reportBug(shell, error);
}

/** What V8 says when it gets no memory for an array or for WebAssembly, our own kernels' or that of a package. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /\bout of memory\b|\bArray buffer allocation failed\b/i.test(error.message);
}

/** The end of a command that Ctrl-C or the system stopped. The line before may be the terminal's `^C` or half of a text. */
export function interrupted(shell: Shell): ExitCode {
  const reason: unknown = shell.io.signal.reason;
  const { by, code } = reason instanceof Terminated ? reason : { by: "Ctrl-C", code: EXIT.interrupted };
  shell.note(`\nended by ${by}`);
  shell.result(false, { interrupted: true });
  return code;
}

/** What the system says about a file, in the terms of who named the file. */
function fileError(shell: Shell, error: NodeJS.ErrnoException & { readonly dest?: string }): MoecError {
  const place = folderOf(placeOf(error.dest ?? error.path ?? ""));
  return moecError("MOE5460", { path: named(shell.io.cwd, place), reason: systemReason(error) });
}

function isRefusal(error: unknown): error is MoecError & { readonly diagnostics: readonly Diagnostic[] } {
  return error instanceof MoecError && "diagnostics" in error && Array.isArray(error.diagnostics);
}

function sayCoded(shell: Shell, { code, message, place, help }: MoecError): void {
  const palette = shell.notePalette;
  shell.note(`${palette.error(`error[${code}]`)}: ${palette.strong(message)}`);
  const where = [place?.file, place?.path, place?.offset === undefined ? undefined : `byte ${place.offset}`];
  const at = where.filter((part) => part !== undefined).join(", ");
  if (at !== "") shell.note(`  ${palette.dim(at)}`);
  for (const line of help?.split("\n") ?? []) shell.note(`  ${palette.dim("=")} ${line}`);
  shell.noteExplain(code);
}

function reportBug(shell: Shell, error: unknown): ExitCode {
  const text = sourcePlaces(traceOf(error));
  shell.note(`${shell.notePalette.error("this is a mistake in moec")}; please report it with the lines below`);
  shell.note(text);
  shell.result(false, { error: { message: text, bug: true } });
  return EXIT.bug;
}
