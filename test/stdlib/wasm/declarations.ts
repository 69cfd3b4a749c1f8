/** The declarations of the library, read from its files: what a test must call. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse, type Expression, type ModuleDecl, type Parameter } from "../../../grammar/index.js";
import { repository } from "../../check/host.js";

export interface LibraryDeclaration {
  /** Path in the repository. */
  readonly file: string;
  readonly name: string;
  readonly contract: ModuleDecl["contract"];
  /** Axes in brackets behind the name. */
  readonly axes: readonly string[];
  /** What stands in parentheses behind the name: settings of a module, or the arguments of a function. */
  readonly settings: readonly Parameter[];
  /** What a module is called with; a function is called with its settings. */
  readonly inputs: readonly Parameter[];
  /** Axes whose size a parameter of the module says: `A = N` in `param u: [D, A = N]`. */
  readonly sized: ReadonlyMap<string, Expression>;
  /** It says the dense matrix that it stands for. */
  readonly densify: boolean;
  /** A mask of positions alone, given by a lambda. */
  readonly positions: boolean;
  /** It keeps keys and values between calls. */
  readonly cached: boolean;
  readonly batchDependent: boolean;
}

function sizedAxes(decl: ModuleDecl): ReadonlyMap<string, Expression> {
  const sized = new Map<string, Expression>();
  for (const member of decl.members ?? []) {
    if (member.kind !== "param" || member.type.kind !== "named-type") continue;
    for (const { name, size } of member.type.axes ?? []) if (name && size) sized.set(name.text, size);
  }
  return sized;
}

function declarationOf(file: string, decl: ModuleDecl): LibraryDeclaration {
  const members = decl.members ?? [];
  const body = members.find((member) => member.kind === "method" && member.name === undefined);
  return {
    file,
    name: decl.name.text,
    contract: decl.contract,
    axes: decl.axes.map((axis) => axis.name.text),
    settings: decl.params,
    inputs: body?.kind === "method" ? body.params : [],
    sized: sizedAxes(decl),
    densify: members.some((member) => member.kind === "method" && member.name?.text === "densify"),
    positions: decl.contract === "mask" && body === undefined,
    cached: members.some((member) => member.kind === "state"),
    batchDependent: decl.batchDependent,
  };
}

/** All declarations of all files, in order. */
export function libraryDeclarations(): readonly LibraryDeclaration[] {
  return readdirSync(join(repository, "stdlib"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".moe") && file !== "std.moe")
    .sort()
    .flatMap((file) => {
      const path = `stdlib/${file}`;
      const { tree } = parse(readFileSync(join(repository, path), "utf8"), path);
      // Recipes take modules and give one: their own tests are what can be said of them.
      return tree.declarations.flatMap((decl) =>
        decl.kind === "module" && !decl.making ? [declarationOf(path, decl)] : [],
      );
    });
}
