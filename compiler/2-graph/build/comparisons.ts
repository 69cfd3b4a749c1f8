/** What two operands of an assertion that did not hold differ by, for `close(a, b)` and `a == b`. */
import type { Expression } from "../../../grammar/tree.js";
import type { TensorType } from "../../ops/types.js";

/** Where two operands differ: with a tolerance the farthest entry that is beyond it, else the first that is unlike. */
export interface Difference {
  /** Index along each axis of both operands together; empty for scalars. */
  readonly position: Readonly<Record<string, number>>;
  readonly left: number;
  readonly right: number;
  /** `|left - right|`. */
  readonly difference: number;
  /** Of `close`: as written, and what it allows at this position, `tolerance * (1 + |right|)`. */
  readonly tolerance?: number;
  readonly allowed?: number;
  /** How many of `entries` entries differ, or differ by more than is allowed. */
  readonly unlike: number;
  readonly entries: number;
}

/** The expression whose truth is asserted: what stands inside of `all(…, over: D)`. */
export function asserted(expression: Expression): Expression {
  let inner = expression;
  while (inner.kind === "call" && inner.callee.kind === "name" && inner.callee.name.text === "all") {
    const first = inner.args[0]?.value;
    if (!first) break;
    inner = first;
  }
  return inner;
}

interface Operand {
  readonly type: TensorType;
  readonly data: ArrayLike<number>;
}

/** Compares entry by entry; axes that only one operand has are repeated. Undefined when nothing differs. */
export function differenceOf(left: Operand, right: Operand, tolerance: number | undefined): Difference | undefined {
  const axes = new Map(
    [...left.type.axes, ...right.type.axes].map(({ name, size }) => [name, size.evaluate({ past: 0 })]),
  );
  const entries = [...axes.values()].reduce((product, size) => product * size, 1);
  const leftAt = placeIn(left.type, axes);
  const rightAt = placeIn(right.type, axes);
  let unlike = 0;
  let worst: Difference | undefined;
  for (let entry = 0; entry < entries; entry++) {
    const position = positionOf(entry, axes);
    const [a, b] = [left.data[leftAt(position)]!, right.data[rightAt(position)]!];
    const difference = Math.abs(a - b);
    const allowed = tolerance === undefined ? undefined : tolerance * (1 + Math.abs(b));
    if (allowed === undefined ? a === b : difference <= allowed) continue;
    unlike++;
    // What is no number is farther than any number is.
    const isFarther =
      worst === undefined || (tolerance !== undefined && !(difference <= worst.difference) && !isNaN(worst.difference));
    if (!isFarther) continue;
    const bound = tolerance === undefined || allowed === undefined ? {} : { tolerance, allowed };
    worst = { position, left: a, right: b, difference, ...bound, unlike, entries };
  }
  return worst && { ...worst, unlike };
}

function positionOf(entry: number, axes: ReadonlyMap<string, number>): Record<string, number> {
  let rest = entry;
  const reversed = [...axes].reverse().map(([name, size]) => {
    const index = rest % size;
    rest = (rest - index) / size;
    return [name, index] as const;
  });
  return Object.fromEntries(reversed.reverse());
}

/** Where an operand keeps the entry of a position: row by row along its own axes. */
function placeIn({ axes }: TensorType, sizes: ReadonlyMap<string, number>) {
  return (position: Readonly<Record<string, number>>): number =>
    axes.reduce((place, { name }) => place * sizes.get(name)! + position[name]!, 0);
}

/** One line: `farthest apart at [T: 2, D: 0]: 0.5 and 0.75, by 0.25; tolerance 0.001 * (1 + |b|) = 0.00175; …`. */
export function differenceText(found: Difference): string {
  const { position, left, right, difference, tolerance, allowed, unlike, entries } = found;
  const axes = Object.entries(position).map(([name, index]) => `${name}: ${index}`);
  const place = axes.length === 0 ? "" : ` at [${axes.join(", ")}]`;
  const values = `${numberText(left)} and ${numberText(right)}`;
  const share = (word: string): string => (entries === 1 ? "" : `; ${unlike} of ${entries} are ${word}`);
  if (tolerance === undefined || allowed === undefined) {
    return entries === 1 ? `${values} are unlike` : `first unlike${place}: ${values}${share("unlike")}`;
  }
  const bound = `tolerance ${tolerance} * (1 + |b|) = ${rounded(allowed)}`;
  return entries === 1
    ? `${values} are ${rounded(difference)} apart; ${bound}`
    : `farthest apart${place}: ${values}, by ${rounded(difference)}; ${bound}${share("too far apart")}`;
}

const rounded = (value: number, digits = 3): string => String(Number(value.toPrecision(digits)));

/** Nine digits tell any two f32 apart; whole numbers have all of theirs. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : rounded(value, 9);
}
