/**
 * The import rule: which part may import which. The way of the data is one way, so the arrows are too.
 */
import { posix } from "node:path";
import ts from "typescript";
import type { SourceFile } from "./sources.js";

export interface Import {
  readonly from: string;
  /** Path from the root for relative imports, the specifier for packages. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Imports, re-exports and dynamic imports of a file, as the TypeScript parser sees them. */
export function importsOf({ path, text }: SourceFile): readonly Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const name = specifier.text;
    const to = name.startsWith(".") ? posix.join(posix.dirname(path), name).replace(/\.js$/, ".ts") : name;
    found.push({ from: path, to, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const named = clause?.namedBindings;
      const allTypes =
        clause !== undefined &&
        clause.name === undefined &&
        named !== undefined &&
        ts.isNamedImports(named) &&
        named.elements.length > 0 &&
        named.elements.every((element) => element.isTypeOnly);
      add(node.moduleSpecifier, clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || allTypes);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      if (ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The part of the house that a file belongs to. */
export function partOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "compiler" ? (second.endsWith(".ts") ? "compiler" : `compiler/${second}`) : top;
}

const LEAVES: Readonly<Record<string, readonly string[]>> = {
  "compiler/errors": [],
  "compiler/axes": ["compiler/errors"],
  "compiler/ops": ["compiler/axes", "compiler/errors"],
  "compiler/targets": ["compiler/ops", "compiler/axes", "compiler/errors"],
  "compiler/checkpoints": ["compiler/errors", "compiler/axes"],
};
const STAGE = /^compiler\/(\d)-/;

/** Modules that the runtime shares with the compiler; it takes types from anywhere else. */
const RUNTIME_MODULES = [
  /^compiler\/errors\//,
  /^compiler\/axes\/size\.ts$/,
  /^compiler\/5-emit\/llvm\/pool-layout\.ts$/,
  /^compiler\/5-emit\/cuda\/flags\.ts$/,
  /^compiler\/checkpoints\/(half|metadata)\.ts$/,
];

/** Why an import is against the rule, or undefined when it is allowed. */
export function problem({ from, to, typeOnly }: Import): string | undefined {
  const here = partOf(from);
  const pure = here === "grammar" || here.startsWith("compiler");
  const relative = /^(grammar|compiler|runtime|serve|cli|editor|stdlib|examples|scripts|test|bench)\//.test(to);
  if (!relative) {
    const isNode = to.startsWith("node:") || /^(fs|path|os|process|worker_threads|crypto|url)(\/|$)/.test(to);
    return pure && isNode ? "a pure part may not use the host" : undefined;
  }
  const there = partOf(to);
  if (here === there || here === "cli") return undefined;
  if (there === "cli" || there === "test" || there === "scripts" || there === "bench")
    return `nothing imports ${there}/`;
  if (here === "grammar") return there === "compiler/errors" ? undefined : "grammar imports errors only";
  if (here === "runtime") {
    if (there === "runtime" || typeOnly) return undefined;
    return RUNTIME_MODULES.some((pattern) => pattern.test(to)) ? undefined : "runtime takes types only from there";
  }
  if (here === "serve") {
    if (there === "runtime" || there === "compiler/errors" || typeOnly) return undefined;
    return "serve is a shell over the runtime";
  }
  if (here === "compiler") return there === "grammar" || there.startsWith("compiler/") ? undefined : "compiler is pure";
  const leaf = LEAVES[here];
  if (leaf) return leaf.includes(there) ? undefined : `${here} may import ${leaf.join(", ") || "nothing"}`;
  const stage = STAGE.exec(here);
  if (!stage) return undefined;
  if (there === "grammar") return stage[1] === "1" || typeOnly ? undefined : "only 1-check reads the syntax tree";
  if (there in LEAVES) return undefined;
  const other = STAGE.exec(there);
  if (!other) return `${here} may not import ${there}`;
  return Number(other[1]) < Number(stage[1]) ? undefined : "arrows go down the pipeline only";
}
