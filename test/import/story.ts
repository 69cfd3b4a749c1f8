/** What a user does with a checkpoint, one command after the other, and what comes of it. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCli } from "../../cli/program.js";
import { hfConfig, hfTensors } from "../../compiler/checkpoints/families/index.js";
import { writeSafetensors } from "../../compiler/checkpoints/index.js";
import { moec, silentIo } from "../cli/io.js";
import { configs, ggufBytes, testValues } from "./configs.js";
import { deepGgufFamilies, designGguf, exportedDesigns, ggufFamilies } from "./design-gguf.js";
import { designConfigs, designTensors, type Json } from "./designs.js";
import { sentencePieceTokenizer, writeFolder } from "./hf-folder.js";

/** A family's checkpoint in both formats. */
export interface StoryModel {
  readonly config: Json;
  readonly safetensors: () => Uint8Array;
  /**
   * The same numbers: by `moec export`, or as bytes where it does not write the family; absent where GGUF has no name for
   * it.
   */
  readonly gguf?: "exported" | (() => Uint8Array);
}

function ofDesign(config: Json): StoryModel {
  const safetensors = (): Uint8Array => {
    const tensors = designTensors(config).map(({ name, shape, values }) => ({
      name,
      shape,
      type: "f32" as const,
      data: () => new Uint8Array(values.buffer),
    }));
    return writeSafetensors({ tensors });
  };
  return { config, safetensors };
}

const named = (name: string): StoryModel => ofDesign(designConfigs[name]!);

/** llama.cpp knows it by its 27 layers; here fewer do. */
const lite = deepGgufFamilies["deepseek-v2-lite"]!;

const isExported = (name: string): boolean => exportedDesigns.some(([exported]) => exported === name);

