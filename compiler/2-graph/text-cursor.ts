/** Reading tokens of the graph's text form; every refusal is MOE2077 with the offset. */
import { Size } from "../axes/size.js";
import { MoecError } from "../errors/moec-error.js";

export class TextCursor {
  private at = 0;

  constructor(private readonly text: string) {}

  fail(expected: string): never {
    const line = this.text.slice(0, this.at).split("\n").length;
    const found = JSON.stringify(this.text.slice(this.at, this.at + 20));
    throw new MoecError("MOE2077", `line ${line} of the graph: expected ${expected}, found ${found}`, {
      offset: this.at,
    });
  }

  private skip(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }

  /** True, and past it, when the text goes on with `token`; words only as whole words. */
  take(token: string): boolean {
    this.skip();
    if (!this.text.startsWith(token, this.at)) return false;
    const next = this.text[this.at + token.length] ?? "";
    if (/^\w+$/.test(token) && /[\w.']/.test(next)) return false;
    this.at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) this.fail(`\`${token}\``);
  }

  /** What `pattern` (sticky) matches here. */
  match(pattern: RegExp, expected: string): string {
    this.skip();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) this.fail(expected);
    this.at += found.length;
    return found;
  }

  /** True when `pattern` (sticky) matches here; takes nothing. */
  follows(pattern: RegExp): boolean {
    this.skip();
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  /** True when the text goes on with `token` before the line ends. */
  onSameLine(token: string): boolean {
    while (this.text[this.at] === " ") this.at++;
    return this.text.startsWith(token, this.at);
  }

  /** The next character that is no space, not taken. */
  peek(): string {
    this.skip();
    return this.text[this.at] ?? "";
  }

  /** A bare or quoted name. */
  name(): string {
    return this.peek() === '"' ? this.quoted() : this.match(/[A-Za-z_][\w.']*/y, "a name");
  }

  quoted(): string {
    const start = this.at;
    const raw = this.match(/"(?:[^"\\\n]|\\.)*"/y, "a quoted text");
    try {
      return JSON.parse(raw) as string;
    } catch {
      this.at = start;
      return this.fail("a quoted text");
    }
  }

  whole(): number {
    const value = Number(this.match(/\d+/y, "a whole number"));
    return Number.isSafeInteger(value) ? value : this.fail("a whole number below 2^53");
  }

  /** The JSON value that fills the rest of the line. */
  json(): unknown {
    const start = this.at;
    const raw = this.match(/[^\n]*/y, "a JSON value");
    try {
      return JSON.parse(raw) as unknown;
    } catch {
      this.at = start;
      return this.fail("a JSON value");
    }
  }

  /** A size up to one of `ends`, which is not taken; brackets inside are skipped over. */
  size(ends: string): Size {
    this.skip();
    const start = this.at;
    let depth = 0;
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]!;
      if (depth === 0 && ends.includes(character)) break;
      if (character === "(") depth++;
      if (character === ")") depth--;
    }
    const raw = this.text.slice(start, this.at);
    try {
      return Size.parse(raw);
    } catch (error) {
      // Size.parse refuses with RangeError only; nesting beyond the stack is one of those.
      if (!(error instanceof RangeError)) throw error;
      this.at = start;
      return this.fail("a size");
    }
  }

  atEnd(): boolean {
    return this.peek() === "";
  }
}
