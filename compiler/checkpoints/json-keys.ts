/** Finds what `JSON.parse` hides: a key that an object has twice. */

/**
 * The first key that the outermost object of a valid JSON text has twice, if any.
 *
 * @param json text that `JSON.parse` has accepted; this scan relies on it.
 */
export function repeatedKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let lastString = "";
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '"': {
        const start = i;
        while (json[++i] !== '"') if (json[i] === "\\") i++;
        // Only keys are decoded, and only when their colon is met; slicing every string would cost more than the scan.
        if (depth === 1) lastString = json.slice(start, i + 1);
        break;
      }
      case "{":
      case "[":
        depth++;
        break;
      case "}":
      case "]":
        depth--;
        break;
      case ":": {
        if (depth !== 1) break;
        const key = JSON.parse(lastString) as string;
        if (seen.has(key)) return key;
        seen.add(key);
        break;
      }
      default:
    }
  }
  return undefined;
}
