/**
 * Coordinates of a tensor as symbolic arithmetic over loop variables: sums of `coefficient * atom`, where an atom is a
 * variable or a division or remainder by a size. Splits and merges of axes cancel here (`(d div C) * C + d mod C` is
 * `d`), so a view costs no arithmetic in the kernel, and an address says by itself along which loop it is contiguous.
 *
 * Every variable is at least zero and below its extent, when one is known.
 */
import { Size } from "../../axes/size.js";

export type Atom =
  | { readonly kind: "variable"; readonly name: string; readonly extent: Size | undefined }
  | { readonly kind: "quotient" | "remainder"; readonly of: Coordinate; readonly by: Size };

interface Term {
  readonly atom: Atom;
  readonly coefficient: Size;
}

function atomKey(atom: Atom): string {
  if (atom.kind === "variable") return atom.name;
  return `${atom.kind === "quotient" ? "div" : "mod"}(${atom.of.key},${atom.by.key})`;
}

export class Coordinate {
  /** Made when it is asked for: most coordinates are steps on the way to another. */
  #key: string | undefined;

  private constructor(
    readonly constant: Size,
    readonly terms: ReadonlyMap<string, Term>,
  ) {}

  /** Equal for equal coordinates. */
  get key(): string {
    if (this.#key !== undefined) return this.#key;
    const sorted = [...this.terms.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return (this.#key = [...sorted.map(([key, term]) => `${key}*[${term.coefficient.key}]`), this.constant.key].join(
      "+",
    ));
  }

  static readonly zero = new Coordinate(Size.zero, new Map());

  static size(size: Size): Coordinate {
    return new Coordinate(size, new Map());
  }

  static number(value: number): Coordinate {
    return Coordinate.size(Size.of(value));
  }

  /** A register of the kernel: a loop variable, or a number that was loaded. */
  static variable(name: string, extent?: Size): Coordinate {
    return Coordinate.atom({ kind: "variable", name, extent });
  }

  private static atom(atom: Atom): Coordinate {
    return new Coordinate(Size.zero, new Map([[atomKey(atom), { atom, coefficient: Size.one }]]));
  }

  plus(other: Coordinate): Coordinate {
    if (other.terms.size === 0 && other.constant.constant === 0) return this;
    if (this.terms.size === 0 && this.constant.constant === 0) return other;
    const terms = new Map(this.terms);
    for (const [key, term] of other.terms) {
      const before = terms.get(key);
      const coefficient = before ? before.coefficient.plus(term.coefficient) : term.coefficient;
      if (coefficient.constant === 0) terms.delete(key);
      else terms.set(key, { atom: term.atom, coefficient });
    }
    return new Coordinate(this.constant.plus(other.constant), terms).joined();
  }

  minus(other: Coordinate): Coordinate {
    return this.plus(other.times(Size.of(-1)));
  }

  times(factor: Size): Coordinate {
    if (factor.constant === 0) return Coordinate.zero;
    if (factor.constant === 1) return this;
    const terms = new Map([...this.terms].map(([key, t]) => [key, { ...t, coefficient: t.coefficient.times(factor) }]));
    return new Coordinate(this.constant.times(factor), terms);
  }

  /** `q * n * c + r * c` becomes `x * c` where q and r are quotient and remainder of the same x by n. */
  private joined(): Coordinate {
    for (const [key, { atom, coefficient }] of this.terms) {
      if (atom.kind !== "remainder") continue;
      const quotientKey = atomKey({ kind: "quotient", of: atom.of, by: atom.by });
      const quotient = this.terms.get(quotientKey);
      if (!quotient?.coefficient.equals(coefficient.times(atom.by))) continue;
      const rest = new Map(this.terms);
      rest.delete(key);
      rest.delete(quotientKey);
      return new Coordinate(this.constant, rest).plus(atom.of.times(coefficient));
    }
    return this;
  }

  /** The number that it is, when no variable or size is in it. */
  get number(): number | undefined {
    return this.terms.size === 0 ? this.constant.constant : undefined;
  }

  /** The largest value, when the bounds of all variables are known. */
  get maximum(): Size | undefined {
    let sum = this.constant;
    for (const { atom, coefficient } of this.terms.values()) {
      const top =
        atom.kind === "variable"
          ? atom.extent?.minus(Size.one)
          : atom.kind === "remainder"
            ? atom.by.minus(Size.one)
            : atom.of.maximum?.floorDividedBy(atom.by);
      if (!top || !coefficient.isPlainlyNonNegative) return undefined;
      sum = sum.plus(coefficient.times(top));
    }
    return sum;
  }

  private isBelow(bound: Size): boolean {
    const top = this.maximum;
    if (!top || !this.constant.isPlainlyNonNegative) return false;
    return bound.minus(top).minus(Size.one).isPlainlyNonNegative;
  }

  /** Splits into a part that `by` divides and the rest. */
  private divided(by: Size): { quotient: Coordinate; rest: Coordinate } {
    let quotient = Coordinate.zero;
    let rest = Coordinate.zero;
    for (const [key, term] of this.terms) {
      const exact = term.coefficient.dividedBy(by);
      const single = new Map([[key, { atom: term.atom, coefficient: exact ?? term.coefficient }]]);
      if (exact) quotient = quotient.plus(new Coordinate(Size.zero, single));
      else rest = rest.plus(new Coordinate(Size.zero, single));
    }
    const exact = this.constant.dividedBy(by);
    if (exact) quotient = quotient.plus(Coordinate.size(exact));
    else {
      const value = this.constant.constant;
      const whole = by.constant !== undefined && value !== undefined ? Math.floor(value / by.constant) : 0;
      quotient = quotient.plus(Coordinate.number(whole));
      rest = rest.plus(Coordinate.size(this.constant.minus(by.times(Size.of(whole)))));
    }
    return { quotient, rest };
  }

  /** Rounded down; for coordinates that are at least zero. */
  dividedBy(by: Size): Coordinate {
    if (by.constant === 1) return this;
    const { quotient, rest } = this.divided(by);
    if (rest.isBelow(by)) return quotient;
    return quotient.plus(Coordinate.atom({ kind: "quotient", of: rest, by }));
  }

  modulo(by: Size): Coordinate {
    if (by.constant === 1) return Coordinate.zero;
    const { rest } = this.divided(by);
    if (rest.isBelow(by)) return rest;
    return Coordinate.atom({ kind: "remainder", of: rest, by });
  }

  /** Put `value` in the place of a variable. */
  substitute(name: string, value: Coordinate): Coordinate {
    if (!this.mentions(name)) return this;
    let sum = Coordinate.size(this.constant);
    for (const { atom, coefficient } of this.terms.values()) {
      const next =
        atom.kind === "variable"
          ? atom.name === name
            ? value
            : Coordinate.atom(atom)
          : atom.kind === "quotient"
            ? atom.of.substitute(name, value).dividedBy(atom.by)
            : atom.of.substitute(name, value).modulo(atom.by);
      sum = sum.plus(next.times(coefficient));
    }
    return sum;
  }

  mentions(name: string): boolean {
    return this.variables.has(name);
  }

  get variables(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const { atom } of this.terms.values()) {
      if (atom.kind === "variable") names.add(atom.name);
      else for (const name of atom.of.variables) names.add(name);
    }
    return names;
  }

