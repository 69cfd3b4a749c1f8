/** `moec new`: a project to start from. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Option } from "commander";
import { modelName } from "../../compiler/checkpoints/import/text.js";
import { moecError } from "../../compiler/errors/raise.js";
import { EXIT } from "../exit-codes.js";
import { UsageError } from "../failures.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions } from "../shell.js";
import { shellWord } from "../show/units.js";
import { projectFiles, TEMPLATES, type TemplateName } from "../templates.js";
import { writeTextFiles } from "../write-text-files.js";

interface NewOptions extends CommonOptions {
  readonly template: TemplateName;
}

export const newCommand: CommandDefinition = (program, start) =>
  program
    .command("new")
    .summary("start a project")
    .description("Makes a folder with a small model that checks, builds and runs.")
    .argument("<folder>", "the folder to make; its name becomes the model's")
    .addOption(new Option("--template <name>", "what to start from").choices(Object.keys(TEMPLATES)).default("mixture"))
    .action((folder: string, options: NewOptions) =>
      start("new", options, (shell) => {
        const place = resolve(shell.io.cwd, folder);
        if (existsSync(place) && readdirSync(place).length > 0) throw moecError("MOE5404", { path: folder });
        const name = modelName(basename(place), "");
        if (name === "") throw new UsageError(`\`${folder}\` gives no name for a model; begin it with a letter`);
        const files = projectFiles(options.template, name);
        writeTextFiles(files.map(({ path, text }) => ({ path: join(place, path), text })));
        const { accent, added } = shell.palette;
        shell.say(`${added("✓")} ${folder} with ${files.map(({ path }) => path).join(", ")}`);
        const word = shellWord(folder);
        shell.say(`\n  ${accent(`moec test ${word}`)}\n  ${accent(`moec run ${word} "Once upon a time" --random 1`)}`);
        shell.say("\nThe numbers are random until moec.yaml names a file of weights: the model writes noise.");
        shell.result(true, { folder: place, files: files.map(({ path }) => path) });
        return Promise.resolve(EXIT.ok);
      }),
    )
    .addHelpText("after", "\nExamples:\n  moec new my-model\n  moec new encoder --template dense\n");
