/** Looking names up, and what to say when there is none. */
import type { Identifier } from "../../../grammar/tree.js";
import { closest } from "../../errors/closest.js";
import type { DiagnosticParts } from "../../errors/construct.js";
import { builtinNames } from "../builtins/names.js";
import { at, type Place, type Walk } from "../context.js";
import { real } from "../numbers.js";
import { numberValue, unknown, type Value } from "../values.js";
import { foreignName } from "./foreign-names.js";
import { report } from "./tensors.js";

/** A fix that replaces the name by the nearest one; the checker keeps it only when it helps. */
export function suggestName(walk: Walk, place: Place, name: Identifier, candidates: Iterable<string>): DiagnosticParts {
  void walk;
  const span = at(place, name);
  const fixes = closest(name.text, candidates, 3).map((candidate) => ({
    title: `write \`${candidate}\``,
    edits: [{ span, text: candidate }],
  }));
  return fixes.length === 0 ? {} : { fixes };
}

export function evaluateName(walk: Walk, name: Identifier, place: Place): Value {
  if (name.text === "") return unknown;
  const binding = place.scope.lookup(name.text);
  if (binding) {
    if (binding.span) walk.info?.definition(at(place, name), binding.span, binding.doc);
    return binding.value();
  }
  if (name.text === "inf") return numberValue({ kind: "real", value: Infinity });
  if (name.text === "pi") return numberValue(real(Math.PI));
  if (builtinNames.has(name.text)) return { kind: "builtin", name: name.text };
  if (place.open?.axes.includes(name.text)) {
    return report(walk, "MOE2290", { callee: place.open.callee, axis: name.text }, at(place, name));
  }
  return report(walk, "MOE2001", { name: name.text }, at(place, name), partsOfUnknown(walk, place, name));
}

function partsOfUnknown(walk: Walk, place: Place, name: Identifier): DiagnosticParts {
  const foreign = foreignName(name.text);
  if (foreign?.help !== undefined) {
    // A name that is like one of the writer's own is more often that one.
    const near = suggestName(walk, place, name, place.scope.names());
    return near.fixes ? { ...near, note: foreign.help } : { help: foreign.help };
  }
  if (foreign?.right === undefined) return suggestName(walk, place, name, [...place.scope.names(), ...builtinNames]);
  const span = at(place, name);
  return { fixes: [{ title: `write \`${foreign.right}\``, edits: [{ span, text: foreign.right }] }] };
}
