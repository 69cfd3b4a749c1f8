/** What a model costs, as a table and as formulas. */
import type { Size } from "../../compiler/axes/size.js";
import { formulaText } from "../../editor/server/cost/formula.js";
import { tableLines } from "../show/table.js";
import { bytesText, countText } from "../show/units.js";
import { wrapped } from "../show/wrap.js";
import type { Quantization as Choice } from "../project-file.js";
import type { View } from "../views.js";
import type { Amounts, ModelCost } from "./model-cost.js";

/** Formats whose bytes are known without a file. */
type Quantization = Exclude<Choice, "file">;

/** Bytes of one number of a matrix; blocks of 32 numbers have an f16 scale. */
const BYTES: Readonly<Record<Quantization, number>> = { f32: 4, f16: 2, bf16: 2, q8_0: 34 / 32, q4_0: 18 / 32 };

/** Caches hold f32. */
const CACHE_BYTES = 4;

/** How the parameters are stored and how far back a token looks, for the bytes and operations in numbers. */
export interface CostSetting {
  readonly quantization: Quantization;
  readonly past: number;
}

export function modelCostView(cost: ModelCost, setting: CostSetting, strong: (text: string) => string): View {
  const data = costData(cost, setting);
  const { quantization, past } = setting;
  const { parameters, active, activeWithoutTables, operations, bytes } = data.numbers;
  const rows = [
    ["parameters", exact(parameters), countText(parameters)],
    ["active for a token", exact(active), countText(active)],
    ["  without tables that are only looked up", exact(activeWithoutTables), countText(activeWithoutTables)],
    [`operations of a token behind ${past}`, exact(operations), countText(operations)],
    [`weights in ${quantization}`, "", bytesText(bytes.weights)],
    ["  of which a token reads", "", bytesText(bytes.weightsPerToken)],
    [`cache of ${past} positions, which a token reads`, "", bytesText(bytes.cachePerToken)],
  ];
  const columns = [{ title: cost.name }, { title: "exactly", align: "right" }, { title: "", align: "right" }] as const;
  const sizes = Object.entries(cost.sizes)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
  const { formulas } = data;
  const lines = [
    ...tableLines(columns, rows, strong),
    "",
    ...(formulas
      ? [
          strong("formulas"),
          ...Object.entries(formulas).flatMap(([title, text]) => shown(`${TITLES[title as keyof Amounts]} = ${text}`)),
          "",
        ]
      : []),
    ...shown(`with ${sizes}`),
  ];
  return { title: "cost", lines, data };
}

const TITLES: Readonly<Record<keyof Amounts, string>> = {
  parameters: "parameters",
  active: "active",
  tables: "tables",
  operations: "operations",
  cacheRow: "cache per position",
};

/** The cost for programs. */
export function costData(cost: ModelCost, { quantization, past }: CostSetting) {
  const at = (size: Size): number => size.evaluate({ past });
  const { parameters, active, tables, operations, cacheRow } = cost.numbers;
  const activeWithoutTables = at(active) - at(tables);
  return {
    model: cost.name,
    entry: cost.entry,
    sizes: cost.sizes,
    past,
    quantization,
    numbers: {
      parameters: at(parameters),
      active: at(active),
      activeWithoutTables,
      operations: at(operations),
      cacheNumbersPerPosition: at(cacheRow),
      bytes: {
        weights: Math.round(at(parameters) * BYTES[quantization]),
        weightsPerToken: Math.round(activeWithoutTables * BYTES[quantization]),
        cachePerToken: at(cacheRow) * past * CACHE_BYTES,
      },
    },
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

/** Lines as wide as these tables; later ones are indented. */
const shown = (text: string): readonly string[] => wrapped(text, 98, "  ", "      ");
