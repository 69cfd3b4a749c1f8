/** The TextMate grammar against the semantic tokens: what one colours as a name, the other never calls a comment or word. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { semanticTokens, TOKEN_TYPES } from "../../editor/server/features/semantic-tokens.js";
import { diskWorkspace } from "../../editor/server/disk.js";
import { Workspace } from "../../editor/server/workspace.js";
import { scopesOf } from "../support/textmate.js";
import { root } from "./client.js";

describe("TextMate scopes and semantic tokens", () => {
  const host = diskWorkspace({ library: join(root, "stdlib"), errorsPage: "" });
  const workspace = new Workspace(host);
  const files = [
    ...readdirSync(join(root, "stdlib"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".moe"))
      .map((path) => join(root, "stdlib", path)),
    join(root, "examples/tiny-moe/tiny-moe.moe"),
  ];
  it.each(files.map((file) => [file.slice(root.length), file]))("agree on %s", async (_, file) => {
    const scopes = await scopesOf(workspace.text(file).text);
    const { data } = semanticTokens(workspace, file);
    const wrong: string[] = [];
    let [line, character] = [0, 0];
    for (let at = 0; at < data.length; at += 5) {
      character = data[at] === 0 ? character + data[at + 1]! : data[at + 1]!;
      line += data[at]!;
      const scope = scopes[line]?.findLast(({ start }) => start <= character)?.scope ?? "none";
      const type = TOKEN_TYPES[data[at + 3]!];
      if (
        /^(comment|string|constant\.numeric|storage|keyword\.(control|other\.member|operator)|punctuation|none)/.test(
          scope,
        )
      )
        wrong.push(`${line + 1}:${character + 1} ${type} is ${scope}`);
    }
    expect(data.length).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });
});
