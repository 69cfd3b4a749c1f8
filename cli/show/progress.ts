/** A line that says what is going on, rewritten in place; on a terminal only. */
import type { Palette } from "../../compiler/errors/palette.js";
import type { Io } from "../io.js";

const BAR_CELLS = 24;

export class Progress {
  private shown = "";

  constructor(
    private readonly io: Io,
    private readonly palette: Palette,
    private readonly enabled: boolean,
  ) {}

  /** @param done Share from 0 to 1, when it is known. */
  update(label: string, done?: number): void {
    if (!this.enabled) return;
    const text = done === undefined ? label : `${label} ${this.bar(done)}`;
    if (text === this.shown) return;
    this.shown = text;
    this.io.err(`\r\u001b[2K${text}`);
  }

  clear(): void {
    if (this.shown === "") return;
    this.shown = "";
    this.io.err("\r\u001b[2K");
  }

  private bar(done: number): string {
    const cells = Math.round(Math.min(1, Math.max(0, done)) * BAR_CELLS);
    const percent = `${Math.floor(done * 100)}%`.padStart(4);
    return `${this.palette.accent("━".repeat(cells))}${this.palette.dim("━".repeat(BAR_CELLS - cells))}${percent}`;
  }
}
