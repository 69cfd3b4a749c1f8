/** What was built, in a few lines. */
import type { Palette } from "../../compiler/errors/palette.js";
import type { MadeBundle } from "../make-bundle.js";
import { bytesText, countText, plural, timeText } from "./units.js";

/** The first few of a list, and how many more there are. */
const shortList = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");

/** @param folder Where the bundle is, as it shall be shown. */
export function bundleSummary(
  { manifest, times, kernels, keptInF16 }: MadeBundle,
  folder: string,
  { dim, strong, accent }: Palette,
): readonly string[] {
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const size = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const stored = Object.entries(manifest.parameters).map(([type, count]) => `${countText(count)} as ${type}`);
  const { weights, state, arena, io, peak } = manifest.memory;
  const spaces = `weights ${bytesText(weights)}, state ${bytesText(state)}, workspace ${bytesText(arena + io)}`;
  const line = (label: string, text: string): string => `  ${dim(label.padEnd(11))}${text}`;
  return [
    `${strong(manifest.name)} ${dim("→")} ${accent(folder)}  ${dim(`in ${timeText(total)}`)}`,
    line("parameters", stored.join(", ")),
    ...(keptInF16.length === 0 ? [] : [line("kept f16", `${shortList(keptInF16)}: rows of no whole blocks of 32`)]),
    line(
      "kernels",
      `${plural(kernels, "kernel")} for ${[...new Set(manifest.targets.map(({ name }) => name))].join(", ")}`,
    ),
    line("memory", `${bytesText(peak)}: ${spaces}`),
    line("files", `${plural(manifest.files.length + 1, "file")}, ${bytesText(size)}`),
    line("stages", times.map(({ stage, milliseconds }) => `${stage} ${timeText(milliseconds)}`).join(", ")),
  ];
}
