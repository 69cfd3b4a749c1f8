/**
 * Puts the command into `dist/cli/moec.cjs`, one file that `cli/launch.ts` runs with V8's kept code, and the launcher into
 * `dist/cli/main.js`. Code can be kept of scripts only, so the modules become one function; each begins to run when it is
 * wanted. Places in it are said as places in the sources (`cli/source-places.ts`).
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bundler } from "./bundler.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Packages that stay outside: large, or loading parts of themselves by name. Only some commands want them. */
const OUTSIDE = [
  "binaryen",
  ...["vscode-languageserver", "vscode-languageserver/node", "vscode-languageserver-textdocument"],
];

/** @type {import("esbuild").Plugin} Imports of these packages take what `moecReady` has loaded. */
const outside = {
  name: "packages outside",
  setup(setup) {
    setup.onResolve({ filter: /^[^./]/ }, ({ path }) =>
      OUTSIDE.includes(path) ? { path, namespace: "outside" } : undefined,
    );
    setup.onLoad({ filter: /.*/, namespace: "outside" }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
      const named = names.filter((name) => name !== "default");
      const loaded = `moecPackages.get(${JSON.stringify(path)})`;
      return { contents: `export const { ${named.join(", ")} } = ${loaded};\nexport default ${loaded}.default;` };
    });
  },
};

/** @type {import("esbuild").Plugin} What scripts can't do by themselves. */
const asScript = {
  name: "as a script",
  setup(setup) {
    setup.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (path.includes("node_modules") || !/\bimport(?:\.meta|\()/.test(text)) return undefined;
      const file = relative(root, path).replaceAll("\\", "/");
      // Every module keeps the address that it has in `dist/`: files are found from there.
      const address = `moecModuleUrl(${JSON.stringify(file.replace(/\.ts$/, ".js"))})`;
      const contents = text
        .replaceAll(/await (import\("(\.[^"]+)"\))/g, (_, wanted, specifier) => {
          const module = posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".ts");
          return `(await moecReady(${JSON.stringify(module)}), await ${wanted})`;
        })
        // A package with a name that no bundler follows.
        .replaceAll("await import(name)", "await moecImport(name)");
      return {
        contents: `const moecAddress = /* @__PURE__ */ ${address}; ${contents}`,
        loader: "ts",
        resolveDir: dirname(path),
      };
    });
  },
};

/** In front of the modules, in one line. What it is given stands in `cli/launch.ts`. */
const BEGIN = [
  "(function (exports, require, module, moecModuleUrl, moecImport) {",
  "const moecNeeds = {/* packages */};",
  "const moecPackages = new Map();",
  "const moecReady = async (module) => {",
  "for (const name of moecNeeds[module] ?? [])",
  "if (!moecPackages.has(name)) moecPackages.set(name, await moecImport(name));",
  "};",
].join(" ");

/**
 * The packages outside that each module needs which is imported when it is wanted.
 *
 * @param {import("esbuild").Metafile} metafile
 */
function packagesOf({ inputs }) {
  const wanted = Object.values(inputs).flatMap(({ imports }) =>
    imports.filter(({ kind }) => kind === "dynamic-import"),
  );
  /** @type {Record<string, string[]>} */
  const needs = {};
  for (const { path: module } of wanted) {
    const reached = new Set([module]);
    for (const path of reached) {
      const { imports } = inputs[path] ?? { imports: [] };
      for (const { kind, path: next } of imports) if (kind !== "dynamic-import") reached.add(next);
    }
    const packages = [...reached].filter((path) => path.startsWith("outside:"));
    if (packages.length > 0) needs[module] = packages.map((path) => path.slice("outside:".length));
  }
  return needs;
}

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  legalComments: "eof",
  logLevel: "warning",
};

/** @param {string} folder */
async function buildCommand(folder) {
  const { build } = await bundler();
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: ["cli/entry.ts"],
    outfile: join(folder, "moec.cjs"),
    write: false,
    metafile: true,
    format: "cjs",
    mainFields: ["module", "main"],
    plugins: [outside, asScript],
    define: { "import.meta.url": "moecAddress" },
    // Names stay, for stack traces; ASCII is what V8 reads fastest.
    minifyWhitespace: true,
    charset: "ascii",
    sourcemap: "external",
    sourcesContent: false,
    banner: { js: BEGIN },
    footer: { js: "})" },
  });
  const [map, code] = ["moec.cjs.map", "moec.cjs"].map(
    (name) => outputFiles.find(({ path }) => path.endsWith(name)).text,
  );
  const script = code.replace("{/* packages */}", JSON.stringify(packagesOf(metafile)));
  const hash = createHash("sha256").update(script).digest("hex");
  writeFileSync(join(folder, "moec.cjs"), `// ${hash}\n${script}`);
  const { mappings, sources, ...rest } = JSON.parse(map);
  const fromRoot = sources.map((source) => relative(root, resolve(folder, source)).replaceAll("\\", "/"));
  // One line is in front of it now.
  writeFileSync(join(folder, "moec.cjs.map"), JSON.stringify({ ...rest, sources: fromRoot, mappings: `;${mappings}` }));
}

/** @param {string} folder */
async function buildLauncher(folder) {
  const { build } = await bundler();
  await build({
    ...common,
    entryPoints: ["cli/main.ts"],
    outfile: join(folder, "main.js"),
    format: "esm",
    external: ["./entry.js"],
    minify: true,
  });
}

/** Writes both into a folder two below moec's own. */
export async function buildCli(folder = join(root, "dist", "cli")) {
  await Promise.all([buildCommand(folder), buildLauncher(folder)]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCli();
