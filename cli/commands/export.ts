/** `moec export`: a model with its weights as a file of another format. */
import { relative, resolve } from "node:path";
import { Option } from "commander";
import { EXIT } from "../exit-codes.js";
import { CONTRIB_OPERATORS, EXPERT_FORMATS, type Contrib } from "../../compiler/5-emit/onnx/contrib/names.js";
import { addProgramOptions, listOption, type ProgramOptions } from "../options.js";
import type { CommandDefinition } from "../command.js";
import { plural } from "../show/units.js";

interface ExportOptions extends ProgramOptions {
  readonly format: "onnx";
  readonly out: string;
  readonly entry?: string;
  readonly contrib?: Contrib["operators"];
  readonly experts: Contrib["storage"];
}

export const exportCommand: CommandDefinition = (program, start) => {
  const command = program
    .command("export")
    .summary("write a model and its weights as ONNX")
    .description(
      "Writes one entry point of a model with its weights as an ONNX file (opset 21). States are inputs `past.…` and " +
        "outputs `present.…`. Weights above 2 GB lie in a file beside it, with the ending `.data`.",
    )
    .argument("[project]", "a folder with a moec.yaml, that file, or a .moe file", ".")
    .requiredOption("-o, --out <file>", "where the file goes")
    .addOption(new Option("--format <name>", "what to write").choices(["onnx"]).default("onnx"))
    .option("--entry <name>", "which entry point; the first one when left out")
    .addOption(listOption("--contrib <operators>", "use fused operators of ONNX Runtime", CONTRIB_OPERATORS))
    .addOption(new Option("--experts <format>", "how QMoE keeps experts").choices(EXPERT_FORMATS).default("q8_0"))
    .action((path: string, options: ExportOptions) =>
      start("export", options, async (shell) => {
        const { openSources } = await import("../project.js");
        const { exportOnnx } = await import("../export-onnx.js");
        const project = openSources(path, shell.io.cwd, options);
        const out = resolve(shell.io.cwd, options.out);
        const made = exportOnnx(shell, project, out, {
          ...(options.entry === undefined ? {} : { entry: options.entry }),
          ...(options.contrib ? { contrib: { operators: options.contrib, storage: options.experts } } : {}),
        });
        const shown = relative(shell.io.cwd, out);
        shell.say(`${shell.palette.added("✓")} ${shown}: \`${made.entry}\`, ${plural(made.nodes, "node")}`);
        for (const file of made.files) shell.say(`  ${relative(shell.io.cwd, file)}`);
        shell.result(true, { ...made });
        return EXIT.ok;
      }),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  moec export examples/tiny-moe -o tiny-moe.onnx\n  moec export spec.moe --random 1 --entry encode -o encoder.onnx\n" +
        "  moec export examples/tiny-moe --contrib QMoE,GroupQueryAttention -o fused.onnx\n",
    );
  return addProgramOptions(command);
};
