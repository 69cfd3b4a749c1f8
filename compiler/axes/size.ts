/**
 * Sizes of axes: exact polynomials with integer coefficients over named sizes.
 *
 * `4 * D`, `L * (E + 1)` and `past + T` are sizes. Division is exact (`D / H` needs a proof that H divides D) or becomes
 * an atom (`ceil(T * 5 / (4 * E))`). Sizes are canonical: two sizes are equal for all values of their names whenever
 * their printed texts are equal, so `key` is good for maps and `equals` is cheap.
 *
 * @example Size.of("D").times(Size.of(4)).toString() === "4*D"
 */

/** A factor that is no number: a named size, or a rounding or a bound which has no polynomial form. */
export type Atom =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "ceil" | "floor" | "min" | "max"; readonly left: Size; readonly right: Size };

/** What `Size.interpret` needs to know of the arithmetic that it builds in. */
export interface SizeArithmetic<E> {
  constant(value: number): E;
  name(name: string): E;
  add(left: E, right: E): E;
  multiply(left: E, right: E): E;
  ceil(left: E, right: E): E;
  floor(left: E, right: E): E;
  min(left: E, right: E): E;
  max(left: E, right: E): E;
}

interface Term {
  readonly coefficient: number;
  /** Atoms with their powers, sorted by key. */
  readonly factors: readonly { readonly atom: Atom; readonly key: string; readonly power: number }[];
}

function atomKey(atom: Atom): string {
  switch (atom.kind) {
    case "name":
      return atom.name;
    case "ceil":
    case "floor":
      return `${atom.kind}(${atom.left.key}/(${atom.right.key}))`;
    case "min":
    case "max":
      return `${atom.kind}(${atom.left.key},${atom.right.key})`;
  }
}

function termKey(term: Term): string {
  return term.factors.map((factor) => (factor.power === 1 ? factor.key : `${factor.key}^${factor.power}`)).join("*");
}

function degree(term: Term): number {
  return term.factors.reduce((sum, factor) => sum + factor.power, 0);
}

/** A size that numbers cannot hold exactly. */
export class InexactSize extends RangeError {
  constructor(readonly value: number) {
    super(`size ${value} is not an exact integer`);
  }
}

/**
 * Graded lexicographic order, largest first: by degree, then by the power of the first name in which two terms differ.
 * Division is exact only in an order that products respect, which an order of printed texts is not.
 */
