/**
 * `npm start`: sets a fresh clone up, then runs the main job on the example model: check and compile
 * `examples/tiny-moe`, quantize it, write the bundle, and write on from a prompt.
 *
 *   npm start
 *   npm start -- "declare function " --max-tokens 40 --trace
 */
import { checkNode, ensureBuild, ensurePackages } from "./setup.mjs";

const DEFAULT_PROMPT = "In the beginning";

checkNode();
ensurePackages();
ensureBuild();

const args = process.argv.slice(2);
const [first] = args;
// Without arguments the picture of the experts is shown too: it is what the example is about.
const rest =
  args.length === 0
    ? [DEFAULT_PROMPT, "--max-tokens", "64", "--trace"]
    : first !== undefined && first.startsWith("-")
      ? [DEFAULT_PROMPT, ...args]
      : args;

const { launch } = await import("../dist/cli/launch.js");
await launch(["run", "examples/tiny-moe", ...rest]);
