/**
 * Size texts of a plan as functions: each text is parsed once, then evaluated for every call without allocation.
 *
 * The grammar is what `Size.toString` prints: sums of products of powers over numbers, names, `(…)`, `ceil(a/b)`,
 * `floor(a/b)`, `min(a,b)` and `max(a,b)`.
 */

/** Values of the run-time sizes (`T`, `past`) and of the loops around a step. */
export type SizeValues = Readonly<Record<string, number>>;
export type SizeFunction = (values: SizeValues) => number;
/** What names stand for where a size is compiled: a number, or another name. */
export type BoundNames = Readonly<Record<string, number | string>>;

export interface CompiledSize {
  /** The value when it depends on no name. */
  readonly constant: number | undefined;
  /** The names it depends on. */
  readonly names: readonly string[];
  readonly evaluate: SizeFunction;
}

/**
 * Compiles one text; names in `bound` are replaced by what they stand for. Throws RangeError when it is not a size, and at
 * evaluation when a name has no value.
 */
export function compileSize(text: string, bound: BoundNames = {}): CompiledSize {
  const tokens = text.match(/\d+|[A-Za-z_][\w.']*|[()+\-*/^,]/g) ?? [];
  if (tokens.length === 0 || tokens.join("") !== text.replaceAll(" ", "")) throw new RangeError(`not a size: ${text}`);
  const parser = new SizeParser(text, tokens, bound);
  const compiled = parser.sum();
  parser.end();
  return compiled;
}

class SizeParser {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly tokens: readonly string[],
    private readonly bound: BoundNames,
  ) {}

  end(): void {
    if (this.at !== this.tokens.length) throw this.wrong();
  }

  sum(): CompiledSize {
    let value = this.take("-") ? combine(constant(0), this.product(), (a, b) => a - b) : this.product();
    for (;;) {
      if (this.take("+")) value = combine(value, this.product(), (a, b) => a + b);
      else if (this.take("-")) value = combine(value, this.product(), (a, b) => a - b);
      else return value;
    }
  }

  private product(): CompiledSize {
    let value = this.factor();
    while (this.take("*")) value = combine(value, this.factor(), (a, b) => a * b);
    return value;
  }

  private factor(): CompiledSize {
    const base = this.primary();
    return this.take("^") ? combine(base, this.primary(), (a, b) => a ** b) : base;
  }

  private primary(): CompiledSize {
    const token = this.tokens[this.at++];
    if (token === undefined) throw this.wrong();
    if (token === "(") {
      const inner = this.sum();
      this.expect(")");
      return inner;
    }
    if (/^\d/.test(token)) return constant(Number(token));
    if (!/^[A-Za-z_]/.test(token)) throw this.wrong();
    if (!this.take("(")) return this.name(token);
    const left = this.sum();
    const operation = OPERATIONS.get(token);
    if (!operation) throw this.wrong();
    this.expect(operation.separator);
    const right = operation.separator === "/" ? this.primary() : this.sum();
    this.expect(")");
    return combine(left, right, operation.apply);
  }

  private name(key: string): CompiledSize {
    const value = Object.hasOwn(this.bound, key) ? this.bound[key] : undefined;
    return typeof value === "number" ? constant(value) : runtimeName(value ?? key);
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) throw this.wrong();
  }

  private wrong(): RangeError {
    return new RangeError(`not a size: ${this.text}`);
  }
}

const OPERATIONS = new Map<string, { separator: "/" | ","; apply: (a: number, b: number) => number }>([
  ["ceil", { separator: "/", apply: (a, b) => Math.ceil(a / b) }],
  ["floor", { separator: "/", apply: (a, b) => Math.floor(a / b) }],
  ["min", { separator: ",", apply: Math.min }],
  ["max", { separator: ",", apply: Math.max }],
]);

function constant(value: number): CompiledSize {
  return { constant: value, names: [], evaluate: () => value };
}

function runtimeName(key: string): CompiledSize {
  const evaluate = (values: SizeValues): number => {
    const value = values[key];
    if (value === undefined) throw new RangeError(`the size ${key} has no value`);
    return value;
  };
  return { constant: undefined, names: [key], evaluate };
}

function combine(a: CompiledSize, b: CompiledSize, apply: (a: number, b: number) => number): CompiledSize {
  if (a.constant !== undefined && b.constant !== undefined) return constant(apply(a.constant, b.constant));
  return {
    constant: undefined,
    names: [...a.names, ...b.names],
    evaluate: (values) => apply(a.evaluate(values), b.evaluate(values)),
  };
}
