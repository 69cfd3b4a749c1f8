/** The page: an editor on a language server in a worker, a lesson beside it, and what the compiler makes of the text. */
import MarkdownIt from "markdown-it";
import { titleOf, type Lesson, type Verdict } from "../core/lesson.js";
import { lessons } from "./lessons.js";
import { showResults } from "./results.js";
import { ServerClient } from "./server-client.js";
import { packed, unpacked } from "./share.js";

export const FILE = "file:///playground.moe";

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const status = element("status");
const picker = element<HTMLSelectElement>("lesson");
const guide = element("guide");
const markdown = new MarkdownIt();

let lesson: Lesson = lessons[0]!;
for (const [i, each] of lessons.entries()) picker.add(new Option(`${i + 1}. ${titleOf(each)}`, each.id));

/** `#lesson=05-router` or `#code=…`, or both. */
async function fromAddress(): Promise<string> {
  const hash = new URLSearchParams(location.hash.slice(1));
  lesson = lessons.find(({ id }) => id === hash.get("lesson")) ?? lessons[0]!;
  const code = hash.get("code");
  return (code === null ? undefined : await unpacked(code)) ?? lesson.start;
}

function showLesson(editor: { setValue(text: string): void }, client: ServerClient, written: () => string): void {
  picker.value = lesson.id;
  guide.innerHTML = markdown.render(lesson.text);
  const buttons = document.createElement("div");
  buttons.className = "buttons";
  const verdict = document.createElement("p");
  verdict.id = "verdict";
  verdict.setAttribute("role", "status");
  const button = (label: string, run: () => void, main = false): void => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    if (main) made.className = "main";
    made.onclick = run;
    buttons.append(made);
  };
  const check = async (): Promise<void> => {
    verdict.textContent = "Checking…";
    const found = await client.request<Verdict>("playground/judge", { lesson, written: written() });
    verdict.className = found.done ? "done" : "open";
    verdict.textContent = found.done ? "Done: the checker agrees." : (found.problems[0] ?? "Not yet.");
  };
  button("Check my answer", () => void check(), true);
  button("Show a solution", () => editor.setValue(lesson.solution));
  button("Start again", () => editor.setValue(lesson.start));
  const next = lessons[lessons.indexOf(lesson) + 1];
  if (next) {
    button("Next lesson", () => {
      picker.value = next.id;
      picker.dispatchEvent(new Event("change"));
    });
  }
  guide.append(buttons, verdict);
}

async function start(): Promise<void> {
  const text = await fromAddress();
  const client = new ServerClient();
  const { createEditor } = await import("./editor.js");
  const root = { processId: null, rootUri: null, capabilities: {} };
  const { capabilities } = await client.request<{ capabilities: object }>("initialize", root);
  client.notify("initialized", {});
  const editor = createEditor(element("editor"), element("problems"), client, capabilities, FILE, text);
  const written = (): string => editor.getValue();
  showLesson(editor, client, written);
  showResults(element("tabs"), element("panel"), client, FILE, editor);
  picker.onchange = () => {
    lesson = lessons.find(({ id }) => id === picker.value) ?? lesson;
    history.replaceState(null, "", `#lesson=${lesson.id}`);
    editor.setValue(lesson.start);
    showLesson(editor, client, written);
  };
  element("share").onclick = async () => {
    history.replaceState(null, "", `#lesson=${lesson.id}&code=${await packed(written())}`);
    try {
      await navigator.clipboard.writeText(location.href);
      status.textContent = "The address of this text is copied.";
    } catch {
      // Without leave to write to the clipboard the address bar has it.
      status.textContent = "The address bar has this text now.";
    }
  };
  status.textContent = "Ready";
  document.body.dataset["ready"] = "true";
}

void start();
