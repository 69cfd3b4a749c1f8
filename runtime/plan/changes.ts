/** Which sizes of a call differ from those of the call before: what depends on no other is still there. */
import type { SizeValues } from "./sizes.js";

export class SizeChanges {
  private last: SizeValues | undefined;

  /** Names whose values are others now; undefined for the first call, and behind one that was not finished. */
  begin(sizes: SizeValues): ReadonlySet<string> | undefined {
    const { last } = this;
    this.last = undefined;
    if (!last) return undefined;
    const names = new Set([...Object.keys(last), ...Object.keys(sizes)]);
    return new Set([...names].filter((name) => last[name] !== sizes[name]));
  }

  /** Everything is as these sizes want it. */
  finish(sizes: SizeValues): void {
    this.last = { ...sizes };
  }
}

/** True when one of the names is among those that changed. */
export function dependsOn(names: readonly string[], changed: ReadonlySet<string>): boolean {
  for (const name of names) if (changed.has(name)) return true;
  return false;
}
