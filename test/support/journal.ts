/**
 * How far a run over the library has come, for `scripts/stdlib-on.mjs`, which goes on in another process where this one
 * ends: a software driver keeps what it compiled until then.
 */
import { appendFileSync } from "node:fs";

/** Resident bytes from which on another process goes on. */
const MOST_MEMORY = 3e9;

export interface Journal {
  /** The place of the first thing to try. */
  readonly from: number;
  /** False when this process has taken so much memory that another one has to go on. */
  begins(place: number): boolean;
  /** Only what ended is not tried again. */
  ends(place: number): void;
}

/** `MOEC_JOURNAL` names the file, `MOEC_FROM` the first place; without them all is tried and nothing is written. */
export function openJournal(count: number): Journal {
  const file = process.env["MOEC_JOURNAL"];
  const write = (what: "count" | "begin" | "end", place: number): void => {
    if (file !== undefined) appendFileSync(file, `${what} ${String(place)}\n`);
  };
  write("count", count);
  let isFull = false;
  return {
    from: Number(process.env["MOEC_FROM"] ?? 0),
    begins: (place) => {
      isFull ||= file !== undefined && process.memoryUsage().rss > MOST_MEMORY;
      if (!isFull) write("begin", place);
      return !isFull;
    },
    ends: (place) => {
      write("end", place);
    },
  };
}
