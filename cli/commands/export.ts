/** `moec export`: a model with its weights as a file of another format. */
import { extname, relative, resolve } from "node:path";
import { Option } from "commander";
import { ENCODABLE_TYPES, type EncodableType } from "../../compiler/checkpoints/encodable.js";
import { GGUF_TITLES } from "../../compiler/checkpoints/export-gguf/names.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { CONTRIB_OPERATORS, EXPERT_FORMATS, type Contrib } from "../../compiler/5-emit/onnx/contrib/names.js";
import { addProgramOptions, listOption, type ProgramOptions } from "../options.js";
import type { CommandDefinition } from "../command.js";
import { UsageError } from "../failures.js";
import type { CommonOptions, Shell } from "../shell.js";
import { bytesText, plural } from "../show/units.js";

interface ExportOptions extends ProgramOptions, CommonOptions {
  readonly format?: "onnx" | "gguf";
  readonly out: string;
  readonly entry?: string;
  readonly contrib?: Contrib["operators"];
  readonly experts?: Contrib["storage"];
  readonly quantization?: EncodableType;
}

export const exportCommand: CommandDefinition = (program, start) => {
  const command = program
    .command("export")
    .summary("write a model and its weights as ONNX or GGUF")
    .description(
      "Writes one entry point of a model with its weights as an ONNX file (opset 21). States are inputs `past.…` and " +
        "outputs `present.…`. Weights above 2 GB lie in a file beside it, with the ending `.data`. As GGUF it writes the " +
        "checkpoint of a Hugging Face folder, or of a project that was imported from one, with its tokenizer: " +
        `${GGUF_TITLES.slice(0, -1).join(", ")} and ${GGUF_TITLES.at(-1)!}.`,
    )
    .argument("[project]", "a folder with a moec.yaml, that file, or a .moe file; for GGUF a checkpoint too", ".")
    .requiredOption("-o, --out <file>", "where the file goes")
    .addOption(
      new Option("--format <name>", "what to write; what --out ends in, or onnx, when left out").choices([
        "onnx",
        "gguf",
      ]),
    )
    .option("--entry <name>", "ONNX: which entry point; the first one when left out")
    .addOption(listOption("--contrib <operators>", "ONNX: use fused operators of ONNX Runtime", CONTRIB_OPERATORS))
    .addOption(
      new Option("--experts <format>", "ONNX: how QMoE keeps experts; q8_0 when left out").choices(EXPERT_FORMATS),
    )
    .addOption(
      new Option(
        "--quantization <format>",
        "GGUF: how matrices are stored; as in the checkpoint when left out",
      ).choices(ENCODABLE_TYPES),
    )
    .action((path: string, options: ExportOptions) =>
      start("export", options, (shell) => {
        const out = resolve(shell.io.cwd, options.out);
        const format = options.format ?? (extname(out) === ".gguf" ? "gguf" : "onnx");
        const others =
          format === "gguf"
            ? { "--entry": options.entry, "--contrib": options.contrib, "--experts": options.experts }
            : { "--quantization": options.quantization };
        const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
        if (other !== undefined) throw new UsageError(`${other} changes nothing of a file in ${format.toUpperCase()}`);
        return format === "gguf" ? asGguf(shell, path, out, options) : asOnnx(shell, path, out, options);
      }),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  moec export examples/tiny-moe -o tiny-moe.onnx\n  moec export spec.moe --random 1 --entry encode -o encoder.onnx\n" +
        "  moec export examples/tiny-moe --contrib QMoE,GroupQueryAttention -o fused.onnx\n" +
        "  moec export ./OLMoE-1B-7B -o olmoe.gguf --quantization q8_0\n",
    );
  return addProgramOptions(command);
};

async function asOnnx(shell: Shell, path: string, out: string, options: ExportOptions): Promise<ExitCode> {
  const { openSources } = await import("../project.js");
  const { exportOnnx } = await import("../export-onnx.js");
  const project = openSources(path, shell.io.cwd, options);
  const made = exportOnnx(shell, project, out, {
    ...(options.entry === undefined ? {} : { entry: options.entry }),
    ...(options.contrib ? { contrib: { operators: options.contrib, storage: options.experts ?? "q8_0" } } : {}),
  });
  const shown = relative(shell.io.cwd, out);
  shell.say(`${shell.palette.added("✓")} ${shown}: \`${made.entry}\`, ${plural(made.nodes, "node")}`);
  for (const file of made.files) shell.say(`  ${relative(shell.io.cwd, file)}`);
  shell.result(true, { ...made });
  return EXIT.ok;
}

async function asGguf(shell: Shell, path: string, out: string, options: ExportOptions): Promise<ExitCode> {
  const { exportGguf } = await import("../export-gguf.js");
  const made = await exportGguf(shell, path, out, options, options.quantization);
  const { family, tensors, quantization, f16, bytes, notes } = made;
  const shown = relative(shell.io.cwd, out);
  shell.say(
    `${shell.palette.added("✓")} ${shown}: ${family} in ${quantization}, ${plural(tensors, "tensor")}, ${bytesText(bytes)}`,
  );
  if (f16.length > 0)
    shell.note(
      `In f16, since their rows are no whole blocks: ${f16.slice(0, 3).join(", ")}${f16.length > 3 ? ", …" : ""}.`,
    );
  for (const note of notes) shell.note(note);
  shell.result(true, { ...made });
  return EXIT.ok;
}