function compareTerms(x: Term, y: Term): number {
  const byDegree = degree(y) - degree(x);
  if (byDegree !== 0) return byDegree;
  const powers = (term: Term): Map<string, number> => new Map(term.factors.map(({ key, power }) => [key, power]));
  const a = powers(x);
  const b = powers(y);
  const keys = [...new Set([...a.keys(), ...b.keys()])].sort();
  for (const key of keys) {
    const difference = (b.get(key) ?? 0) - (a.get(key) ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function checked(value: number): number {
  if (!Number.isSafeInteger(value)) throw new InexactSize(value);
  return value;
}

export class Size {
  /** Canonical text; equal sizes have equal keys. */
  readonly key: string;

  private constructor(private readonly terms: readonly Term[]) {
    this.key = Size.print(terms);
  }

  static readonly zero = new Size([]);
  static readonly one = new Size([{ coefficient: 1, factors: [] }]);

  /** A whole number or a named size. Throws RangeError for a number that is not an exact integer. */
  static of(value: number | string): Size {
    if (typeof value === "number") {
      return checked(value) === 0 ? Size.zero : new Size([{ coefficient: value, factors: [] }]);
    }
    return Size.fromAtom({ kind: "name", name: value });
  }

  private static fromAtom(atom: Atom): Size {
    return new Size([{ coefficient: 1, factors: [{ atom, key: atomKey(atom), power: 1 }] }]);
  }

  private static collect(terms: readonly Term[]): Size {
    const sums = new Map<string, Term>();
    for (const term of terms) {
      const key = termKey(term);
      const before = sums.get(key);
      sums.set(key, before ? { ...before, coefficient: checked(before.coefficient + term.coefficient) } : term);
    }
    const kept = [...sums.entries()].filter(([, term]) => term.coefficient !== 0);
    kept.sort(([, x], [, y]) => compareTerms(x, y));
    return new Size(kept.map(([, term]) => term));
  }

  private static multiplyTerms(a: Term, b: Term): Term {
    const powers = new Map<string, { atom: Atom; key: string; power: number }>();
    for (const factor of [...a.factors, ...b.factors]) {
      const before = powers.get(factor.key);
      powers.set(factor.key, { ...factor, power: (before?.power ?? 0) + factor.power });
    }
    const factors = [...powers.values()].sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0));
    return { coefficient: checked(a.coefficient * b.coefficient), factors };
  }

  plus(other: Size): Size {
    return Size.collect([...this.terms, ...other.terms]);
  }

  minus(other: Size): Size {
    return this.plus(other.times(Size.of(-1)));
  }

  times(other: Size): Size {
    return Size.collect(this.terms.flatMap((a) => other.terms.map((b) => Size.multiplyTerms(a, b))));
  }

  power(exponent: number): Size {
    let result = Size.one;
    for (let i = 0; i < exponent; i++) result = result.times(this);
    return result;
  }

  /** The exact quotient, or undefined when `divisor` does not divide this size for all values of its names. */
  dividedBy(divisor: Size): Size | undefined {
    const leading = divisor.terms[0];
    if (!leading) return undefined;
    let rest: Size = new Size(this.terms);
    let quotient = Size.zero;
    // Long division by the leading term; each step removes the leading term of the rest, so this ends.
    for (let step = 0; rest.terms.length > 0; step++) {
      const head = rest.terms[0]!;
      if (step > 1000 || head.coefficient % leading.coefficient !== 0) return undefined;
      const factors: { atom: Atom; key: string; power: number }[] = head.factors.map((factor) => ({ ...factor }));
      for (const factor of leading.factors) {
        const found = factors.find((candidate) => candidate.key === factor.key);
        if (!found || found.power < factor.power) return undefined;
        found.power -= factor.power;
      }
      const part = Size.collect([
        { coefficient: head.coefficient / leading.coefficient, factors: factors.filter((factor) => factor.power > 0) },
      ]);
      quotient = quotient.plus(part);
      rest = rest.minus(part.times(divisor));
    }
    return quotient;
  }

  /** `ceil(this / divisor)`, folded where both are numbers or the division is exact. */
  ceilDividedBy(divisor: Size): Size {
    return this.rounded("ceil", divisor);
  }

  /** `floor(this / divisor)`, folded where both are numbers or the division is exact. */
  floorDividedBy(divisor: Size): Size {
    return this.rounded("floor", divisor);
  }

  private rounded(kind: "ceil" | "floor", divisor: Size): Size {
    const a = this.constant;
    const b = divisor.constant;
    if (b === 0) throw new RangeError("division of a size by zero");
    if (a !== undefined && b !== undefined) return Size.of(kind === "ceil" ? Math.ceil(a / b) : Math.floor(a / b));
    return this.dividedBy(divisor) ?? Size.fromAtom({ kind, left: this, right: divisor });
  }

  min(other: Size): Size {
    return this.bounded("min", other);
  }

  max(other: Size): Size {
    return this.bounded("max", other);
  }

  private bounded(kind: "min" | "max", other: Size): Size {
    if (this.equals(other)) return this;
    const difference = this.minus(other).constant;
    if (difference !== undefined) return difference < 0 === (kind === "min") ? this : other;
    const [left, right] = this.key < other.key ? [this, other] : [other, this];
    return Size.fromAtom({ kind, left, right });
  }

  /** The value when it depends on no name. */
  get constant(): number | undefined {
    if (this.terms.length === 0) return 0;
    const [only] = this.terms;
    return this.terms.length === 1 && only!.factors.length === 0 ? only!.coefficient : undefined;
  }

  equals(other: Size): boolean {
    return this.key === other.key;
  }

  /** True when no term is negative, so that the size is at least zero for all values of its names. */
  get isPlainlyNonNegative(): boolean {
    return this.terms.every((term) => term.coefficient >= 0);
  }

  /** Rebuild the size in another arithmetic, such as expressions of a kernel. */
  interpret<E>(to: SizeArithmetic<E>): E {
    const atom = (from: Atom): E =>
      from.kind === "name" ? to.name(from.name) : to[from.kind](from.left.interpret(to), from.right.interpret(to));
    const product = (term: Term): E => {
      const factors = term.factors.flatMap((factor) => Array.from({ length: factor.power }, () => atom(factor.atom)));
      if (factors.length === 0) return to.constant(term.coefficient);
      const all = factors.reduce((left, right) => to.multiply(left, right));
      return term.coefficient === 1 ? all : to.multiply(all, to.constant(term.coefficient));
    };
    return this.terms.length === 0
      ? to.constant(0)
      : this.terms.map(product).reduce((left, right) => to.add(left, right));
  }

  /** The names it depends on, sorted. */
  get names(): readonly string[] {
    const names = new Set<string>();
    for (const term of this.terms) {
      for (const { atom } of term.factors) {
        if (atom.kind === "name") names.add(atom.name);
        else for (const name of [...atom.left.names, ...atom.right.names]) names.add(name);
      }
    }
    return [...names].sort();
  }

  /** Replace names by sizes; names that are not in the map stay. */
  substitute(values: ReadonlyMap<string, Size>): Size {
    if (!this.names.some((name) => values.has(name))) return this;
    let sum = Size.zero;
    for (const term of this.terms) {
      let product = Size.of(term.coefficient);
      for (const { atom, power } of term.factors)
        product = product.times(Size.substituteAtom(atom, values).power(power));
      sum = sum.plus(product);
    }
    return sum;
  }

  private static substituteAtom(atom: Atom, values: ReadonlyMap<string, Size>): Size {
    if (atom.kind === "name") return values.get(atom.name) ?? Size.of(atom.name);
    const left = atom.left.substitute(values);
    const right = atom.right.substitute(values);
    return atom.kind === "min" || atom.kind === "max" ? left.bounded(atom.kind, right) : left.rounded(atom.kind, right);
  }

  /** The number for given values of all its names. Throws RangeError when one is missing. */
  evaluate(values: Readonly<Record<string, number>>): number {
    const missing = this.names.find((name) => !Object.hasOwn(values, name));
    if (missing !== undefined) throw new RangeError(`size ${this.key} needs a value for ${missing}`);
    const result = this.substitute(new Map(this.names.map((name) => [name, Size.of(values[name]!)]))).constant;
    return result!;
  }

  toString(): string {
    return this.key;
  }

  toJSON(): string {
    return this.key;
  }

  private static print(terms: readonly Term[]): string {
    if (terms.length === 0) return "0";
    return terms
      .map((term, index) => {
        const body = termKey(term);
        const magnitude = Math.abs(term.coefficient);
        const text = body === "" ? `${magnitude}` : magnitude === 1 ? body : `${magnitude}*${body}`;
        if (index === 0) return term.coefficient < 0 ? `-${text}` : text;
        return term.coefficient < 0 ? ` - ${text}` : ` + ${text}`;
      })
      .join("");
  }

  /** Reads what `toString` printed. Throws RangeError on anything else. */
  static parse(text: string): Size {
    const tokens = text.match(/\d+|[A-Za-z_][\w.']*|[()+\-*/^,]/g) ?? [];
    if (tokens.join("") !== text.replaceAll(" ", "")) throw new RangeError(`not a size: ${text}`);
    let at = 0;
    const expect = (token: string): void => {
      if (tokens[at++] !== token) throw new RangeError(`not a size: ${text}`);
    };
    const sum = (): Size => {
      let value = tokens[at] === "-" ? (at++, product().times(Size.of(-1))) : product();
      while (tokens[at] === "+" || tokens[at] === "-") {
        value = tokens[at++] === "+" ? value.plus(product()) : value.minus(product());
      }
      return value;
    };
    const product = (): Size => {
      let value = factor();
      while (tokens[at] === "*") {
        at++;
        value = value.times(factor());
      }
      return value;
    };
    const factor = (): Size => {
      const base = primary();
      if (tokens[at] !== "^") return base;
      at++;
      return base.power(Number(tokens[at++]));
    };
    const primary = (): Size => {
      const token = tokens[at++];
      if (token === undefined) throw new RangeError(`not a size: ${text}`);
      if (token === "(") {
        const inner = sum();
        expect(")");
        return inner;
      }
      if (/^\d/.test(token)) return Size.of(Number(token));
      if (!/^[A-Za-z_]/.test(token)) throw new RangeError(`not a size: ${text}`);
      if (tokens[at] !== "(") return Size.of(token);
      at++;
      const left = sum();
      expect(token === "ceil" || token === "floor" ? "/" : ",");
      const right = token === "ceil" || token === "floor" ? primary() : sum();
      expect(")");
      if (token === "ceil" || token === "floor") return left.rounded(token, right);
      if (token === "min" || token === "max") return left.bounded(token, right);
      throw new RangeError(`not a size: ${text}`);
    };
    const result = sum();
    if (at !== tokens.length) throw new RangeError(`not a size: ${text}`);
    return result;
  }
}
