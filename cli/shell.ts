/**
 * What a command says and how: text for people or one JSON object for programs, colours only where they are wanted,
 * progress only on a terminal.
 */
import { fillSlots } from "../compiler/errors/construct.js";
import { messages, type ErrorCode, type MessageSlots } from "../compiler/errors/errors.generated.js";
import { ansiPalette, plainPalette, type Palette } from "../compiler/errors/palette.js";
import type { Io } from "./io.js";
import { Progress } from "./show/progress.js";

/** Version of what `--json` prints; it grows when a field changes its meaning or goes away. */
export const JSON_SCHEMA = 1;

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly color?: boolean;
}

export class Shell {
  readonly json: boolean;
  /** Colours for standard output. */
  readonly palette: Palette;
  /** Colours for standard error. */
  readonly notePalette: Palette;
  readonly progress: Progress;
  private readonly warnings: { readonly code: ErrorCode; readonly message: string }[] = [];

  constructor(
    readonly io: Io,
    readonly command: string,
    options: CommonOptions,
  ) {
    this.json = options.json ?? false;
    this.palette = wantsColor(io, io.outIsTerminal, options) && !this.json ? ansiPalette : plainPalette;
    this.notePalette = wantsColor(io, io.errIsTerminal, options) ? ansiPalette : plainPalette;
    this.progress = new Progress(io, this.notePalette, io.errIsTerminal && !this.json);
  }

  /** Cells of a line of prose; endless where it is piped, since who searches or cuts it wants whole lines. */
  get width(): number {
    return this.io.outIsTerminal ? this.io.columns : Infinity;
  }

  /** A line of the result; nothing with `--json`. */
  say(line = ""): void {
    if (!this.json) this.io.out(`${line}\n`);
  }

  /** A piece of the result as it comes; nothing with `--json`. */
  stream(text: string): void {
    if (!this.json) this.io.out(text);
  }

  /** A line about the work, on standard error; nothing with `--json`. */
  note(line: string): void {
    if (this.json) return;
    this.progress.clear();
    this.io.err(`${line}\n`);
  }

  /** A coded warning, said once; with `--json` it is one of the result's `warnings`. */
  warn<C extends ErrorCode>(code: C, slots: MessageSlots[C]): void {
    const message = fillSlots(messages[code].message, slots);
    if (this.warnings.some((known) => known.code === code && known.message === message)) return;
    this.warnings.push({ code, message });
    this.note(`${this.notePalette.warning(`warning[${code}]`)}: ${message}`);
    this.noteExplain(code);
  }

  /** The line behind something coded that says where more is. */
  noteExplain(code: string): void {
    this.note(`  ${this.notePalette.dim("=")} ${this.notePalette.accent(`moec explain ${code}`)}`);
  }

  /** The result for programs; nothing without `--json`. */
  result(ok: boolean, data: Readonly<Record<string, unknown>>): void {
    if (!this.json) return;
    const warnings = this.warnings.length === 0 ? {} : { warnings: this.warnings };
    const record = { schema: JSON_SCHEMA, command: this.command, ok, ...warnings, ...data };
    this.io.out(`${JSON.stringify(record, null, 2)}\n`);
  }
}

/** `--color` and `--no-color` first, then FORCE_COLOR, then NO_COLOR, then whether it is a terminal. */
function wantsColor(io: Io, isTerminal: boolean, options: CommonOptions): boolean {
  if (options.color !== undefined) return options.color;
  const forced = io.env["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if ((io.env["NO_COLOR"] ?? "") !== "") return false;
  return isTerminal && io.env["TERM"] !== "dumb";
}