/** Every family, by the name that the page has for it. */
export const storyModels: Readonly<Record<string, StoryModel>> = {
  ...Object.fromEntries(
    Object.entries(configs).map(([name, config]): [string, StoryModel] => [
      name,
      {
        config: hfConfig(config),
        safetensors: () => writeSafetensors({ tensors: hfTensors(config, testValues, "f32") }),
        gguf: config.family === "bert" ? () => ggufBytes(config) : "exported",
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(ggufFamilies).map(([name, family]): [string, StoryModel] => [
      name,
      { ...ofDesign(family.config), gguf: isExported(name) ? "exported" : () => designGguf(family) },
    ]),
  ),
  "deepseek-v2-lite": {
    ...named("deepseek-v2-lite"),
    gguf: () => designGguf({ ...lite, config: designConfigs["deepseek-v2-lite"]! }),
  },
  "pangu-pro-moe": named("pangu-pro-moe"),
  jetmoe: named("jetmoe"),
};

/** What was reached: a word, or the code that refused it. */
export type Reached = "yes" | "-" | `MOE${number}` | `exit ${number}`;

/** Columns of the table. */
export const STEPS = ["check", "verify", "text", "native", "GGUF", "q8_0", "q4_0", "ONNX", "chat"] as const;
export type Outcome = Readonly<Record<(typeof STEPS)[number], Reached>>;

const PROMPT = "quick brown fox";
const TEXT = ["-t", "0", "-n", "8", "--threads", "1", "--json"];

export interface StoryOptions {
  /** A folder of its own. */
  readonly cwd: string;
  /** Native code can be made and run here; undefined: it is not asked. */
  readonly native: boolean;
  /** Told what a command said that did not end well. */
  readonly onFailure: (text: string) => void;
}

/** Imports the checkpoint and does with it what can be done. */
export async function story({ config, safetensors, gguf }: StoryModel, options: StoryOptions): Promise<Outcome> {
  const { cwd, native, onFailure } = options;
  const tokenizer = sentencePieceTokenizer(Number(config["vocab_size"]));
  writeFolder(join(cwd, "source"), config, safetensors(), tokenizer);
  if (typeof gguf === "function") writeFileSync(join(cwd, "model.gguf"), gguf());
  const isEncoder = config["model_type"] === "bert";

  const run = async (...args: readonly string[]): Promise<{ readonly reached: Reached; readonly out: string }> => {
    const { code, out, err } = await moec(args, { cwd });
    if (code === 0) return { reached: "yes", out };
    onFailure(`moec ${args.join(" ")}: ${err}${out}`);
    return { reached: (/MOE\d+/.exec(err + out)?.[0] ?? `exit ${code}`) as Reached, out };
  };
  const text = async (...args: readonly string[]): Promise<{ reached: Reached; ids: readonly number[] }> => {
    if (isEncoder) return { reached: "-", ids: [] };
    const { reached, out } = await run(...args, ...TEXT);
    return { reached, ids: reached === "yes" ? (JSON.parse(out) as { ids: number[] }).ids : [] };
  };
  /** The same tokens, or what is in the way. */
  const same = (one: { reached: Reached; ids: readonly number[] }, ids: readonly number[]): Reached => {
    if (one.reached !== "yes" || one.ids.join() === ids.join()) return one.reached;
    onFailure(`other tokens: ${one.ids.join()} in place of ${ids.join()}`);
    return "exit 1";
  };
  const all = async (commands: readonly (readonly string[])[]): Promise<Reached> => {
    for (const command of commands) {
      const { reached } = await run(...command);
      if (reached !== "yes") return reached;
    }
    return "yes";
  };
  const f32 = ["--quantization", "f32"];

  const check = await all([
    ["import", "source", "--out", "made"],
    ["check", "made", "--warnings-as-errors"],
    ["fmt", "made", "--check"],
    ["inspect", "made", "--cost"],
  ]);
  const verify = (await run("verify", "made", ...f32, "--tokens", "6", "--threads", "1")).reached;
  const written = await text("run", "made", PROMPT, ...f32);
  const quantized = async (format: string): Promise<Reached> => {
    const built = await run("build", "made", "--quantization", format, "--out", format);
    return isEncoder || built.reached !== "yes" ? built.reached : (await text("generate", format, PROMPT)).reached;
  };
  const fromGguf = async (): Promise<Reached> => {
    if (!gguf) return "-";
    const read = await all([
      ...(gguf === "exported" ? [["export", "made", "-o", "model.gguf"]] : []),
      ["import", "model.gguf", "--out", "again"],
      ["check", "again", "--warnings-as-errors"],
      ...(isEncoder ? [["build", "again"]] : []),
    ]);
    return read !== "yes" || isEncoder ? read : same(await text("run", "again", PROMPT, ...f32), written.ids);
  };
  const onNative = async (): Promise<Reached> =>
    isEncoder
      ? (await run("verify", "made", ...f32, "--tokens", "6", "--device", "native", "--threads", "1")).reached
      : same(await text("run", "made", PROMPT, ...f32, "--device", "native"), written.ids);
  const onnx = await run("export", "made", "-o", "model.onnx");
  return {
    check,
    verify,
    text: written.reached,
    native: native ? await onNative() : "-",
    GGUF: await fromGguf(),
    q8_0: await quantized("q8_0"),
    q4_0: await quantized("q4_0"),
    ONNX: onnx.reached === "yes" && !existsSync(join(cwd, "model.onnx")) ? "exit 1" : onnx.reached,
    chat: isEncoder ? "-" : await chat(cwd, ["serve", "made", ...f32, "--threads", "1"], onFailure),
  };
}

/** One request of the OpenAI API to a served model. */
async function chat(cwd: string, args: readonly string[], onFailure: StoryOptions["onFailure"]): Promise<Reached> {
  const end = new AbortController();
  let out = "";
  let err = "";
  let ready: (url: string) => void;
  const url = new Promise<string>((resolve) => (ready = resolve));
  const ended = runCli([...args, "--port", "0", "--json"], {
    ...silentIo({ cwd }),
    signal: end.signal,
    out: (piece) => {
      out += piece;
      const found = /"url": "(.*?)"/.exec(out);
      if (found) ready(found[1]!);
    },
    err: (piece) => {
      err += piece;
    },
  });
  const place = await Promise.race([url, ended]);
  if (typeof place !== "string") {
    onFailure(err + out);
    return (/MOE\d+/.exec(err + out)?.[0] ?? `exit ${place}`) as Reached;
  }
  try {
    const body = { messages: [{ role: "user", content: PROMPT }], max_tokens: 4, temperature: 0 };
    const answer = await fetch(new URL("v1/chat/completions", place), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answer.text();
    if (answer.status === 200 && /"completion_tokens":\s*[1-9]/.test(said)) return "yes";
    onFailure(said);
    return (/MOE\d+/.exec(said)?.[0] ?? "exit 1") as Reached;
  } finally {
    end.abort();
    await ended;
  }
}
