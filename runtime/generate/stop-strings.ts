/**
 * Stop strings over pieces of text: a stop string may begin in one piece and end in another, so text that could still
 * become one is held back.
 */

export interface StopResult {
  /** Text that can be shown now. */
  readonly text: string;
  /** True when a stop string was found; `text` ends before it. */
  readonly stopped: boolean;
}

export class StopStrings {
  private held = "";
  private readonly stops: readonly string[];

  /** Empty stop strings are ignored: they would stop everything. */
  constructor(stops: readonly string[]) {
    this.stops = stops.filter((stop) => stop.length > 0);
  }

  /** Takes the next piece and gives what is certain to come before any stop string. */
  push(piece: string): StopResult {
    const text = this.held + piece;
    const found = this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.held = "";
      return { text: text.slice(0, Math.min(...found)), stopped: true };
    }
    const keep = this.stops.reduce((most, stop) => Math.max(most, overlap(text, stop)), 0);
    this.held = text.slice(text.length - keep);
    return { text: text.slice(0, text.length - keep), stopped: false };
  }

  /** What was held back, when no more text comes. */
  finish(): string {
    const text = this.held;
    this.held = "";
    return text;
  }
}

/** Length of the longest end of `text` that is a true beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (stop.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}
