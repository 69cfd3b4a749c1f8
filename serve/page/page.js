/**
 * The page of `moec serve`: asks for text, shows it as it comes, and draws which expert took which token in each layer.
 * A column is a token, a row is a layer; a cell is cut by the weights of the experts that took the token there.
 */
const at = (id) => document.getElementById(id);
const CELL = 13;
const GAP = 2;
const SVG = "http://www.w3.org/2000/svg";
/** Colours of more experts than this repeat; the number is said in words. */
const COLORS = 48;
const LEGEND = 64;

let stopWriting;
/** Tokens in order: `{ text, layers, isPrompt }`. */
let tokens = [];
/** Place in the text of the first token that has experts: those before it were in the caches. */
let first = 0;
/** Names of the layers, as the spec calls their experts. */
let names = [];
let shares = [];
let chosen = -1;
/** Tokens that a text may have, its prompt included. */
let context = Infinity;

function headers() {
  const key = at("key").value;
  return { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) };
}

async function problemOf(response) {
  const body = await response.json().catch(() => undefined);
  const error = body?.error ?? { message: `the server answered ${response.status}`, code: "" };
  if (response.status === 401) {
    at("key-field").hidden = false;
    at("key").focus();
  }
  return `${error.message}${error.code ? ` (${error.code})` : ""}`;
}

function say(problem) {
  at("problem").hidden = problem === undefined;
  at("problem").textContent = problem ?? "";
}

/** Browsers say a lost server as a TypeError in words of their own. */
function broken(error) {
  if (error instanceof TypeError) return "The server can't be reached. Is moec serve still running?";
  return `The connection broke: ${error.message}`;
}

const number = (value, digits = 0) => value.toLocaleString("en", { maximumFractionDigits: digits });

async function describe() {
  const response = await fetch("moec/model", { headers: headers() });
  if (!response.ok) return say(await problemOf(response));
  show(await response.json());
}

function show(model) {
  const { report, parameters, memory, devices, device, whyNot } = model;
  const count = Object.values(parameters).reduce((sum, one) => sum + one, 0);
  const formats = Object.keys(parameters).join(", ");
  document.title = `${model.name} · moec`;
  at("name").textContent = model.name;
  context = model.context ?? Infinity;
  at("facts").textContent = [
    `${number(count / 1e6, 1)} M parameters (${formats})`,
    `${number(memory.peak / 2 ** 20, 1)} MiB`,
    ...(context === Infinity ? [] : [`context ${number(context)}`]),
    [device, ...whyNot].join("; "),
  ].join(" · ");
  showDevices(devices, report.device);
  at("write").disabled = !model.writes;
  if (!model.writes) {
    say("This model writes no text; ask POST /v1/embeddings for vectors.");
  }
}

function showDevices(devices, current) {
  at("device-field").hidden = devices.length < 2;
  const options = devices.map((name) => {
    const option = document.createElement("option");
    option.textContent = name;
    option.selected = name === current;
    return option;
  });
  at("device").replaceChildren(...options);
}

/** The server waits for texts that are being written, loads the model anew, and says what it runs on. */
async function changeDevice() {
  say(undefined);
  at("device").disabled = true;
  at("write").disabled = true;
  at("facts").textContent = `loading on ${at("device").value}…`;
  try {
    const body = JSON.stringify({ device: at("device").value });
    const response = await fetch("moec/device", { method: "POST", headers: headers(), body });
    if (!response.ok) {
      const problem = await problemOf(response);
      await describe();
      return say(problem);
    }
    show(await response.json());
  } catch (error) {
    at("write").disabled = false;
    say(broken(error));
  } finally {
    at("device").disabled = false;
  }
}

async function* events(response) {
  const decoder = new TextDecoderStream();
  const reader = response.body.pipeThrough(decoder).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) yield JSON.parse(part.slice(6));
  }
}

/** What stands for the speed until there is a token. */
const READING = "reading the prompt…";

