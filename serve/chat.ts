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
  /** Why it does not parse; it renders nothing then. */
  readonly mistake?: string;
  /** @throws MoecError MOE5524 when the template refuses the conversation, MOE5525 when it does not parse. */
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

/**
 * @param tokenizer The bundle's tokenizer file, parsed.
 * @param name Of the model, for messages.
 */
export function chatTemplate(tokenizer: unknown, name: string): ChatTemplate {
  const config = configOf(tokenizer);
  const source = config["chat_template"];
  if (typeof source !== "string") return TRANSCRIPT;
  const template = parsed(source);
  if (typeof template === "string") return refusing(name, template);
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

/** The template, or why it is none. */
function parsed(source: string): Template | string {
  try {
    return new Template(source);
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * A prompt of another form than the model was trained on would give worse answers to callers who can't see why. Everything
 * but chats does without a template.
 */
function refusing(name: string, mistake: string): ChatTemplate {
  return {
    source: "model",
    mistake,
    render: () => {
      throw moecError("MOE5525", { name, reason: mistake });
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
