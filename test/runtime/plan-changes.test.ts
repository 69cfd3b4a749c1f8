/** What a call asks anew: only what depends on sizes that are others than in the call before. */
import { describe, expect, it } from "vitest";
import { dependsOn, SizeChanges } from "../../runtime/plan/changes.js";

describe("sizes that changed", () => {
  it("are all unknown for the first call and behind one that was not finished", () => {
    const changes = new SizeChanges();
    expect(changes.begin({ T: 3, past: 0 })).toBeUndefined();
    expect(changes.begin({ T: 3, past: 0 })).toBeUndefined();
    changes.finish({ T: 3, past: 0 });
    expect(changes.begin({ T: 3, past: 0 })).toEqual(new Set());
  });

  it("are those with another value, come or gone ones too", () => {
    const changes = new SizeChanges();
    const sizes: Record<string, number> = { T: 3, past: 0, text: 1 };
    changes.finish(sizes);
    sizes["T"] = 4;
    expect(changes.begin({ T: 3, past: 2, "past.1": 5 })).toEqual(new Set(["past", "text", "past.1"]));
  });

  it("decide what is asked", () => {
    expect(dependsOn(["T", "past"], new Set(["past"]))).toBe(true);
    expect(dependsOn(["T"], new Set(["past"]))).toBe(false);
    expect(dependsOn([], new Set(["past"]))).toBe(false);
  });
});
