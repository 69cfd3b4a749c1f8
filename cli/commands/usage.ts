/** `moec usage`: how often a text uses each expert, as a file that recipes read. */
import { relative, resolve } from "node:path";
import { moecError } from "../../compiler/errors/raise.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failures.js";
import {
  addDeviceOptions,
  addModelOptions,
  MODEL_OR_BUNDLE,
  type DeviceOptions,
  type ModelOptions,
} from "../options.js";
import type { CommandDefinition } from "../command.js";
import type { Shell } from "../shell.js";
import { tableLines } from "../show/table.js";
import { plural } from "../show/units.js";
import { readText } from "../source-host.js";

interface UsageOptions extends ModelOptions, DeviceOptions {
  readonly out: string;
}

export const usageCommand: CommandDefinition = (program, start) =>
  addDeviceOptions(
    addModelOptions(
      program
        .command("usage")
        .summary("count how often a text uses each expert, for recipes")
        .description(
          "Runs a text through a model and writes how many tokens each expert got, a tensor `usage` of [layers, experts]: " +
            "what recipes that prune, merge or densify ask for. With several mixtures each is named by the path of its " +
            "experts, such as `usage_layers_moe_experts` for `layers.moe.experts`.",
        )
        .argument("<model>", MODEL_OR_BUNDLE)
        .argument("<text>", "a file of text; standard input when it is -")
        .requiredOption("-o, --out <file>", "the .safetensors file to write")
        .action((path: string, file: string, options: UsageOptions) =>
          start("usage", options, (shell) => usage(shell, path, file, options)),
        ),
    ),
  ).addHelpText(
    "after",
    `
The text is read in pieces of --prefill tokens, each a text of its own.

Examples:
  moec usage examples/tiny-moe code.txt --out usage.safetensors
  moec convert recipes.moe Prune --source moe=model.safetensors --source usage=usage.safetensors --out small.safetensors
`,
  );

async function usage(shell: Shell, path: string, file: string, options: UsageOptions): Promise<ExitCode> {
  if (!options.out.endsWith(".safetensors"))
    throw new UsageError(`--out is a .safetensors file, not \`${options.out}\``);
  const text = file === "-" ? await shell.io.readInput() : readText(resolve(shell.io.cwd, file));
  if (text === undefined) throw moecError("MOE5123", { path: file, reason: "it can't be read" });
  const { loadBundle, runnableBundle } = await import("../load-bundle.js");
  const { expertUsage } = await import("../usage/count.js");
  const { usageTensors } = await import("../usage/tensors.js");
  const { writeCheckpoint } = await import("../convert/write.js");
  const folder = await runnableBundle(shell, path, options, { tokenizer: true });
  using model = await loadBundle(shell, folder, options);
  const counted = await expertUsage(model, text, {
    signal: shell.io.signal,
    note: (done) => shell.progress.update("counting…", done),
  });
  shell.progress.clear();
  const out = resolve(shell.io.cwd, options.out);
  const tensors = usageTensors(counted.mixtures);
  await writeCheckpoint(out, tensors, new Map(), { signal: shell.io.signal, note: () => undefined });
  const columns = [{ title: "tensor" }, { title: "experts" }, { title: "tokens of each" }];
  const rows = counted.mixtures.flatMap(({ names, layers }, mixture) =>
    layers.map((counts, layer) => [tensors[mixture]!.name, names[layer]!, counts.join(" ")]),
  );
  for (const line of tableLines(columns, rows, shell.palette.dim)) shell.say(line);
  const shown = relative(shell.io.cwd, out);
  shell.say(`${shell.palette.added("✓")} ${shown}: ${plural(counted.tokens, "token")}`);
  shell.result(true, {
    tokens: counted.tokens,
    file: shown,
    usage: Object.fromEntries(tensors.map(({ name }, mixture) => [name, counted.mixtures[mixture]!.layers])),
    experts: Object.fromEntries(tensors.map(({ name }, mixture) => [name, counted.mixtures[mixture]!.label])),
  });
  return EXIT.ok;
}
