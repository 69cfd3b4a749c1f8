/** `moec convert`: run a recipe over checkpoints. */
import { relative, resolve } from "node:path";
import { Option } from "commander";
import type { BuiltRecipe } from "../../compiler/2-graph/index.js";
import { ENCODABLE_TYPES, type EncodableType } from "../../compiler/checkpoints/encodable.js";
import type { Metadata } from "../../compiler/checkpoints/index.js";
import { moecError } from "../../compiler/errors/raise.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failures.js";
import { assignments, number, sizeAssignment } from "../options.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions, Shell } from "../shell.js";
import { tableLines } from "../show/table.js";
import { bytesText, plural } from "../show/units.js";

interface ConvertOptions extends CommonOptions {
  readonly source?: Readonly<Record<string, string>>;
  readonly out?: string;
  readonly set?: Readonly<Record<string, number>>;
  readonly size?: Readonly<Record<string, number>>;
  readonly type?: EncodableType;
  readonly dryRun?: boolean;
}

export const convertCommand: CommandDefinition = (program, start) =>
  program
    .command("convert")
    .summary("make a checkpoint of others by a recipe")
    .description(
      "Runs a recipe of a .moe file over checkpoints and writes that of the model which it makes. Parameters are computed " +
        "one after the other, and layer by layer where layers do not see each other.",
    )
    .argument("<file>", "the .moe file that declares the recipe and the models")
    .argument("[recipe]", "which recipe; the only one when left out")
    .option(
      "--source <name=path>",
      "the checkpoint of a source; may be repeated",
      assignments("dense=model.safetensors", (path) => path),
    )
    .option("-o, --out <path>", "a .safetensors or .gguf file, or a folder for shards of safetensors")
    .option("--set <name=number>", "a number of the recipe; may be repeated", assignments("share=0.5", number))
    .option("--size <name=number>", "an axis of the recipe; may be repeated", sizeAssignment)
    .addOption(
      new Option("--type <format>", "how matrices are stored; as in the source when left out").choices(ENCODABLE_TYPES),
    )
    .option("--dry-run", "check, and show what each parameter is made of")
    .action((file: string, recipe: string | undefined, options: ConvertOptions) =>
      start("convert", options, (shell) => convert(shell, file, recipe, options)),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec convert upcycle.moe Upcycle --source dense=llama.safetensors --out sparse.safetensors
  moec convert soup.moe --source a=one --source b=two.gguf --set share=0.3 --out soup.gguf --type q8_0
  moec convert upcycle.moe --dry-run --json
`,
    );

async function convert(
  shell: Shell,
  file: string,
  name: string | undefined,
  options: ConvertOptions,
): Promise<ExitCode> {
  const { buildRecipe, recipesOf } = await import("../../compiler/2-graph/index.js");
  const { checkSpec } = await import("../compile.js");
  const { project, host } = checkSpec(shell, resolve(shell.io.cwd, file));
  const recipes = recipesOf(project);
  const info =
    name === undefined && recipes.length === 1 ? recipes[0] : recipes.find(({ decl }) => decl.name.text === name);
  if (!info) {
    const list = recipes.map(({ decl }) => `\`${decl.name.text}\``).join(", ");
    throw moecError("MOE5440", { file, recipes: list === "" ? "no recipe" : list });
  }
  const recipe = buildRecipe(project, info, {
    ...(options.size ? { sizes: options.size } : {}),
    ...(options.set ? { numbers: options.set } : {}),
  });
  const rows = rowsOf(recipe, host.read);
  if (options.dryRun === true) {
    const columns = [{ title: "parameter" }, { title: "shape" }, { title: "from" }];
    const cells = rows.map(({ path, shape, from }) => [path, shape, from]);
    for (const line of tableLines(columns, cells, shell.palette.dim)) shell.say(line);
    shell.result(true, { recipe: recipe.name, parameters: rows });
    return EXIT.ok;
  }
  return write(shell, recipe, options);
}

async function write(shell: Shell, recipe: BuiltRecipe, options: ConvertOptions): Promise<ExitCode> {
  const { openSources } = await import("../convert/sources.js");
  const { holds } = await import("../convert/stored-types.js");
  const { tensorsOfRecipe } = await import("../convert/tensors.js");
  const { formatOf, writeCheckpoint } = await import("../convert/write.js");
  const { warnOfUnreadTensors } = await import("../unread-tensors.js");
  if (options.out === undefined) throw new UsageError("--out is missing: it says where the new checkpoint goes");
  const out = resolve(shell.io.cwd, options.out);
  const format = formatOf(out);
  const { type } = options;
  if (type !== undefined && !holds(format, type)) throw moecError("MOE5443", { format, type });
  const paths = new Map(
    Object.entries(options.source ?? {}).map(([name, path]) => [name, resolve(shell.io.cwd, path)]),
  );
  const sources = openSources(recipe, paths);
  try {
    for (const { program, checkpoint } of sources.models.values()) warnOfUnreadTensors(shell, program, checkpoint);
    const begun = performance.now();
    const tensors = tensorsOfRecipe(recipe, sources, { format, ...(type ? { type } : {}) });
    const written = await writeCheckpoint(out, tensors, metadataOf(recipe, [...sources.models.values()]), {
      signal: shell.io.signal,
      note: (done) => shell.progress.update(`${recipe.name}…`, done),
    });
    shell.progress.clear();
    const seconds = (performance.now() - begun) / 1000;
    const shown = relative(shell.io.cwd, out);
    shell.say(
      `${shell.palette.added("✓")} ${shown}: ${plural(tensors.length, "tensor")}, ${bytesText(written.bytes)}, ${seconds.toFixed(1)} s`,
    );
    shell.result(true, {
      recipe: recipe.name,
      tensors: tensors.length,
      bytes: written.bytes,
      files: written.files.map((path) => relative(shell.io.cwd, path)),
    });
    return EXIT.ok;
  } finally {
    sources.close();
  }
}

/** A GGUF file keeps what its first source says of itself: tokenizer and names. */
function metadataOf(
  recipe: BuiltRecipe,
  sources: readonly { readonly checkpoint: { readonly format: string; readonly metadata: Metadata } }[],
): Metadata {
  const known = sources.find(({ checkpoint }) => checkpoint.format === "gguf")?.checkpoint.metadata;
  return (
    known ??
    new Map([
      ["general.architecture", { type: "string", value: "moec" }],
      ["general.name", { type: "string", value: recipe.target.name }],
    ])
  );
}

interface Row {
  readonly path: string;
  readonly shape: string;
  readonly from: string;
}

/** What each parameter is made of: the parameter that it is, or the line. */
function rowsOf(recipe: BuiltRecipe, read: (file: string) => string | undefined): readonly Row[] {
  return recipe.parameters.map(({ path, taken, line, copied }) => {
    const decl = recipe.target.params.find((param) => param.path === path)!;
    const shape = decl.axes.map(({ name, size }) => `${name} = ${size.evaluate({})}`).join(", ");
    const text = line ? (read(line.file)?.slice(line.start, line.end).replace(/\s+/g, " ") ?? "") : "";
    const along = copied.length > 0 ? `, repeated along ${copied.join(", ")}` : "";
    return { path, shape: `[${shape}]`, from: (taken ?? text) + along };
  });
}
