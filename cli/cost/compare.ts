/** The costs of two models side by side. */
import { tableLines } from "../show/table.js";
import { wrapped } from "../show/wrap.js";
import type { View } from "../views.js";
import type { Figure } from "./figures.js";
import type { CostStyle } from "./view.js";

/** One side: what was counted of a model. */
export interface Counted {
  readonly name: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly figures: readonly Figure[];
}

/** What both were counted with. */
export interface Shared {
  /** In lines. */
  readonly notes: readonly string[];
  /** For programs. */
  readonly data: Readonly<Record<string, unknown>>;
}

interface Pair {
  readonly title: string;
  readonly sides: readonly [Figure | undefined, Figure | undefined];
}

/**
 * @param against What the other is measured by; it stands first.
 * @param shared What was asked of both.
 */
export function comparedView(
  against: Counted,
  model: Counted,
  { notes, data }: Shared,
  { strong, width }: CostStyle,
): View {
  const pairs = pairsOf(against.figures, model.figures);
  const names = against.name === model.name ? ["against", model.name] : [against.name, model.name];
  const columns = [
    { title: "" },
    ...names.map((title) => ({ title, align: "right" as const })),
    { title: "ratio", align: "right" as const },
  ];
  const rows = pairs.map(({ title, sides }) => [
    title,
    ...sides.map((side) => (side ? side.text(side.value) : "-")),
    ratioText(ratioOf(sides)),
  ]);
  const sizes = [
    ...[against, model].map((one, side) => [names[side]!, ownSizes(one, one === model ? against : model)] as const),
    ["both", Object.entries(model.sizes).filter(([name, value]) => against.sizes[name] === value)] as const,
  ];
  const lines = [
    ...tableLines(columns, rows, strong),
    "",
    ...[
      ...sizes
        .filter(([, list]) => list.length > 0)
        .map(([who, list]) => `${who} with ${list.map(([name, value]) => `${name} = ${value}`).join(", ")}`),
      ...notes,
    ].flatMap((text) => wrapped(text, width, "  ", "      ")),
  ];
  const figures = pairs.map(({ title, sides }) => ({
    title: title.trim(),
    values: sides.map((side) => side?.value ?? null),
    ratio: ratioOf(sides) ?? null,
  }));
  const models = [against, model].map((one) => ({ name: one.name, sizes: one.sizes }));
  return { title: "comparison", lines, data: { setting: data, models, figures } };
}

/** Sizes that the other model lacks or has otherwise. */
function ownSizes(one: Counted, other: Counted): readonly (readonly [string, number])[] {
  return Object.entries(one.sizes).filter(([name, value]) => other.sizes[name] !== value);
}

/** Figures of one title together, in the order of the first; those that only the second has behind them. */
function pairsOf(first: readonly Figure[], second: readonly Figure[]): readonly Pair[] {
  const key = ({ title, shared }: Figure): string => shared ?? title;
  const titleOf = (one: Figure, other: Figure | undefined): string =>
    other === undefined || other.title === one.title ? one.title : key(one);
  const rest = [...second];
  const pairs = first.map((one): Pair => {
    const at = rest.findIndex((each) => key(each) === key(one));
    const other = at < 0 ? undefined : rest.splice(at, 1)[0];
    return { title: titleOf(one, other), sides: [one, other] };
  });
  return [...pairs, ...rest.map((other): Pair => ({ title: other.title, sides: [undefined, other] }))];
}

function ratioOf([first, second]: Pair["sides"]): number | undefined {
  if (!first || !second) return undefined;
  if (first.value === second.value) return 1;
  return first.value === 0 ? undefined : second.value / first.value;
}

/** Three digits, and no more than are there: `1`, `0.5`, `12.3`. */
function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? "-" : String(Number(ratio.toPrecision(3)));
}
