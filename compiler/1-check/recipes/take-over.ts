/** What no line of a recipe sets: it is taken over from the source that has the same parameter in the same place. */
import { at, joinPath } from "../context.js";
import { report } from "../elaborate/tensors.js";
import { below } from "./chains.js";
import type { ModuleParameter } from "./parameters.js";
import type { Recipe } from "./recipe.js";
import { asStored } from "./values.js";

/** How many missing parameters are named. */
const SHOWN = 3;

export function takeOver(recipe: Recipe): void {
  const { walk, made, sources, target, wanted } = recipe;
  const span = at(recipe.place, recipe.info.decl.making!.target.name);
  const missing: string[] = [];
  for (const parameter of target.parameters.values()) {
    const { path } = parameter;
    if (made.has(path) || wanted?.has(path) === false) continue;
    const place = below(target.path, path);
    const same = sources.flatMap((source) => {
      const found = source.parameters.get(joinPath(source.path, place));
      return found && isSame(found, parameter) ? [{ source, found }] : [];
    });
    const [only, ...others] = same;
    if (!only) missing.push(path);
    else if (others.length > 0) {
      const names = same.map(({ source }) => `\`${source.name}\``).join(" and ");
      report(walk, "MOE2263", { path, sources: names }, span);
    } else {
      const read = only.found.read(span);
      if (!read) continue;
      recipe.used.add(only.source.name);
      made.set(path, { path, value: asStored(walk, read, parameter, span), taken: only.found.path, copied: [] });
    }
  }
  if (missing.length === 0) return;
  const shown = missing.slice(0, SHOWN).map((path) => `\`${path}\``);
  const rest = missing.length - shown.length;
  const paths = rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
  report(walk, "MOE2261", { paths }, span);
}

/** Warns of sources that nothing was read from. */
export function warnUnused({ walk, info, place, sources, used }: Recipe): void {
  if (!walk.options.checking) return;
  for (const { name } of info.decl.params) {
    const isSource = sources.some((source) => source.name === name.text);
    if (isSource && !used.has(name.text)) report(walk, "MOE2266", { name: name.text }, at(place, name));
  }
}

function isSame(one: ModuleParameter, other: ModuleParameter): boolean {
  return (
    one.type.dtype === other.type.dtype &&
    one.type.axes.length === other.type.axes.length &&
    one.type.axes.every(
      ({ name, size }, index) => other.type.axes[index]!.name === name && other.type.axes[index]!.size.equals(size),
    )
  );
}
