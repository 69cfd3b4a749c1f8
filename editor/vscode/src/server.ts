/** The language server inside the extension: the standard library and the explanations lie beside it. */
import { join } from "node:path";
import { projectFiles } from "../../../cli/project-schema.js";
import { serveStdio } from "../../server/stdio.js";
import manifest from "../package.json" with { type: "json" };

const extension = join(__dirname, "..");
void serveStdio({
  library: join(extension, "stdlib"),
  errorsPage: join(extension, "docs/errors.md"),
  version: manifest.version,
  projectFiles: projectFiles(),
});
