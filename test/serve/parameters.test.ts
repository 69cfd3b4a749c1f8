/** What is said of a parameter that is wrong: its place, and what to do. */
import { expect, it } from "vitest";
import { readChat, readCompletion, readEmbeddings } from "../../serve/api/parameters.js";

const user = (content: unknown) => ({ messages: [{ role: "user", content }] });

it.each([
  [
    "a bias",
    () => readCompletion({ prompt: "a", logit_bias: { "5": 1 } }),
    "`logit_bias`: this server can't carry it out",
  ],
  [
    "a tool",
    () => readChat({ ...user("a"), tools: [{ type: "function" }] }),
    "`tools`: this server can't carry it out",
  ],
  [
    "JSON",
    () => readChat({ ...user("a"), response_format: { type: "json_object" } }),
    "`response_format`: this server",
  ],
  ["an image", () => readChat(user([{ type: "image_url", image_url: {} }])), '`messages.0.content.0.type`: .*"text"'],
  ["a number as content", () => readChat(user(7)), "`messages.0.content`: invalid input"],
  ["an unknown name", () => readCompletion({ prompt: "a", grammar: "" }), "`grammar`: this server does not know it"],
  [
    "an unknown name inside",
    () => readChat({ ...user("a"), stream_options: { usage: true } }),
    "`stream_options.usage`: ",
  ],
  ["an id below 0", () => readEmbeddings({ input: [3, -1] }), "`input.1`: "],
  ["no object", () => readCompletion("a"), "`body`: "],
])("%s", (_, read, said) => {
  expect(read).toThrow(new RegExp(`^${said}`));
});
