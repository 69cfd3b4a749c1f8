/** From a conversation to a prompt, by the chat template that came with the tokenizer. */
import { Template } from "@huggingface/jinja";
import { moecError } from "../compiler/errors/raise.js";
import { reasonOf } from "../compiler/errors/reason.js";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatTemplate {
  /** Where the template is from, for people. */
  readonly source: "model" | "default";
  /** @throws MoecError MOE5524 when the template refuses the conversation. */
  render(messages: readonly ChatMessage[]): string;
}

/** For models without a template: a transcript, and the beginning of the answer. `docs/serve.md` shows it. */
const TRANSCRIPT: ChatTemplate = {
  source: "default",
  render: (messages) => {
    const lines = messages.map(({ role, content }) => (role === "system" ? content : `${role}: ${content}`));
    return `${[...lines, "assistant:"].join("\n")}`;
  },
};

/** @param tokenizer The bundle's tokenizer file, parsed. */
export function chatTemplate(tokenizer: unknown): ChatTemplate {
  const config = configOf(tokenizer);
  const source = config["chat_template"];
  if (typeof source !== "string") return TRANSCRIPT;
  const template = new Template(source);
  const named = ["bos_token", "eos_token", ...Object.keys(config).filter((name) => name.endsWith("_token"))];
  const tokens = Object.fromEntries(named.map((name) => [name, tokenText(config[name])]));
  return {
    source: "model",
    render: (messages) => {
      try {
        return template.render({ messages, add_generation_prompt: true, ...tokens });
      } catch (error) {
        throw moecError("MOE5524", { reason: reasonOf(error) });
      }
    },
  };
}

function configOf(tokenizer: unknown): Readonly<Record<string, unknown>> {
  const config = (tokenizer as { readonly config?: unknown } | undefined)?.config;
  const value: unknown = typeof config === "string" ? JSON.parse(config) : config;
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function tokenText(token: unknown): string {
  if (typeof token === "string") return token;
  const content = (token as { readonly content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : "";
}
