/** Names for classes of models in generated modules: any model's name has to give code that JavaScript and TypeScript read. */

const words = (text: string): readonly string[] => text.split(" ");

const TAKEN: ReadonlySet<string> = new Set([
  // What no class of a module can be called: ECMA-262, ReservedWord and the restrictions of strict code and of modules.
  ...words("await break case catch class const continue debugger default delete do else enum export extends false"),
  ...words("finally for function if implements import in instanceof interface let new null package private protected"),
  ...words("public return static super switch this throw true try typeof var void while with yield arguments eval"),
  // What TypeScript keeps for its own types.
  ...words("any bigint boolean never number object string symbol undefined unknown Object"),
  // Globals and names of the generated code itself; `options` is the parameter beside which `load` needs the class.
  ...words("ArrayLike Error Promise URL globalThis files inNode options"),
]);

/**
 * The class of a model: its name, unless it is one that the module cannot use a second time.
 *
 * @param used What the module imports, and the types that it declares. None of them ends in `Bundle`, so the name that is
 * given instead is free.
 */
export function className(model: string, used: readonly string[]): string {
  return TAKEN.has(model) || used.includes(model) ? `${model}Bundle` : model;
}
