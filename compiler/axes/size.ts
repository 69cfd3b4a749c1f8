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

interface Factor {
  readonly atom: Atom;
  readonly key: string;
  readonly power: number;
}

interface Term {
  readonly coefficient: number;
  /** Atoms with their powers, sorted by key. */
  readonly factors: readonly Factor[];
  /** The product of the factors as text; terms with equal keys add up. */
  readonly key: string;
  /** Sum of the powers. */
  readonly degree: number;
}

/** The text of an operand of a quotient; parentheses keep it together where the division would take a part of it. */
function enclosed(size: Size, needed: boolean): string {
  return needed ? `(${size.key})` : size.key;
}

function atomKey(atom: Atom): string {
  switch (atom.kind) {
    case "name":
      return atom.name;
    case "ceil":
    case "floor":
      return `${atom.kind}(${enclosed(atom.left, atom.left.isSum)}/${enclosed(atom.right, !atom.right.isAtomic)})`;
    case "min":
    case "max":
      return `${atom.kind}(${atom.left.key},${atom.right.key})`;
  }
}

function makeTerm(coefficient: number, factors: readonly Factor[]): Term {
  let key = "";
  let degree = 0;
  for (const factor of factors) {
    if (key !== "") key += "*";
    key += factor.power === 1 ? factor.key : `${factor.key}^${factor.power}`;
    degree += factor.power;
  }
  return { coefficient, factors, key, degree };
}

function withCoefficient({ factors, key, degree }: Term, coefficient: number): Term {
  return { coefficient, factors, key, degree };
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
  if (x.degree !== y.degree) return y.degree - x.degree;
  // Where the sorted factors differ first, the name that comes first has power 0 in one of the two.
  const shared = Math.min(x.factors.length, y.factors.length);
  for (let i = 0; i < shared; i++) {
    const a = x.factors[i]!;
    const b = y.factors[i]!;
    if (a.key !== b.key) return a.key < b.key ? -1 : 1;
    if (a.power !== b.power) return b.power - a.power;
  }
  return y.factors.length - x.factors.length;
}

/** The factors of a product without those of another; undefined when it lacks one of them. */
function without(factors: readonly Factor[], others: readonly Factor[]): readonly Factor[] | undefined {
  const rest: Factor[] = [];
  let matched = 0;
  for (const factor of factors) {
    const other = others[matched];
    if (other?.key !== factor.key) {
      rest.push(factor);
      continue;
    }
    if (factor.power < other.power) return undefined;
    if (factor.power > other.power) rest.push({ ...factor, power: factor.power - other.power });
    matched++;
  }
  return matched === others.length ? rest : undefined;
}

/** An editor that runs for days does not collect more. */
const NAMES_KEPT = 4096;

function checked(value: number): number {
  if (!Number.isSafeInteger(value)) throw new InexactSize(value);
  return value;
}

export class Size {
  /** Made when it is asked for: most sizes are steps on the way to another. */
  #key: string | undefined;

  private constructor(private readonly terms: readonly Term[]) {}

