/**
 * Long loops and branches of a kernel as functions of their own. V8 interprets what is longer than about 60 kB of
 * bytecode for ever, and keeps each name of a function in a place of its own on the stack: a kernel with unrolled tiles
 * is too long for both, while one of its loops is not.
 */

/** Characters of a statement from which on it becomes a function: well below what V8 still compiles. */
export const LONGEST_STATEMENT = 6000;

/** Where a function leaves the registers that it has written, when there are several. */
const RESULTS = "$$results";

export interface Part {
  /** The function, to stand outside of the kernel's own. */
  readonly source: string;
  /** What stands in place of the statement. */
  readonly call: string;
}

/** What the parts of one kernel share. */
export const partsHead = (most: number): string => `const ${RESULTS} = new Float64Array(${most});`;

/**
 * @param name Of the function.
 * @param text The statement; its names are declared once in a kernel.
 * @param known All names that the kernel has declared so far.
 * @param booleans Those of them that hold truth values.
 */
export function partOf(
  name: string,
  text: string,
  known: ReadonlySet<string>,
  booleans: ReadonlySet<string>,
): Part & { readonly results: number } {
  const code = text.replace(/"[^"]*"/g, "");
  const own = new Set(declaredNames(code));
  const isOuter = (word: string): boolean => known.has(word) && !own.has(word);
  const used = [...new Set(words(code))].filter(isOuter);
  const written = [...new Set([...code.matchAll(/^([$\w]+) = /gm)].map(([, word]) => word!))].filter(isOuter);
  const head = `function ${name}(${used.join(", ")}) {\n${text}`;
  const call = `${name}(${used.join(", ")});`;
  if (written.length === 1) {
    return { source: `${head}\nreturn ${written[0]!};\n}`, call: `${written[0]!} = ${call}`, results: 1 };
  }
  const left = written.map((word, i) => `${RESULTS}[${i}] = ${word};`);
  const taken = written.map((word, i) => `${word} = ${RESULTS}[${i}]${booleans.has(word) ? " !== 0" : ""};`);
  return { source: [head, ...left, "}"].join("\n"), call: [call, ...taken].join("\n"), results: written.length };
}

/** Names that a text declares. */
export function declaredNames(text: string): string[] {
  return [...text.matchAll(/\b(?:const|let) ([$\w]+)/g)].map(([, name]) => name!);
}

const words = (text: string): string[] => text.match(/[$\w]+/g) ?? [];
