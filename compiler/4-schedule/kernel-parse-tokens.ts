/** Tokens of the text form of kernel IR. */

/** Text that is not a kernel. */
export class KernelTextError extends Error {
  override readonly name = "KernelTextError";
  constructor(
    message: string,
    /** 1 for the first line. */
    readonly line: number,
  ) {
    super(`line ${line}: ${message}`);
  }
}

const pattern =
  /(?<space>\s+)|"(?:[^"\\]|\\.)*"|@\w+|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|-inf\b|[A-Za-z_]\w*|>>>|<<|>>|[<>=!]=|[-+*/%&|^<>=(){}[\],:.]/y;

export class Tokens {
  private readonly list: { readonly text: string; readonly line: number }[] = [];
  private position = 0;

  constructor(text: string) {
    let line = 1;
    pattern.lastIndex = 0;
    while (pattern.lastIndex < text.length) {
      const at = pattern.lastIndex;
      const found = pattern.exec(text);
      if (!found) throw new KernelTextError(`unexpected ${JSON.stringify(text[at])}`, line);
      if (found.groups?.["space"] === undefined) this.list.push(...split(found[0], this.list.at(-1)?.text, line));
      line += found[0].split("\n").length - 1;
    }
  }

  get done(): boolean {
    return this.position >= this.list.length;
  }

  error(message: string): KernelTextError {
    const last = this.list[Math.max(0, Math.min(this.position, this.list.length) - 1)];
    return new KernelTextError(message, last?.line ?? 1);
  }

  next(): string {
    const token = this.list[this.position];
    if (!token) throw this.error("the text ends too early");
    this.position++;
    return token.text;
  }

  at(text: string): boolean {
    return this.list[this.position]?.text === text;
  }

  take(text: string): boolean {
    if (!this.at(text)) return false;
    this.position++;
    return true;
  }

  expect(text: string): void {
    const found = this.next();
    if (found !== text) throw this.error(`expected ${text}, found ${found}`);
  }

  name(): string {
    const found = this.next();
    if (!/^[A-Za-z_]\w*$/.test(found)) throw this.error(`expected a name, found ${found}`);
    return found;
  }

  string(): string {
    const found = this.next();
    if (!found.startsWith('"')) throw this.error(`expected a text in quotes, found ${found}`);
    return this.checked(() => JSON.parse(found) as string);
  }

  /** What `make` gives, or its complaint with the line. */
  checked<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) throw this.error(error.message);
      throw error;
    }
  }
}

/** After a dot a number is a list of attributes: `shuffle.0.1.4.5`. */
function split(text: string, before: string | undefined, line: number): { text: string; line: number }[] {
  if (before !== "." || !/^\d+\.\d+$/.test(text)) return [{ text, line }];
  const [left, right] = text.split(".");
  return [
    { text: left!, line },
    { text: ".", line },
    { text: right!, line },
  ];
}