  /** Canonical text; equal sizes have equal keys. */
  get key(): string {
    return (this.#key ??= Size.print(this.terms));
  }

  static readonly zero = new Size([]);
  static readonly one = new Size([makeTerm(1, [])]);
  private static readonly minusOne = new Size([makeTerm(-1, [])]);
  /** Plain names, which most sizes are: made once each. */
  private static readonly named = new Map<string, Size>();

  /** A whole number or a named size. Throws RangeError for a number that is not an exact integer. */
  static of(value: number | string): Size {
    if (typeof value === "number") {
      if (value === 1) return Size.one;
      return checked(value) === 0 ? Size.zero : new Size([makeTerm(value, [])]);
    }
    let known = Size.named.get(value);
    if (!known) {
      if (Size.named.size >= NAMES_KEPT) Size.named.clear();
      Size.named.set(value, (known = Size.fromAtom({ kind: "name", name: value })));
    }
    return known;
  }

  private static fromAtom(atom: Atom): Size {
    return new Size([makeTerm(1, [{ atom, key: atomKey(atom), power: 1 }])]);
  }

  private static collect(terms: readonly Term[]): Size {
    if (terms.length === 1) return new Size(terms);
    const sums = new Map<string, Term>();
    for (const term of terms) {
      const before = sums.get(term.key);
      sums.set(term.key, before ? withCoefficient(before, checked(before.coefficient + term.coefficient)) : term);
    }
    const kept = [...sums.values()].filter((term) => term.coefficient !== 0);
    return new Size(kept.length > 1 ? kept.sort(compareTerms) : kept);
  }

  private static multiplyTerms(a: Term, b: Term): Term {
    const coefficient = checked(a.coefficient * b.coefficient);
    if (a.factors.length === 0) return withCoefficient(b, coefficient);
    if (b.factors.length === 0) return withCoefficient(a, coefficient);
    const factors: Factor[] = [];
    let i = 0;
    let j = 0;
    while (i < a.factors.length || j < b.factors.length) {
      const x = a.factors[i];
      const y = b.factors[j];
      if (x && y && x.key === y.key) {
        factors.push({ atom: x.atom, key: x.key, power: x.power + y.power });
        i++;
        j++;
      } else if (!y || (x && x.key < y.key)) {
        factors.push(x!);
        i++;
      } else {
        factors.push(y);
        j++;
      }
    }
    return makeTerm(coefficient, factors);
  }

  plus(other: Size): Size {
    if (this.terms.length === 0) return other;
    if (other.terms.length === 0) return this;
    return Size.collect([...this.terms, ...other.terms]);
  }

  minus(other: Size): Size {
    if (this.equals(other)) return Size.zero;
    return this.plus(other.times(Size.minusOne));
  }

  times(other: Size): Size {
    if (this === Size.one || other.terms.length === 0) return other;
    if (other === Size.one || this.terms.length === 0) return this;
    if (this.terms.length === 1 && other.terms.length === 1)
      return new Size([Size.multiplyTerms(this.terms[0]!, other.terms[0]!)]);
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
    if (this.equals(divisor)) return Size.one;
    let rest = new Size(this.terms);
    let quotient = Size.zero;
    // Long division by the leading term; each step removes the leading term of the rest, so this ends.
    for (let step = 0; rest.terms.length > 0; step++) {
      const head = rest.terms[0]!;
      if (step > 1000 || head.coefficient % leading.coefficient !== 0) return undefined;
      const factors = without(head.factors, leading.factors);
      if (!factors) return undefined;
      const part = new Size([makeTerm(head.coefficient / leading.coefficient, factors)]);
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

  /** 1 where this size is at least `least` (1 or more), 0 where it is smaller: a switch that each call sets. */
  reaches(least: number): Size {
    return this.floorDividedBy(Size.of(least)).min(Size.one);
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

  /** True of several terms. */
  get isSum(): boolean {
    return this.terms.length > 1;
  }

  /** True of a number that is not negative, a name, a rounding or a bound: one piece of text. */
  get isAtomic(): boolean {
    const [only, ...others] = this.terms;
    if (!only || others.length > 0) return !only;
    return only.degree === 0 ? only.coefficient > 0 : only.degree === 1 && only.coefficient === 1;
  }

  equals(other: Size): boolean {
    return this === other || this.key === other.key;
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
    const [first] = terms;
    if (!first) return "0";
    if (terms.length === 1 && first.coefficient === 1 && first.key !== "") return first.key;
    let all = "";
    for (const term of terms) {
      const magnitude = Math.abs(term.coefficient);
      const text = term.key === "" ? `${magnitude}` : magnitude === 1 ? term.key : `${magnitude}*${term.key}`;
      if (all === "") all = term.coefficient < 0 ? `-${text}` : text;
      else all += term.coefficient < 0 ? ` - ${text}` : ` + ${text}`;
    }
    return all;
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
