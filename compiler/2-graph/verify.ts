/**
 * Checks that a program is well formed: every value defined once and before its use, regions that see only their own
 * parameters, ops and attributes of the table, types equal to those that the table computes, declarations in order.
 * Passes are checked with it in tests; what it finds is a bug of the stage that made the program.
 */
import { declarationsOf } from "./types.js";
import type { Entry, Program } from "./ir.js";
import { RegionCheck } from "./verify-region.js";

/** One thing that is wrong; `code` has a Markdown page whose message takes `slots`. */
export interface GraphProblem {
  readonly code: string;
  readonly slots: Readonly<Record<string, string>>;
  /** Where: `entry forward, %12 = mixture, region 0, %15 = add`. */
  readonly where: string;
}

/** All problems of a program, in order; none when it is well formed. */
export function verify(program: Program): readonly GraphProblem[] {
  const problems: GraphProblem[] = [];
  const report = (code: string, slots: GraphProblem["slots"], where: string): void => {
    problems.push({ code, slots, where });
  };
  checkDeclarations(program, report);
  const sizes = new Set([...program.runtimeSizes, "past"]);
  const declared = declarationsOf(program);
  const names = new Set<string>();
  for (const entry of program.entries) {
    const where = `entry ${entry.name}`;
    if (names.has(entry.name)) report("MOE2079", { what: "entry", path: entry.name, fault: "stands twice" }, where);
    names.add(entry.name);
    checkSignature(entry, where, report);
    new RegionCheck(declared, sizes, report).run(entry.body, where);
  }
  return problems;
}

export type Report = (code: string, slots: GraphProblem["slots"], where: string) => void;

function checkDeclarations(program: Program, report: Report): void {
  const kinds = [
    ["parameter", program.params],
    ["state", program.states],
    ["knob", program.knobs],
  ] as const;
  for (const [what, list] of kinds) {
    const paths = new Set<string>();
    for (const decl of list) {
      const where = `${what} ${decl.path}`;
      const wrong = (fault: string): void => report("MOE2079", { what, path: decl.path, fault }, where);
      if (paths.has(decl.path)) wrong("stands twice");
      paths.add(decl.path);
      const axes = decl.axes.map((axis) => axis.name);
      if (new Set(axes).size !== axes.length) wrong("has one axis twice");
      if (!Number.isInteger(decl.layerAxes) || decl.layerAxes < 0 || decl.layerAxes > axes.length) {
        wrong(`has ${axes.length} axes, of which ${decl.layerAxes} cannot be layers`);
      }
      if ("contracted" in decl && decl.contracted !== undefined && !axes.includes(decl.contracted)) {
        wrong(`has no axis \`${decl.contracted}\` to contract`);
      }
    }
  }
}

function checkSignature(entry: Entry, where: string, report: Report): void {
  const sides = [
    ["inputs", entry.inputs, entry.body.params],
    ["outputs", entry.outputs, entry.body.results],
  ] as const;
  for (const [what, names, values] of sides) {
    if (new Set(names).size !== names.length) {
      report("MOE2079", { what: "entry", path: entry.name, fault: `has two ${what} of one name` }, where);
    }
    if (names.length !== values.length) {
      const fault = `names ${names.length} ${what} and has ${values.length}`;
      report("MOE2079", { what: "entry", path: entry.name, fault }, where);
    }
  }
}
