/** Loads a bundle and writes text from a prompt: the body of `run` and `generate`. */
import { resourceUsage } from "node:process";
import { deviceText, whyNotText } from "../runtime/device-text.js";
import type { GenerationStep, Model } from "../runtime/node/index.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { loadBundle } from "./load-bundle.js";
import { samplingOf, type TextOptions } from "./options.js";
import type { Shell } from "./shell.js";
import { expertMap, mapTitle } from "./show/expert-map.js";
import { joinedRoutes } from "./show/joined-routes.js";
import { printable } from "./show/printable.js";
import { bytesText, timeText } from "./show/units.js";

/** Streams a continuation of `prompt`, then says how fast it was and what it took. */
export async function writeText(
  shell: Shell,
  folder: string,
  prompt: string,
  options: TextOptions,
  echo: boolean,
): Promise<ExitCode> {
  const { palette } = shell;
  const loadStart = performance.now();
  using model = await loadBundle(shell, folder, options);
  const loadTime = performance.now() - loadStart;
  const steps: GenerationStep[] = [];
  const read: number[] = [];
  const chosen: number[] = [];
  let prefill = 0;
  let last = performance.now();
  const start = last;
  const shown = shell.io.outIsTerminal ? printable : (piece: string): string => piece;
  if (echo) shell.stream(palette.dim(shown(prompt)));
  let text = "";
  const pieces = model.generate(prompt, {
    ...samplingOf(options),
    signal: shell.io.signal,
    trace: options.trace ?? false,
    onStep: (step) => {
      read.push(...step.read);
      chosen.push(step.chosen);
      if (options.trace === true) steps.push(step);
      last = performance.now();
      if (chosen.length === 1) prefill = last - start;
    },
  });
  for await (const piece of pieces) {
    text += piece;
    shell.stream(shown(piece));
  }
  shell.say();
  const decodeTime = last - start - prefill;
  const rate = chosen.length > 1 && decodeTime > 0 ? ((chosen.length - 1) * 1000) / decodeTime : 0;
  const promptTokens = read.length - Math.max(0, chosen.length - 1);
  const speed = {
    promptTokens,
    tokens: chosen.length,
    loadMilliseconds: loadTime,
    promptMilliseconds: prefill,
    tokensPerSecond: rate,
  };
  const memory = { model: model.manifest.memory.peak, device: model.report.memoryBytes, process: processPeak() };
  const routes = joinedRoutes(steps);
  if (options.trace === true && routes.length === 0) {
    const why = steps.length === 0 ? "No token was read" : "The model chooses no experts";
    shell.note(`${why}: there are no routes to show.`);
  }
  if (options.trace === true && routes.length > 0 && !shell.json) {
    shell.say();
    // Above columns that are no tokens the text would stand wrong.
    const names = routes.every(({ byToken }) => byToken) ? read.map((id) => model.tokenizer.decode([id])) : [];
    shell.say(palette.dim(mapTitle(routes)));
    const map = expertMap(routes, names, { colors: palette.accent("x") !== "x", columns: shell.io.columns });
    for (const line of map) shell.say(line);
  }
  shell.note("");
  for (const line of summary(shell, model, speed, memory)) shell.note(line);
  const traced = routes.map(({ index, weight, ...rest }) => ({ ...rest, index: [...index], weight: [...weight] }));
  const device = model.report;
  shell.result(true, {
    prompt,
    text,
    ids: chosen,
    speed,
    memory,
    device,
    ...(options.trace ? { routes: traced } : {}),
  });
  return EXIT.ok;
}

/** Largest resident set of this process so far, in bytes. */
function processPeak(): number {
  return resourceUsage().maxRSS * 1024;
}

interface Speed {
  readonly promptTokens: number;
  readonly tokens: number;
  readonly promptMilliseconds: number;
  readonly tokensPerSecond: number;
  readonly loadMilliseconds: number;
}

function summary(
  shell: Shell,
  model: Model,
  speed: Speed,
  memory: { readonly model: number; readonly process: number },
): readonly string[] {
  const { dim, strong } = shell.notePalette;
  const { report } = model;
  const line = (label: string, text: string): string => `${dim(label.padEnd(8))}${text}`;
  return [
    line("speed", `${strong(`${speed.tokensPerSecond.toFixed(0)} tokens/s`)}, ${dim(describePrompt(speed))}`),
    line("memory", `${bytesText(memory.model)} for the model, ${bytesText(memory.process)} peak of the process`),
    line("device", deviceText(report)),
    ...whyNotText(report).map((why) => line("", why)),
  ];
}

function describePrompt({ promptTokens, promptMilliseconds, tokens, loadMilliseconds }: Speed): string {
  const prompt = `prompt of ${promptTokens} in ${timeText(promptMilliseconds)}`;
  return `${tokens} written, ${prompt}, loaded in ${timeText(loadMilliseconds)}`;
}
