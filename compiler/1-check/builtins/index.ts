/** The table of functions that the language itself provides. */
import type { CallExpression, Expression } from "../../../grammar/tree.js";
import type { Place, Walk } from "../context.js";
import { forgive } from "../elaborate/indexing.js";
import { unknown, type Value } from "../values.js";
import { attention } from "./attention.js";
import { axisFunctions } from "./axes.js";
import { BuiltinCall, Stop, type Builtin } from "./call.js";
import { elementwise } from "./elementwise.js";
import { mixtureFunctions } from "./mixture.js";
import { randomFunctions } from "./random.js";
import { reductions } from "./reduce.js";
import { routing } from "./routing.js";
import { registerNames } from "./names.js";
import { timeFunctions } from "./time.js";

export type { Builtin, BuiltinParameter } from "./call.js";

/** All builtins by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [
    ...elementwise,
    ...axisFunctions,
    ...reductions,
    ...routing,
    ...mixtureFunctions,
    ...attention,
    ...randomFunctions,
    ...timeFunctions,
  ].map((definition) => [definition.name, definition]),
);
registerNames(builtins.keys());

export function callBuiltin(walk: Walk, name: string, node: CallExpression, place: Place): Value {
  const definition = builtins.get(name)!;
  const call = new BuiltinCall(walk, definition, node, place);
  if (!call.bind()) {
    forgiveAxes(node, place);
    return unknown;
  }
  try {
    return definition.run(call);
  } catch (error) {
    if (error instanceof Stop) {
      forgiveAxes(node, place);
      return unknown;
    }
    throw error;
  }
}

/** Axes that the call would have made: what uses them later is silent. */
function forgiveAxes(node: CallExpression, place: Place): void {
  const names = (value: Expression): readonly string[] => {
    if (value.kind === "name") return [value.name.text];
    if (value.kind !== "list") return [];
    return value.items.flatMap((item) => (item.name ? [item.name.text] : names(item.value)));
  };
  for (const argument of node.args) {
    if (argument.value.kind === "arrow") for (const name of names(argument.value.to)) forgive(place, name);
    if (argument.name?.text === "as") for (const name of names(argument.value)) forgive(place, name);
  }
}
