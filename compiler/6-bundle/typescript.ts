/** Declarations of TypeScript as text, in one layout: documentation above, two spaces a level. */

/** A member that a value has. */
export interface Property {
  readonly name: string;
  readonly type: string;
  readonly doc: string;
}

export interface Parameter {
  readonly name: string;
  /** Nothing in JavaScript. */
  readonly type?: string;
  readonly isOptional?: boolean;
}

export interface Method {
  readonly name: string;
  readonly doc?: string;
  readonly modifier?: "static" | "async";
  readonly parameters: readonly Parameter[];
  /** What it gives; nothing in JavaScript. */
  readonly result?: string;
  /** Lines; undefined where only types are declared. */
  readonly body?: readonly string[];
}

export interface Class {
  readonly name: string;
  readonly base: string;
  readonly doc?: string;
  /** Declared only, without code. */
  readonly isDeclared: boolean;
  readonly methods: readonly Method[];
}

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, "  ");

const documented = (doc: string | undefined, text: string): string =>
  doc === undefined ? text : `/** ${doc} */\n${text}`;

/** A name as a property has it: in quotes where it is no identifier. */
function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

export function importText(names: readonly string[], from: string): string {
  return `import { ${names.join(", ")} } from ${JSON.stringify(from)};`;
}

/** An exported interface of members that nobody may change. */
export function interfaceText(name: string, properties: readonly Property[]): string {
  const members = properties.map(({ name, type, doc }) =>
    indented(documented(doc, `readonly ${propertyName(name)}: ${type};`)),
  );
  return [`export interface ${name} {`, ...members, "}"].join("\n");
}

function methodText({ name, doc, modifier, parameters, result, body }: Method): string {
  const list = parameters.map(
    ({ name, type, isOptional }) => `${name}${isOptional ? "?" : ""}${type === undefined ? "" : `: ${type}`}`,
  );
  const head = `${modifier === undefined ? "" : `${modifier} `}${name}(${list.join(", ")})`;
  const typed = result === undefined ? head : `${head}: ${result}`;
  return documented(doc, body ? [`${typed} {`, ...body.map(indented), "}"].join("\n") : `${typed};`);
}

/** An exported class; methods with code stand apart by an empty line. */
export function classText({ name, base, doc, isDeclared, methods }: Class): string {
  const members = methods.map((method) => indented(methodText(method))).join(isDeclared ? "\n" : "\n\n");
  return documented(doc, `export ${isDeclared ? "declare " : ""}class ${name} extends ${base} {\n${members}\n}`);
}