  /** The coordinate with one more term. */
  withTerm(key: string, term: Term): Coordinate {
    return this.plus(new Coordinate(Size.zero, new Map([[key, term]])));
  }

  /**
   * How much it grows when the variable grows by one, or undefined when not linear. With `lanes` the question is about
   * the steps between a multiple of `lanes` and the next: there a quotient by a multiple of `lanes` stands still.
   */
  slope(name: string, lanes = 1): Size | undefined {
    let slope = Size.zero;
    for (const { atom, coefficient } of this.terms.values()) {
      if (atom.kind === "variable") {
        if (atom.name === name) slope = slope.plus(coefficient);
      } else if (atom.of.mentions(name)) {
        if (lanes === 1 || !atom.of.isAligned(name, lanes) || !divides(lanes, atom.by)) return undefined;
        if (atom.kind === "remainder") slope = slope.plus(coefficient);
      }
    }
    return slope;
  }

  /** One times the variable plus a multiple of `lanes`. */
  private isAligned(name: string, lanes: number): boolean {
    if (!divides(lanes, this.constant)) return false;
    return [...this.terms.values()].every(({ atom, coefficient }) =>
      atom.kind === "variable" && atom.name === name
        ? coefficient.constant === 1
        : divides(lanes, coefficient) && (atom.kind === "variable" || !atom.of.mentions(name)),
    );
  }
}

function divides(lanes: number, size: Size): boolean {
  return size.dividedBy(Size.of(lanes)) !== undefined;
}

/** Coordinates of one element by axis name. */
export type Coordinates = ReadonlyMap<string, Coordinate>;
