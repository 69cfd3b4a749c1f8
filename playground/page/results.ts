/** The tabs beside the editor: the graph, a run, the tests, and the text of each target. */
import type { TestOutcome } from "../../editor/server/features/requests.js";
import type { Form } from "../../editor/server/kernels/emitted.js";
import type { Shown } from "../../editor/server/kernels/refusal.js";
import type { Editor } from "./editor.js";
import { ServerError, type ServerClient } from "./server-client.js";

type Tab = "picture" | "tests" | "run" | Form;
const TABS: readonly (readonly [Tab, string])[] = [
  ["picture", "Picture"],
  ["tests", "Tests"],
  ["run", "Run"],
  ["graph", "Graph"],
  ["optimized", "Optimized"],
  ["wgsl", "WGSL"],
  ["cuda", "CUDA"],
  ["llvm", "LLVM"],
  ["wasm", "Wasm"],
];

/** The code of "there is no model to build", which is no mistake in a lesson about experts. */
const NO_MODEL = "MOE2191";

/** Milliseconds after the last keystroke. */
const PAUSE = 400;

export function showResults(tabs: HTMLElement, panel: HTMLElement, client: ServerClient, uri: string, editor: Editor) {
  let current: Tab = "picture";
  let tokens = "1 2 3 4 5";
  let turn = 0;

  const pre = (text: string, className = ""): HTMLElement => {
    const made = document.createElement("pre");
    made.textContent = text;
    made.className = className;
    return made;
  };

  const result = ({ ok, text }: Shown): HTMLElement =>
    !ok && text.startsWith(NO_MODEL)
      ? pre("This text has no model yet, and only a model is built.\nThe last lessons have one.", "note")
      : pre(text, ok ? "" : "note");

  const picture = async (): Promise<readonly HTMLElement[]> => {
    const shown = await client.request<Shown>("playground/graph", { uri });
    if (!shown.ok) return [result(shown)];
    const made = document.createElement("div");
    made.innerHTML = shown.text;
    for (const box of made.querySelectorAll<SVGGElement>("[data-uri]")) {
      const go = (): void => {
        if (box.dataset["uri"] === uri) editor.goTo(Number(box.dataset["line"]), Number(box.dataset["character"]));
      };
      box.addEventListener("click", go);
      box.addEventListener("keydown", ({ key }) => {
        if (key === "Enter") go();
      });
    }
    return [made];
  };

  const tests = async (): Promise<readonly HTMLElement[]> => {
    const found = await client.request<readonly TestOutcome[]>("moec/runTests", { uri });
    if (found.length === 0) return [pre('No tests in this text. Write one: test "…" { assert … }', "note")];
    return found.map(({ name, passed, assertions, failures }) => {
      const why = failures.map(({ message, line }) => `\n    line ${line + 1}: ${message}`).join("");
      return pre(`${passed ? "✓" : "✗"} ${name} (${assertions} assertions)${why}`, passed ? "passed" : "failed");
    });
  };

  const run = async (): Promise<readonly HTMLElement[]> => {
    const label = document.createElement("label");
    label.textContent = "Tokens ";
    const input = document.createElement("input");
    input.value = tokens;
    input.onchange = () => {
      tokens = input.value;
      void show();
    };
    label.append(input);
    const ids = tokens
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    if (ids.length === 0 || ids.some((id) => !Number.isInteger(id) || id < 0)) {
      return [label, pre("Tokens are whole numbers from 0 on, with blanks between them.", "failed")];
    }
    return [label, result(await client.request<Shown>("playground/run", { uri, tokens: ids, seed: 1 }))];
  };

  const contents = async (tab: Tab): Promise<readonly HTMLElement[]> => {
    if (tab === "picture") return picture();
    if (tab === "tests") return tests();
    if (tab === "run") return run();
    return [result(await client.request<Shown>("playground/emitted", { uri, form: tab }))];
  };

  const show = async (): Promise<void> => {
    const own = ++turn;
    panel.setAttribute("aria-busy", "true");
    let made: readonly HTMLElement[];
    try {
      made = await contents(current);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      made = [pre(error.message, "failed")];
    }
    // What was asked for before the last keystroke is of no use any more.
    if (own !== turn) return;
    panel.replaceChildren(...made);
    panel.removeAttribute("aria-busy");
    panel.dataset["shown"] = current;
  };

  const buttons = TABS.map(([tab, label]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.id = `tab-${tab}`;
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", "panel");
    button.onclick = () => choose(tab);
    tabs.append(button);
    return [tab, button] as const;
  });
  function choose(tab: Tab): void {
    current = tab;
    for (const [each, button] of buttons) {
      button.setAttribute("aria-selected", String(each === tab));
      button.tabIndex = each === tab ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", `tab-${tab}`);
    void show();
  }
  tabs.onkeydown = ({ key }) => {
    const at = buttons.findIndex(([tab]) => tab === current);
    const places: Readonly<Record<string, number>> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    const next = places[key];
    if (next === undefined) return;
    const [tab, button] = buttons[(next + buttons.length) % buttons.length]!;
    choose(tab);
    button.focus();
  };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  editor.onChange(() => {
    clearTimeout(waiting);
    waiting = setTimeout(() => void show(), PAUSE);
  });
  choose("picture");
}
