/** `tokenizer "…"` and `generate { … }`: plain data for the bundle. */
import { memberPlace } from "../../1-check/elaborate/members.js";
import { evaluate } from "../../1-check/elaborate/evaluate.js";
import type { Walk } from "../../1-check/context.js";
import { valueOf } from "../../1-check/numbers.js";
import type { InstanceValue, Value } from "../../1-check/values.js";

type Plain = string | number | boolean | readonly Plain[];

function plain(value: Value): Plain | undefined {
  switch (value.kind) {
    case "string":
      return value.value;
    case "number":
      return valueOf(value.number);
    case "boolean":
      return value.value;
    case "list":
      return value.items.map((item) => plain(item.value)).filter((item) => item !== undefined);
    default:
      return undefined;
  }
}

/** One unnamed entry is the setting itself; named entries make a record. */
export function readSettings(walk: Walk, model: InstanceValue): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  const place = memberPlace(model);
  for (const member of model.info.decl.members ?? []) {
    if (member.kind !== "settings") continue;
    const values = member.entries.map(
      (entry) => [entry.name?.text, plain(evaluate(walk, entry.value, place))] as const,
    );
    settings[member.name.text] =
      values.length === 1 && values[0]![0] === undefined
        ? values[0]![1]
        : Object.fromEntries(values.map(([name, value], index) => [name ?? String(index), value]));
  }
  return settings;
}
