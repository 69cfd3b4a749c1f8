/** Names of the builtins, apart from the table so that looking up a name does not need what calls do. */
const names = new Set<string>();

export const builtinNames: ReadonlySet<string> = names;

/** Called once by the table. */
export function registerNames(all: Iterable<string>): void {
  for (const name of all) names.add(name);
}
