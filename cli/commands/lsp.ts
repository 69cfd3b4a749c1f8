/** `moec lsp`: the language server for any editor that speaks the protocol. */
import { join } from "node:path";
import { EXIT } from "../exit-codes.js";
import { moecVersion, packageRoot } from "../package-root.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions } from "../shell.js";

interface LspOptions extends CommonOptions {
  readonly stdio?: boolean;
}

export const lspCommand: CommandDefinition = (program, start) =>
  program
    .command("lsp")
    .summary("run the language server for editors")
    .description(
      "Speaks the Language Server Protocol on standard input and output. Editors start it; see docs/editor.md.",
    )
    .option("--stdio", "talk on standard input and output, the only way there is and the default")
    .action((options: LspOptions) =>
      start("lsp", options, async () => {
        const { serveStdio } = await import("../../editor/server/stdio.js");
        const { projectFiles } = await import("../project-schema.js");
        const library = join(packageRoot, "stdlib");
        const errorsPage = join(packageRoot, "docs/reference/errors.md");
        await serveStdio({
          library,
          errorsPage,
          version: moecVersion(),
          projectFiles: projectFiles(),
          // Its library is large: loaded when somebody asks to see WebAssembly.
          wasm: async (kernels) => (await import("../../editor/server/kernels/wasm-text.js")).wasmText(kernels),
        });
        return EXIT.ok;
      }),
    )
    .addHelpText("after", "\nExamples:\n  moec lsp --stdio\n");