async function write() {
  const abort = new AbortController();
  stopWriting = () => abort.abort();
  say(undefined);
  reset();
  at("write").disabled = true;
  at("stop").disabled = false;
  at("text").ariaBusy = "true";
  const prompt = at("prompt").value;
  const seed = at("seed").value;
  const body = {
    prompt,
    maxTokens: Number(at("tokens").value),
    temperature: Number(at("temperature").value),
    ...(seed === "" ? {} : { seed: Number(seed) }),
  };
  at("speed").textContent = READING;
  const begun = performance.now();
  let count = 0;
  let isDone = false;
  try {
    const response = await fetch("moec/write", {
      method: "POST",
      headers: headers(),
      body: JSON.stringify(body),
      signal: abort.signal,
    });
    if (!response.ok) return say(await problemOf(response));
    append(prompt, "prompt");
    for await (const event of events(response)) {
      if (event.error) return say(`${event.error.message} (${event.error.code})`);
      if (event.done) {
        isDone = true;
        at("speed").textContent =
          `${number(event.tokensPerSecond)} tokens/s · ${event.tokens} written · ` +
          `prompt of ${event.promptTokens} in ${number(event.promptMilliseconds)} ms · ${whyEnded(event, body)}`;
        continue;
      }
      names = event.layers ?? names;
      first = event.first ?? first;
      append(event.piece);
      add(event.tokens);
      count += event.tokens.length;
      at("speed").textContent = `${number(count / ((performance.now() - begun) / 1000))} tokens/s`;
    }
    if (!isDone) say("The server ended before the text did. Is moec serve still running?");
  } catch (error) {
    if (error.name === "AbortError") {
      at("speed").textContent = count === 0 ? "stopped" : `${at("speed").textContent} · stopped`;
    } else say(broken(error));
  } finally {
    if (at("speed").textContent === READING) at("speed").textContent = "";
    at("write").disabled = false;
    at("stop").disabled = true;
    at("text").ariaBusy = "false";
    stopWriting = undefined;
  }
}

function whyEnded({ reason, tokens }, { maxTokens }) {
  if (reason === "stop") return "the model ended it";
  if (tokens < maxTokens) return `the context of ${number(context)} tokens is full`;
  return "all tokens that were asked for";
}

/** Who has not scrolled away from the end of the text stays there. */
function append(piece, kind) {
  const text = at("text");
  const isAtEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 4;
  const span = document.createElement("span");
  span.textContent = piece;
  if (kind) span.className = kind;
  text.append(span);
  if (isAtEnd) text.scrollTop = text.scrollHeight;
}

function reset() {
  tokens = [];
  names = [];
  first = 0;
  shares = [];
  chosen = -1;
  at("text").textContent = "";
  at("speed").textContent = "";
  at("map").textContent = "";
  at("layers").textContent = "";
  at("legend").textContent = "";
  at("experts").hidden = true;
  at("told").textContent = "Point at a token, or use the arrow keys in the picture.";
}

