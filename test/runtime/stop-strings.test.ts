import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StopStrings } from "../../runtime/generate/stop-strings.js";

function feed(stops: readonly string[], pieces: readonly string[]): string {
  const machine = new StopStrings(stops);
  let shown = "";
  for (const piece of pieces) {
    const { text, stopped } = machine.push(piece);
    shown += text;
    if (stopped) return shown;
  }
  return shown + machine.finish();
}

describe("stop strings", () => {
  it("are found across pieces", () => {
    expect(feed(["\n\nUser:"], ["Hello\n", "\nUs", "er: hi"])).toBe("Hello");
  });

  it("hold back only what can still become one", () => {
    const machine = new StopStrings(["abc"]);
    expect(machine.push("xxab").text).toBe("xx");
    expect(machine.push("abd").text).toBe("ababd");
    expect(machine.finish()).toBe("");
  });

  it("ignore empty ones", () => {
    expect(feed([""], ["a", "b"])).toBe("ab");
  });

  it("cut where a search in the whole text would cut, however it is cut into pieces", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(letters, stops, fc.array(fc.nat(30), { maxLength: 6 }), (text, all, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        // The piecewise machine stops at the first piece that completes a stop string; among those that end in it the
        // earliest begin wins. A search in the text up to that piece finds the same.
        let expected = text;
        let read = "";
        for (const piece of pieces) {
          read += piece;
          const found = all.map((stop) => read.indexOf(stop)).filter((at) => at >= 0);
          if (found.length > 0) {
            expected = read.slice(0, Math.min(...found));
            break;
          }
        }
        expect(feed(all, pieces)).toBe(expected);
      }),
    );
  });
});
