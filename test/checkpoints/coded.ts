/** Catches a coded error and holds its sentence against the Markdown file that explains the code. */
import { readdirSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import { MoecError } from "../../compiler/errors/moec-error.js";

const folder = new URL("../../compiler/errors/", import.meta.url);

/** The `> message` line of each code as a pattern whose slots match anything. */
const templates = new Map(
  readdirSync(folder)
    .filter((name) => /^MOE5[126]\d\d-.*\.md$/.test(name))
    .map((name) => {
      const line = /^> (.*)$/m.exec(readFileSync(new URL(name, folder), "utf8"))![1]!;
      const parts = line.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      return [name.slice(0, 7), new RegExp(`^${parts.join("[^]*")}$`)] as const;
    }),
);

/** Run `action`, expect a `MoecError` whose message has the form that its code's Markdown file shows. */
export function codedError(action: () => unknown): MoecError {
  try {
    action();
  } catch (error) {
    if (!(error instanceof MoecError)) throw error;
    expect(error.message).toMatch(templates.get(error.code) ?? /^no Markdown file for this code$/);
    return error;
  }
  throw new Error("expected a coded error, but nothing was thrown");
}

/** The code alone, for tables of cases. */
export function codeOf(action: () => unknown): string {
  return codedError(action).code;
}
