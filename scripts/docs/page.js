/* global localStorage, matchMedia, navigator, window, addEventListener */
// Search, copy and theme of every page. The index comes from search-index.js, so pages work without a server.
const root = document.documentElement;
const kept = localStorage.getItem("theme");
if (kept) root.dataset.theme = kept;
document.querySelector("#theme").addEventListener("click", () => {
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});
for (const block of document.querySelectorAll("pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 1200);
  });
  block.append(button);
}
const input = document.querySelector("#search");
const hits = document.querySelector(".hits");
const found = document.querySelector("#found");
const base = document.body.dataset.base;
let at = -1;
const words = (text) => text.toLowerCase().match(/\d{4}\.\d{4,5}|[\p{L}\p{N}]+/gu) ?? [];
function show() {
  const wanted = words(input.value);
  at = -1;
  hits.replaceChildren();
  found.textContent = "";
  if (wanted.length === 0) return;
  const scored = window.searchIndex
    .map((entry) => {
      let score = 0;
      for (const word of wanted) {
        const name = entry.name.toLowerCase();
        const own = name === word ? 20 : name.startsWith(word) ? 10 : name.includes(word) ? 5 : 0;
        const rest = entry.text.includes(` ${word}`) ? 2 : entry.text.includes(word) ? 1 : 0;
        if (own + rest === 0) return { entry, score: 0 };
        score += own + rest;
      }
      return { entry, score };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 14);
  for (const { entry } of scored) {
    const link = document.createElement("a");
    link.href = base + entry.href;
    const title = document.createElement("b");
    title.textContent = entry.name;
    const about = document.createElement("small");
    about.textContent = entry.about;
    link.append(title, about);
    hits.append(link);
  }
  found.textContent = scored.length === 0 ? "nothing found" : `${scored.length} found, arrow keys choose`;
}
input.addEventListener("input", show);
input.addEventListener("keydown", (event) => {
  const links = [...hits.children];
  if (event.key === "Escape") {
    input.value = "";
    show();
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    at = Math.min(links.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)));
    event.preventDefault();
  }
  if (event.key === "Enter") (links[at] ?? links[0])?.click();
  links.forEach((link, i) => link.classList.toggle("at", i === at));
  if (at >= 0 && links[at]) {
    links[at].scrollIntoView({ block: "nearest" });
    found.textContent = `${links[at].textContent}, ${at + 1} of ${links.length}`;
  }
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search")) hits.replaceChildren();
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.focus();
  }
});
// Of a hundred pages in the contents the one that is shown lies in sight; the page itself stays where it is.
const here = document.querySelector("nav .here");
const contents = here?.closest("nav");
if (contents && contents.scrollHeight > contents.clientHeight) {
  contents.scrollTop = here.offsetTop - contents.offsetTop - contents.clientHeight / 3;
}
