/**
 * The ES module of a bundle and its types: a class with one method per entry point, whose inputs, outputs and knobs have
 * the names and axes of the spec. Printed by `typescript.ts`: a library that knows all of TypeScript takes longer to load
 * than a model takes to compile.
 */
import { moecError } from "../errors/raise.js";
import type { Manifest, ManifestEntry, ManifestPort } from "./manifest.js";
import { classText, importText, interfaceText, type Method, type Property } from "./typescript.js";

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
  return [
    { path: "index.d.ts", text: typesText(manifest) },
    { path: "index.js", text: moduleText(manifest, data) },
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

const ROUTES: Property = {
  name: "routes",
  type: "readonly RouteTrace[]",
  doc: "Which expert took which token; empty without `trace`.",
};

function typesText(manifest: Described): string {
  const { name, entries, knobs } = manifest;
  const values = ["CallOptions", "FloatTensor", "InputValue", "IntTensor", "LoadOptions", "RouteTrace"];
  const interfaces = entries.flatMap((entry) => [
    interfaceText(`${capitalized(entry.name)}Inputs`, entry.inputs.map(inputProperty)),
    interfaceText(`${capitalized(entry.name)}Result`, [...entry.outputs.map(outputProperty), ROUTES]),
  ]);
  const paths = knobs.map((knob) => JSON.stringify(knob.name)).join(" | ");
  return file([
    importText(["Model", ...values.map((type) => `type ${type}`)], "moec"),
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

function moduleText({ name, entries }: Described, data: readonly string[] | undefined): string {
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
  return data
    ? file([`${GENERATED}\n${browserHead(name, data)}`, model])
    : file([importText(["loadModel", "Model"], "moec"), `${GENERATED}\n${model}`]);
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
