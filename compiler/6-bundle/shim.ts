/**
 * The ES module of a bundle and its types: a class with one method per entry point, whose inputs, outputs and knobs have
 * the names and axes of the spec. Written with ts-morph, so that names are quoted and docs are placed by a printer.
 */
import { IndentationText, Project, QuoteKind, type OptionalKind, type PropertySignatureStructure } from "ts-morph";
import { moecError } from "../errors/raise.js";
import type { Manifest, ManifestEntry, ManifestPort } from "./manifest.js";

export interface ShimFile {
  readonly path: string;
  readonly text: string;
}

type Described = Omit<Manifest, "files">;

/**
 * `index.js` and `index.d.ts`.
 *
 * @param data The files that the runtime reads, when the bundle carries the runtime for browsers.
 */
export function shimFiles(manifest: Described, data?: readonly string[]): readonly ShimFile[] {
  const project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    manipulationSettings: { quoteKind: QuoteKind.Double, indentationText: IndentationText.TwoSpaces },
  });
  return [
    { path: "index.d.ts", text: typesText(project, manifest) },
    { path: "index.js", text: moduleText(project, manifest, data) },
  ];
}

/** Members of `Model`, in Node and on pages, that an entry point's method must not hide; a test reads them off both. */
const TAKEN = new Set([
  ...["manifest", "report", "tokens", "tokensOf", "tokenizer", "textCount", "textsTogether", "longest"],
  ...["constructor", "load"],
  ...["call", "extend", "read", "generate", "reset", "save", "restore", "setKnob", "dispose"],
  ...["parts", "runner", "states", "language", "languageEntry", "context", "turns", "batches", "texts", "disposed"],
  ...["callable", "place", "take", "alone", "undisturbed", "inTurn", "turn", "clear", "rewindTo", "advance"],
  ...["isShared", "batched", "pieces", "checkIds", "mostPositions", "builtTokenizer", "run"],
]);

/** The method of an entry point: its name, unless the model has such a member. */
export function methodName(entry: string): string {
  return TAKEN.has(entry) ? `${entry}Entry` : entry;
}

const GENERATED = "// Written by `moec build`. Do not edit.";

function typesText(project: Project, manifest: Described): string {
  const file = project.createSourceFile("index.d.ts", `${GENERATED}\n`);
  const { name, entries, knobs } = manifest;
  file.addImportDeclaration({
    moduleSpecifier: "moec",
    namedImports: [
      "Model",
      ...["CallOptions", "FloatTensor", "InputValue", "IntTensor", "LoadOptions", "RouteTrace"].map(
        (type) => `type ${type}`,
      ),
    ],
  });
  for (const entry of entries) {
    const prefix = capitalized(entry.name);
    file.addInterface({ name: `${prefix}Inputs`, isExported: true, properties: entry.inputs.map(inputProperty) });
    const routes = {
      name: "routes",
      isReadonly: true,
      type: "readonly RouteTrace[]",
      docs: ["Which expert took which token; empty without `trace`."],
    };
    const outputs = entry.outputs.map(outputProperty);
    file.addInterface({ name: `${prefix}Result`, isExported: true, properties: [...outputs, routes] });
  }
  if (knobs.length > 0) {
    const paths = knobs.map((knob) => JSON.stringify(knob.name)).join(" | ");
    file.addTypeAlias({ name: `${name}Knob`, isExported: true, type: paths });
  }
  file.addClass({
    name,
    isExported: true,
    hasDeclareKeyword: true,
    extends: "Model",
    docs: [`${name}, compiled by moec ${manifest.compiler}.`],
    methods: [
      {
        name: "load",
        isStatic: true,
        parameters: [{ name: "options", hasQuestionToken: true, type: "LoadOptions" }],
        returnType: `Promise<${name}>`,
      },
      ...entries.map((entry) => ({
        name: methodName(entry.name),
        docs: [signature(entry)],
        parameters: [
          { name: "inputs", type: `${capitalized(entry.name)}Inputs` },
          { name: "options", hasQuestionToken: true, type: "CallOptions" },
        ],
        returnType: `Promise<${capitalized(entry.name)}Result>`,
      })),
      ...(knobs.length === 0
        ? []
        : [
            {
              name: "setKnob",
              parameters: [
                { name: "path", type: `${name}Knob` },
                { name: "values", type: "number | ArrayLike<number>" },
              ],
              returnType: "Promise<void>",
            },
          ]),
    ],
  });
  return file.getFullText();
}

