/** Where a folder has the template of chats: one reader serves and exports it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { openTokenizerSource } from "../../cli/convert/tokenizer-source.js";
import { tokenizerText } from "../../cli/tokenizer-files.js";
import { chatTemplate } from "../../serve/chat.js";

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((path) => rmSync(path, { recursive: true, force: true })));

/** Path of a tokenizer beside these files. */
function tokenizer(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "moec-chat-"));
  folders.push(path);
  for (const [name, text] of Object.entries({ ...files, "tokenizer.json": byteTokenizer() })) {
    writeFileSync(join(path, name), text);
  }
  return join(path, "tokenizer.json");
}

const config = (template: unknown): string => JSON.stringify({ chat_template: template });
const named = (name: string, template: string): object => ({ name, template });
const text = (name: string): string => `${name}: {{ messages[0].content }}`;

describe.each<[string, Readonly<Record<string, string>>, string | undefined]>([
  ["one text in tokenizer_config.json", { "tokenizer_config.json": config(text("one")) }, "one"],
  [
    "a list with a default",
    { "tokenizer_config.json": config([named("tool_use", text("tools")), named("default", text("plain"))]) },
    "plain",
  ],
  ["a list of one", { "tokenizer_config.json": config([named("rag", text("only"))]) }, "only"],
  [
    "a list without a default",
    { "tokenizer_config.json": config([named("a", text("a")), named("b", text("b"))]) },
    undefined,
  ],
  ["a file of its own", { "chat_template.jinja": text("file") }, "file"],
  [
    "a file beside another one",
    { "chat_template.jinja": text("file"), "tokenizer_config.json": config(text("config")) },
    "file",
  ],
  ["none", { "tokenizer_config.json": "{}" }, undefined],
])("%s", (_, files, expected) => {
  it("is served and exported alike", () => {
    const path = tokenizer(files);
    const served = chatTemplate(JSON.parse(tokenizerText(path, undefined)!), "Small");
    const messages = [{ role: "user", content: "hi" }];
    expect(served.source).toBe(expected === undefined ? "default" : "model");
    if (expected !== undefined) expect(served.render(messages)).toBe(`${expected}: hi`);
    expect(openTokenizerSource(path, {}).chatTemplate).toBe(expected === undefined ? undefined : text(expected));
  });
});

it("gives templates the special tokens that the config names", () => {
  const path = tokenizer({
    "tokenizer_config.json": JSON.stringify({
      pad_token: { content: "<pad>" },
      chat_template: "{{ pad_token }}{{ eos_token }}|",
    }),
  });
  expect(chatTemplate(JSON.parse(tokenizerText(path, undefined)!), "Small").render([])).toBe("<pad>|");
});
