/**
 * The ES module of a bundle and its types: a class with one method per entry point, whose inputs, outputs and knobs have
 * the names and axes of the spec. Printed by `typescript.ts`: a library that knows all of TypeScript takes longer to load
 * than a model takes to compile.
 */
import { className } from "./class-name.js";
import type { Manifest, ManifestEntry, ManifestPort } from "./manifest.js";
import { classText, importText, interfaceText, type Method, type Property } from "./typescript.js";

export interface ShimFile {
  readonly path: string;
  readonly text: string;
}

/** The runtime in the bundle: always that of Node. */
export interface CarriedRuntime {
  /** The files that the runtime of browsers reads, when the bundle has that one, too. */
  readonly data?: readonly string[];
}

const PACKAGE = "moec";

/** What a bundle hands on beside its model: the class of all errors, and what joins the routes of two calls. */
const HANDED_ON = ["joinRoutes", "MoecError"];

const RUNTIME_VALUES = [...HANDED_ON, "loadModel", "Model"];

const RUNTIME_TYPES = ["CallOptions", "FloatTensor", "InputValue", "IntTensor", "LoadOptions", "RouteTrace"];

type Described = Omit<Manifest, "files">;

/**
 * `index.js` and `index.d.ts`, and that they are modules, whatever the folder is put into.
 *
 * @param runtime The runtime that the bundle carries; without one it is the package's.
 */
export function shimFiles(manifest: Described, runtime?: CarriedRuntime): readonly ShimFile[] {
  return [
    { path: "index.d.ts", text: typesText(manifest, runtime ? "./runtime.js" : PACKAGE) },
    { path: "index.js", text: moduleText(manifest, runtime) },
    { path: "package.json", text: '{ "private": true, "type": "module" }\n' },
  ];
}

/** The class of the model. */
function modelClass({ name, entries }: Described): string {
  const interfaces = entries.flatMap(({ name }) => [`${capitalized(name)}Inputs`, `${capitalized(name)}Result`]);
  return className(name, [...RUNTIME_VALUES, ...RUNTIME_TYPES, ...interfaces]);
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

const ROUTES: Property = {
  name: "routes",
  type: "readonly RouteTrace[]",
  doc: "Which expert took which token; empty without `trace`.",
};

function typesText(manifest: Described, runtime: string): string {
  const { entries, knobs } = manifest;
  const name = modelClass(manifest);
  const interfaces = entries.flatMap((entry) => [
    interfaceText(`${capitalized(entry.name)}Inputs`, entry.inputs.map(inputProperty)),
    interfaceText(`${capitalized(entry.name)}Result`, [...entry.outputs.map(outputProperty), ROUTES]),
  ]);
  const paths = knobs.map((knob) => JSON.stringify(knob.name)).join(" | ");
  return file([
    importText(["Model", ...RUNTIME_TYPES.map((type) => `type ${type}`)], runtime),
    `export { ${HANDED_ON.join(", ")} } from ${JSON.stringify(runtime)};`,
    `${GENERATED}\n${interfaces[0]!}`,
    ...interfaces.slice(1),
    ...(knobs.length > 0 ? [`export type ${name}Knob = ${paths};`] : []),
    classText({
      ...{ name, base: "Model", isDeclared: true },
      doc: `${name}, compiled by moec ${manifest.compiler}.`,
      methods: [
        {
          ...{ name: "load", modifier: "static" },
          parameters: [{ name: "options", isOptional: true, type: "LoadOptions" }],
          result: `Promise<${name}>`,
        },
        ...entries.map(typedMethod),
        ...(knobs.length > 0 ? [knobMethod(name)] : []),
      ],
    }),
  ]);
}

function typedMethod(entry: ManifestEntry): Method {
  const prefix = capitalized(entry.name);
  return {
    name: methodName(entry.name),
    doc: signature(entry),
    parameters: [
      { name: "inputs", type: `${prefix}Inputs` },
      { name: "options", isOptional: true, type: "CallOptions" },
    ],
    result: `Promise<${prefix}Result>`,
  };
}

function knobMethod(model: string): Method {
  return {
    name: "setKnob",
    parameters: [
      { name: "path", type: `${model}Knob` },
      { name: "values", type: "number | ArrayLike<number>" },
    ],
    result: "Promise<void>",
  };
}

/**
 * The runtimes lie beside. Bundlers see the import of that for browsers and the form of the URLs, and bring all files along;
 * that for Node they must not follow, so it is imported by a name that is a value.
 */
function browserHead(data: readonly string[]): string {
  const files = data.map(
    (path) => `  ${JSON.stringify(path)}: new URL(${JSON.stringify(`./${path}`)}, import.meta.url),`,
  );
  return [
    'const inNode = "./runtime-node.js";',
    `const { ${RUNTIME_VALUES.join(", ")} } = await (globalThis.process?.versions?.node`,
    "  ? import(/* webpackIgnore: true */ /* @vite-ignore */ inNode)",
    '  : import("./runtime.js"));',
    "",
    "const files = {",
    ...files,
    "};",
  ].join("\n");
}

function moduleText(manifest: Described, runtime: CarriedRuntime | undefined): string {
  const { entries } = manifest;
  const name = modelClass(manifest);
  const data = runtime?.data;
  const load = data
    ? `return loadModel(${name}, new URL(".", files["manifest.json"]), options, files);`
    : `return loadModel(${name}, new URL("./", import.meta.url), options);`;
  const model = classText({
    ...{ name, base: "Model", isDeclared: false },
    methods: [
      { name: "load", modifier: "static", parameters: [{ name: "options" }], body: [load] },
      ...entries.map((entry): Method => ({
        ...{ name: methodName(entry.name), modifier: "async" },
        parameters: [{ name: "inputs" }, { name: "options" }],
        body: [
          `const { outputs, routes } = await this.call(${JSON.stringify(entry.name)}, inputs, options);`,
          "return { ...outputs, routes };",
        ],
      })),
    ],
  });
  const handedOn = `export { ${HANDED_ON.join(", ")} };`;
  return data
    ? file([`${GENERATED}\n${browserHead(data)}`, handedOn, model])
    : file([importText(RUNTIME_VALUES, runtime ? "./runtime-node.js" : PACKAGE), `${GENERATED}\n${handedOn}`, model]);
}

/** Parts with an empty line between them. */
function file(parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}

function inputProperty(port: ManifestPort): Property {
  return { name: port.name, type: "InputValue", doc: typeText(port) };
}

function outputProperty(port: ManifestPort): Property {
  const axes = port.axes.map((axis) => JSON.stringify(axis.name)).join(" | ");
  const type = `${port.dtype === "f32" ? "FloatTensor" : "IntTensor"}<${axes === "" ? "never" : axes}>`;
  return { name: port.name, type, doc: typeText(port) };
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

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
