/** The page of the graph: shows the picture that it is sent, says which box was chosen, marks boxes of a line. */
const host = acquireVsCodeApi();
const place = document.getElementById("graph");
const problem = document.getElementById("problem");
/** Pixels for each of the drawing; undefined fits the width. */
let scale;

function resize() {
  for (const drawing of place.querySelectorAll("svg.graph")) {
    const [, , width, height] = drawing.getAttribute("viewBox").split(" ").map(Number);
    const factor = scale ?? Math.min(1, (place.clientWidth - 24) / width);
    drawing.setAttribute("width", width * factor);
    drawing.setAttribute("height", height * factor);
  }
}

function zoom(factor) {
  const drawing = place.querySelector("svg.graph");
  if (!drawing) return;
  const now = drawing.clientWidth / Number(drawing.getAttribute("viewBox").split(" ")[2]);
  scale = Math.min(4, Math.max(0.1, now * factor));
  resize();
}

function choose(target) {
  const box = target.closest("[data-uri]");
  if (!box) return;
  const { uri, line, character } = box.dataset;
  host.postMessage({ uri, line: Number(line), character: Number(character) });
}

/** Frames begin at the line of what they repeat, so of several boxes the smallest is meant. */
function mark({ uri, line }) {
  for (const box of place.querySelectorAll(".here")) box.classList.remove("here");
  const found = [...place.querySelectorAll("[data-uri]")].filter(
    (box) => box.dataset.uri === uri && Number(box.dataset.line) === line,
  );
  for (const box of found) box.classList.add("here");
  found[0]?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

window.addEventListener("message", ({ data }) => {
  if (data.svg !== undefined) {
    place.innerHTML = data.svg;
    problem.textContent = "";
    place.classList.remove("old");
    resize();
  } else if (data.problem !== undefined) {
    problem.textContent = data.problem;
    place.classList.add("old");
  } else mark(data);
});
place.addEventListener("click", ({ target }) => choose(target));
place.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") choose(event.target);
  if (event.key === "+") zoom(1.25);
  if (event.key === "-") zoom(0.8);
});
place.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
  },
  { passive: false },
);
document.getElementById("in").onclick = () => zoom(1.25);
document.getElementById("out").onclick = () => zoom(0.8);
document.getElementById("fit").onclick = () => {
  scale = undefined;
  resize();
};
window.addEventListener("resize", resize);
host.postMessage("ready");
