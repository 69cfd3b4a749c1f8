/** What a comparison of a device with the reference says, and how it is told. */
import type { Palette } from "../../compiler/errors/palette.js";
import {
  compareRoutes,
  compareRows,
  isExplained,
  tokensBeforeChange,
  type RoutesComparison,
  type RowsComparison,
} from "./compare.js";
import type { EntryRun } from "./runs.js";

export interface Verdict {
  readonly kernels: RowsComparison;
  readonly routes: readonly RoutesComparison[];
  /** Tokens before the first one that went to other experts. */
  readonly before: number;
  /** Whether rounding explains the difference. */
  readonly explained: boolean;
}

/** What is compared. */
export interface Shape {
  readonly output: string;
  /** Numbers of a row of it. */
  readonly width: number;
  /** Tokens of the text. */
  readonly tokens: number;
  /** Tokens before the first row that is compared. */
  readonly skipped?: number;
  /** The error to expect. */
  readonly bound: number;
}

export function verdictOn(found: EntryRun, expected: EntryRun, shape: Shape): Verdict {
  const { output, width, tokens, skipped = 0, bound } = shape;
  const rows = { found: found.outputs[output]!, expected: expected.outputs[output]!, width };
  const before = tokensBeforeChange(found.routes, expected.routes);
  const kernels = compareRows(rows.found, rows.expected, width);
  const worst = { ...kernels.worst, position: kernels.worst.position + skipped };
  return {
    kernels: { ...kernels, worst },
    routes: compareRoutes(found.routes, expected.routes),
    before,
    explained: isExplained(rows, tokens - skipped, Math.max(0, before - skipped), bound),
  };
}

/** @param how What ran, at the start of each line: `in one call`. */
export function verdictLines(verdict: Verdict, bound: number, how: string, palette: Palette): readonly string[] {
  const { kernels, routes, before, explained } = verdict;
  const changed = routes.filter(({ same, all }) => same < all);
  const lines = changed.map(({ name, same, all }) =>
    palette.warning(`${how}, ${name}: ${same} of ${all} choices of experts agree`),
  );
  if (routes.length > 0 && changed.length === 0)
    lines.push(`${palette.added("✓")} ${how}: all choices of experts agree`);
  const most = bound.toExponential(1);
  if (kernels.relativeError <= bound)
    lines.push(`${palette.added("✓")} ${how}: the kernels' error is within ${most}, what rounding explains`);
  else if (explained) {
    const text = `the kernels' error is within ${most} up to token ${before}, which went to another expert`;
    lines.push(`${palette.warning("–")} ${how}: ${text}; try another seed`);
  } else lines.push(`${palette.error("✗")} ${how}: the kernels' error is above ${most}, more than rounding explains`);
  return lines;
}