function color(expert) {
  // Neighbouring numbers get hues far apart: the golden angle.
  return `hsl(${(expert % COLORS) * 137.508} var(--expert-strength) var(--expert-light))`;
}

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Adds columns to the picture. */
function add(more) {
  const layers = names.length;
  if (layers === 0 || more.length === 0) return;
  at("experts").hidden = false;
  let svg = at("map").querySelector("svg");
  const height = layers * (CELL + GAP);
  if (!svg) {
    svg = make("svg", {});
    at("map").append(svg);
  }
  // Tokens behind a prompt may have layers that it has not.
  if (at("layers").childElementCount !== layers) {
    svg.setAttribute("height", height + 2);
    at("layers").replaceChildren(...shortNames().map((short, layer) => layerName(short, names[layer])));
  }
  for (const token of more) {
    const column = tokens.length;
    tokens.push(token);
    const x = column * (CELL + GAP) + 1;
    const group = make("g", { "data-column": column });
    group.append(make("rect", { class: "column", x: x - 1, y: 0, width: CELL + 2, height, rx: 2 }));
    token.layers.forEach((taken, layer) => {
      const whole = taken.reduce((sum, [, weight]) => sum + Math.abs(weight), 0) || 1;
      let y = layer * (CELL + GAP);
      for (const [expert, weight] of taken) {
        const size = (Math.abs(weight) / whole) * CELL;
        group.append(make("rect", { x, y, width: CELL, height: size, fill: color(expert) }));
        y += size;
        shares[expert] = (shares[expert] ?? 0) + 1;
      }
    });
    svg.append(group);
  }
  svg.setAttribute("width", tokens.length * (CELL + GAP) + 1);
  at("map").ariaLabel = `Experts of ${tokens.length} tokens in ${layers} layers`;
  const kept =
    first === 1 ? "; the first token was read before" : `; the first ${number(first)} tokens were read before`;
  at("experts-note").textContent = `a column is a token, a row a layer, a colour an expert${first === 0 ? "" : kept}`;
  at("map").scrollLeft = at("map").scrollWidth;
  legend();
}

/** Names without what all of them end with: `layers.3` of `layers.3.moe.experts`. */
function shortNames() {
  const parts = names.map((name) => name.split("."));
  const isShared = (back) => parts.every((own) => own.length > back && own.at(-back) === parts[0].at(-back));
  let back = 0;
  while (names.length > 1 && isShared(back + 1)) back++;
  return parts.map((own) => own.slice(0, own.length - back).join("."));
}

/** A short name beside its row; what does not fit is cut at its start, for the ends tell layers apart. */
function layerName(short, name) {
  const item = document.createElement("div");
  const text = document.createElement("bdi");
  text.textContent = short;
  item.append(text);
  item.title = name;
  return item;
}

function legend() {
  const all = shares.reduce((sum, count) => sum + (count ?? 0), 0);
  const entries = [...shares.entries()].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  const items = entries.slice(0, LEGEND).map(([expert, count]) => {
    const item = document.createElement("li");
    const swatch = make("svg", { width: 10, height: 10, "aria-hidden": "true" });
    swatch.append(make("rect", { width: 10, height: 10, rx: 2, fill: color(expert) }));
    item.append(swatch, `expert ${expert}: ${number((100 * count) / all, 1)}%`);
    return item;
  });
  at("legend").replaceChildren(...items);
}

function choose(column) {
  if (tokens.length === 0) return;
  chosen = Math.max(0, Math.min(tokens.length - 1, column));
  for (const old of document.querySelectorAll(".column.chosen")) old.classList.remove("chosen");
  const group = at("map").querySelector(`[data-column="${chosen}"]`);
  group?.querySelector(".column").classList.add("chosen");
  const { text, layers } = tokens[chosen];
  const said = layers.map(
    (taken, layer) =>
      `${names[layer]}: ${taken.map(([expert, weight]) => `${expert} (${weight})`).join(" + ") || "none"}`,
  );
  at("told").textContent = `Token ${first + chosen}, ${JSON.stringify(text)}. ${said.join(", ")}`;
  group?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!at("write").disabled) void write();
});
at("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("ask").requestSubmit();
});
at("stop").addEventListener("click", () => stopWriting?.());
at("device").addEventListener("change", () => void changeDevice());
at("key").addEventListener("change", () => void describe());
// A finger that taps does not move.
for (const kind of ["pointermove", "pointerdown"]) {
  at("map").addEventListener(kind, (event) => {
    const group = event.target.closest?.("[data-column]");
    if (group) choose(Number(group.dataset.column));
  });
}
at("map").addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  if (!(event.key in steps)) return;
  event.preventDefault();
  choose(chosen + steps[event.key]);
});
void describe().catch((error) => say(broken(error)));