/**
 * Node runs a bundle with the installed package, which has devices that browsers lack. A browser gets the runtime that
 * lies beside; bundlers see its import and the form of the URLs, and bring all files along.
 */
function browserHead(name: string, data: readonly string[]): string {
  const { code, message } = moecError("MOE5331", { bundle: name });
  const files = data.map(
    (path) => `  ${JSON.stringify(path)}: new URL(${JSON.stringify(`./${path}`)}, import.meta.url),`,
  );
  return [
    'const installed = "moec";',
    "const { loadModel, Model } = await (globalThis.process?.versions?.node",
    "  ? import(/* webpackIgnore: true */ /* @vite-ignore */ installed).catch((cause) => {",
    `      const isMissing = cause.code === "ERR_MODULE_NOT_FOUND" && cause.message.includes("'moec'");`,
    `      throw isMissing ? Object.assign(new Error(${JSON.stringify(`${code}: ${message}`)}, { cause }), { code: ${JSON.stringify(code)} }) : cause;`,
    "    })",
    '  : import("./runtime.js"));',
    "",
    "const files = {",
    ...files,
    "};",
  ].join("\n");
}

function moduleText(project: Project, manifest: Described, data: readonly string[] | undefined): string {
  const file = project.createSourceFile("index.js", `${GENERATED}\n`);
  const { name, entries } = manifest;
  if (data) file.addStatements(browserHead(name, data));
  else file.addImportDeclaration({ moduleSpecifier: "moec", namedImports: ["loadModel", "Model"] });
  const load = data
    ? `return loadModel(${name}, new URL(".", files["manifest.json"]), options, files);`
    : `return loadModel(${name}, new URL("./", import.meta.url), options);`;
  file.addClass({
    name,
    isExported: true,
    extends: "Model",
    methods: [
      {
        name: "load",
        isStatic: true,
        parameters: [{ name: "options" }],
        statements: [load],
      },
      ...entries.map((entry) => ({
        name: methodName(entry.name),
        isAsync: true,
        parameters: [{ name: "inputs" }, { name: "options" }],
        statements: [
          `const { outputs, routes } = await this.call(${JSON.stringify(entry.name)}, inputs, options);`,
          "return { ...outputs, routes };",
        ],
      })),
    ],
  });
  return file.getFullText();
}

function inputProperty(port: ManifestPort): OptionalKind<PropertySignatureStructure> {
  return { name: quoted(port.name), isReadonly: true, type: "InputValue", docs: [typeText(port)] };
}

function outputProperty(port: ManifestPort): OptionalKind<PropertySignatureStructure> {
  const axes = port.axes.map((axis) => JSON.stringify(axis.name)).join(" | ");
  const type = `${port.dtype === "f32" ? "FloatTensor" : "IntTensor"}<${axes === "" ? "never" : axes}>`;
  return { name: quoted(port.name), isReadonly: true, type, docs: [typeText(port)] };
}

/** `f32[T, V = 2048]` */
function typeText({ dtype, axes }: ManifestPort): string {
  const texts = axes.map(({ name, size }) => (name === size ? name : `${name} = ${size}`));
  return `\`${dtype}[${texts.join(", ")}]\``;
}

function signature(entry: ManifestEntry): string {
  const side = (ports: readonly ManifestPort[]): string =>
    ports.map((port) => `${port.name}: ${typeText(port).replaceAll("`", "")}`).join(", ");
  return `\`${entry.name}(${side(entry.inputs)}) -> (${side(entry.outputs)})\``;
}

function quoted(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
