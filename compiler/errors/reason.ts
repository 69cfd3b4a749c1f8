/** What was thrown, in words, to stand in another error. */

/** The message of an error; other things as text. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The first line of the message: libraries put pages behind it. */
export function shortReasonOf(thrown: unknown): string {
  return reasonOf(thrown).split("\n")[0]!;
}

/** The message with the place in moec's own code, for what should not happen. */
export function traceOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
