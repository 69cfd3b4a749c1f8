/**
 * The types of the runtime in one file that needs no other: what the public names say, and all that those name in turn.
 * Taken from the declarations that `tsc` has made; a bundle carries it.
 */
import ts from "typescript";

/** Values that no bundle hands on: its own class loads it. */
const LEFT_OUT = new Set(["loadModel", "ModelClass"]);

const HEAD = `/** The types of the runtime, written by moec's build. */
/// <reference lib="es2022" />
/// <reference lib="esnext.disposable" />
`;

const OPTIONS = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
  types: [],
};

/** @param {ts.Symbol} symbol @param {ts.TypeChecker} checker */
const resolved = (symbol, checker) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

/** @param {ts.Node} node @param {ts.SyntaxKind} kind */
const has = (node, kind) => node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;

/** Members that users have: what only the runtime makes and reads takes types along that nobody else needs. */
function publicMembers(node) {
  if (!ts.isClassDeclaration(node)) return undefined;
  return node.members.filter((member) => !has(member, ts.SyntaxKind.PrivateKeyword) && !isOwnConstructor(member));
}

/** A model is made by `load`, not by its constructor. */
const isOwnConstructor = (member) => ts.isConstructorDeclaration(member) && member.parent.name?.text === "Model";

/** The statement that a declaration stands in, which is itself where it declares no value. */
const statementOf = (node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node);

/** The text of a declaration, as it stands in a file where only the last line exports. */
function textOf(node) {
  const file = node.getSourceFile();
  const statement = statementOf(node);
  const doc = ts.getJSDocCommentsAndTags(statement).map((one) => one.getText(file));
  const members = publicMembers(statement);
  const whole = statement.getText(file).replace(/^export /, "");
  if (!members) return [...doc, whole].join("\n");
  const head = file.text.slice(statement.getStart(file), statement.members.pos).replace(/^export /, "");
  const texts = members.map((member) => member.getFullText(file).replace(/^\n+/, ""));
  const made = statement.members.some(isOwnConstructor) ? ["    protected constructor();"] : [];
  return [...doc, head, ...made, ...texts, "}"].join("\n");
}

/**
 * @param {string} entry A declaration file.
 * @returns {string}
 * @throws {Error} for a type of a package, two declarations of one name or two names of one, and types within `import()`.
 */
export function runtimeTypes(entry) {
  const program = ts.createProgram([entry], OPTIONS);
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(entry);
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`${entry} is no module; \`tsc\` has to run before`);
  const exported = checker.getExportsOfModule(module).filter(({ name }) => !LEFT_OUT.has(name));
  /** @type {Map<string, ts.Symbol>} */
  const taken = new Map();
  /** @type {string[]} */
  const texts = [];

  /** @param {ts.Symbol} symbol */
  const take = (symbol) => {
    const known = taken.get(symbol.name);
    if (known === symbol) return;
    if (known) throw new Error(`the types of the runtime have two declarations of ${symbol.name}`);
    taken.set(symbol.name, symbol);
    for (const node of symbol.declarations ?? []) {
      texts.push(textOf(node));
      const members = publicMembers(node);
      (members ? [...members, ...(node.heritageClauses ?? [])] : [node]).forEach(follow);
    }
  };
  /** @param {ts.Node} node */
  const follow = (node) => {
    if (ts.isImportTypeNode(node)) throw new Error(`${node.getText()} has to be a name that is imported`);
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      const meant = symbol && resolved(symbol, checker);
      if (meant && isOfModule(meant)) {
        if (node.text !== meant.name)
          throw new Error(`${meant.name} is called ${node.text} in the types of the runtime`);
        take(meant);
      }
    }
    ts.forEachChild(node, follow);
  };
  /** Whether it is declared by a module, beside others: no parameter, no member, nothing of the language. */
  const isOfModule = ({ declarations }) => {
    const node = declarations?.[0];
    if (!node || program.isSourceFileDefaultLibrary(node.getSourceFile())) return false;
    const statement = statementOf(node);
    if (!ts.isSourceFile(statement.parent)) return false;
    if (program.isSourceFileFromExternalLibrary(node.getSourceFile())) {
      throw new Error(`the types of the runtime take ${node.getText().slice(0, 80)} from a package`);
    }
    return true;
  };

  for (const symbol of exported) take(resolved(symbol, checker));
  const names = exported.map((symbol) => {
    const isValue = (resolved(symbol, checker).flags & ts.SymbolFlags.Value) !== 0;
    return `  ${isValue ? "" : "type "}${symbol.name},`;
  });
  return [HEAD, ...texts.map((text) => `${text}\n`), `export {\n${names.join("\n")}\n};\n`].join("\n");
}
