/** What a model costs, as a table and, where they are asked for, as formulas. */
import type { CacheStorage } from "../../compiler/4-schedule/options.js";
import type { Size } from "../../compiler/axes/size.js";
import { formulaText } from "../../editor/server/cost/formula.js";
import { approximate } from "./approximate.js";
import { tableLines } from "../show/table.js";
import { bytesText, countText } from "../show/units.js";
import { wrapped } from "../show/wrap.js";
import type { Quantization as Choice } from "../project-file.js";
import type { View } from "../views.js";
import type { Figure } from "./figures.js";
import type { Amounts, ModelCost } from "./model-cost.js";

/** Formats whose bytes are known without a file. */
type Quantization = Exclude<Choice, "file">;

/** Bytes of one number of a matrix; blocks of 32 numbers have an f16 scale. */
const BYTES: Readonly<Record<Quantization, number>> = { f32: 4, f16: 2, bf16: 2, q8_0: 34 / 32, q4_0: 18 / 32 };

/** How the parameters are stored and how far back a token looks, for the bytes and operations in numbers. */
export interface CostSetting {
  readonly quantization: Quantization;
  readonly past: number;
  readonly cache: CacheStorage;
}

/** How the views of costs are written. */
export interface CostStyle {
  readonly strong: (text: string) => string;
  /** Cells of a line. */
  readonly width: number;
  /** Print formulas below the numbers; the data have them in any case. */
  readonly formulas: boolean;
}

export function modelCostView(cost: ModelCost, setting: CostSetting, style: CostStyle): View {
  const { strong } = style;
  const data = costData(cost, setting);
  const rows = costFigures(data.numbers, setting).map(({ title, value, text }) => [
    title,
    text === countText ? exact(value) : "",
    text(value),
  ]);
  const columns = [{ title: cost.name }, { title: "exactly", align: "right" }, { title: "", align: "right" }] as const;
  const sizes = Object.entries(cost.sizes)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
  const { formulas } = data;
  const lines = [
    ...tableLines(columns, rows, strong),
    "",
    ...(formulas && style.formulas ? [...formulaLines("formulas", formulas, TITLES, style), ""] : []),
    ...wrapped(`with ${sizes}`, style.width, "  ", "      "),
  ];
  return { title: "cost", lines, data };
}

/** The numbers of the table. */
export function costFigures(
  { parameters, active, activeWithoutTables, operations, bytes }: ReturnType<typeof costNumbers>,
  { quantization, past, cache }: CostSetting,
): readonly Figure[] {
  return [
    { title: "parameters", value: parameters, text: countText },
    { title: "active for a token", value: active, text: countText },
    { title: "  without tables that are only looked up", value: activeWithoutTables, text: countText },
    {
      title: `operations of a token after ${past} others`,
      shared: "operations of a token",
      value: operations,
      text: countText,
    },
    { title: `weights in ${quantization}`, shared: "weights", value: bytes.weights, text: bytesText },
    { title: "  of which a token reads", value: bytes.weightsPerToken, text: bytesText },
    {
      title: `cache of ${past} tokens in ${cache}, which a token reads`,
      shared: "cache, which a token reads",
      value: bytes.cachePerToken,
      text: bytesText,
    },
  ];
}

const TITLES: Readonly<Record<keyof Amounts, string>> = {
  parameters: "parameters",
  active: "active",
  tables: "tables",
  operations: "operations",
  cacheRow: "cache per position",
};

/** The sizes of a cost as numbers. */
export function costNumbers({ numbers }: ModelCost, { quantization, past, cache }: CostSetting) {
  const at = (size: Size): number => approximate(size, { past });
  const { parameters, active, tables, operations, cacheRow } = numbers;
  const activeWithoutTables = at(active) - at(tables);
  return {
    parameters: at(parameters),
    active: at(active),
    activeWithoutTables,
    operations: at(operations),
    cacheNumbersPerPosition: at(cacheRow),
    bytes: {
      weights: Math.round(at(parameters) * BYTES[quantization]),
      weightsPerToken: Math.round(activeWithoutTables * BYTES[quantization]),
      cachePerToken: at(cacheRow) * past * BYTES[cache],
    },
  };
}

/** The cost for programs. */
function costData(cost: ModelCost, setting: CostSetting) {
  const { quantization, past, cache } = setting;
  return {
    model: cost.name,
    entry: cost.entry,
    sizes: cost.sizes,
    past,
    quantization,
    cache,
    numbers: costNumbers(cost, setting),
    formulas:
      cost.formulas &&
      (Object.fromEntries(
        Object.entries(cost.formulas).map(([key, size]) => [key, formulaText(size as Size)]),
      ) as Record<keyof Amounts, string>),
    fixed: cost.fixed,
    parameters: cost.parameters,
  };
}

/** Digits in groups of three. */
const exact = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, " ");

/** A heading and `title = formula` for each, in lines of the width; later ones are indented. */
export function formulaLines<Key extends string>(
  heading: string,
  formulas: Readonly<Record<Key, string>>,
  titles: Readonly<Record<Key, string>>,
  { strong, width }: CostStyle,
): readonly string[] {
  const lines = (Object.entries(formulas) as [Key, string][]).flatMap(([key, text]) =>
    wrapped(`${titles[key]} = ${text}`, width, "  ", "      "),
  );
  return [strong(heading), ...lines];
}
