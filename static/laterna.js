// All pages: pictures that come later, finding, keys, and where one is in a list of layers.
"use strict";
// Where something of w x h lies in a box of width x height (object-fit: contain): scale, left, top.
function fitted(width, height, w, h) {
  const scale = Math.min(width / w, height / h);
  return { scale, left: (width - w * scale) / 2, top: (height - h * scale) / 2 };
}

// A picture whose device is busy or starting answers 503: ask again when it says so.
async function retry(image) {
  const frame = image.closest(".frame, .pair");
  const address = image.getAttribute("src");
  const say = (words) => frame?.setAttribute("data-words", words);
  image.classList.add("late");
  say(document.getElementById("waiting-words").textContent);
  while (image.isConnected && image.getAttribute("src") === address) {
    let wait = 3;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (answer.ok) { image.src = address; return; }
      say((await answer.json()).error.message);
      if (!answer.headers.has("Retry-After")) return;
      wait = Number(answer.headers.get("Retry-After")) || wait;
    } catch { /* the server itself is away: ask again */ }
    await new Promise((go) => setTimeout(go, wait * 1000));
  }
}
function arrived(image) {
  if (image.classList.contains("late")) {
    image.classList.remove("late");
    image.closest(".frame, .pair")?.removeAttribute("data-words");
  }
}
document.addEventListener("error", (event) => event.target instanceof HTMLImageElement && retry(event.target), true);
document.addEventListener("load", (event) => event.target instanceof HTMLImageElement && arrived(event.target), true);
for (const image of document.images) if (image.hasAttribute("src") && image.complete && !image.naturalWidth && image.loading !== "lazy") retry(image);

// Finding: hide what does not have all the words; when they are cleared, the folds are as before.
const folds = new Map();
document.addEventListener("input", (event) => {
  const what = event.target.dataset?.filters;
  if (!what) return;
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const entry of document.querySelectorAll(what)) {
    if (entry.classList.contains("block")) continue;
    const said = `${entry.textContent} ${entry.querySelector("a")?.title ?? ""}`.toLowerCase();
    entry.hidden = !words.every((word) => said.includes(word));
    found += !entry.hidden;
  }
  for (const block of document.querySelectorAll(".layers .block")) {
    block.hidden = !block.querySelector("li:not([hidden])");
    const fold = block.querySelector("details");
    if (words.length) {
      if (!folds.has(fold)) folds.set(fold, fold.open);
      fold.open = true;
    } else if (folds.has(fold)) fold.open = folds.get(fold);
  }
  if (!words.length) { folds.clear(); markPlace(); }
  const none = event.target.parentElement.querySelector(".none");
  none.textContent = found ? "" : none.dataset.words;
});
function openFirst(find) {
  if (!find.value.trim()) return;
  const hits = [...document.querySelectorAll(find.dataset.filters)];
  hits.find((entry) => !entry.hidden && !entry.classList.contains("block"))?.querySelector("a")?.click();
}

// Where one is: the address in the list of layers.
function markPlace() {
  for (const link of document.querySelectorAll(".side .layers a")) {
    const here = location.pathname === link.pathname || location.pathname.startsWith(link.pathname + "/");
    if (!here) { link.removeAttribute("aria-current"); continue; }
    link.setAttribute("aria-current", "page");
    const block = link.closest("details");
    if (block) block.open = true;
    const list = link.closest(".layers");
    const top = link.getBoundingClientRect().top - list.getBoundingClientRect().top;
    if (top < 0 || top > list.clientHeight - 48) list.scrollTop += top - list.clientHeight / 2;
  }
}
markPlace();
document.addEventListener("htmx:after:swap", markPlace);

// After another layer or Back, the keys go to the sheet when there is one.
let toSheet = false;
window.addEventListener("popstate", () => { toSheet = true; });
document.addEventListener("htmx:after:swap", () => {
  const sheet = toSheet && document.getElementById("sheet");
  if (!sheet) return; // late numbers of the page that is left may be swapped first
  sheet.focus({ preventScroll: true });
  toSheet = false;
});
document.addEventListener("htmx:after:history:push", markPlace);

// A page that came after a while, in the place of "One moment", without the scripts in its head.
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("#graph") && typeof Tree === "undefined") location.reload();
});

// Keys.
function showKeys() { document.getElementById("keys").showModal(); }
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) showKeys();
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
// A key without Ctrl, Alt or Command; but many keyboards need AltGr, or Option on a Mac, for [ and ].
function plain(event) {
  if (event.getModifierState("AltGraph")) return true;
  const bracket = event.key === "[" || event.key === "]";
  return !event.ctrlKey && !event.metaKey && (!event.altKey || (bracket && /Mac/.test(navigator.platform)));
}
document.addEventListener("keydown", (event) => {
  if (!plain(event)) return;
  const field = event.target.closest("input, select, textarea");
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll(".menu[open]")) menu.open = false;
    (field ?? event.target.closest(".search a, .search button"))?.blur();
  }
  if (event.target.closest(".search") && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    const places = [document.getElementById("search"), ...document.querySelectorAll("#hits a, #hits button")];
    const to = places.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    places[to]?.focus();
    event.preventDefault();
    return;
  }
  if (event.key === "Enter" && field?.dataset.filters) { openFirst(field); event.preventDefault(); }
  if (field || document.querySelector("dialog[open]")) return;
  if (event.key === "?") showKeys();
  else if (event.key === "/") document.getElementById("search").focus();
  else {
    const key = { ",": "[", ".": "]" }[event.key] ?? event.key;
    const link = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!link || event.defaultPrevented) return;
    toSheet = key === "[" || key === "]";
    link.click();
  }
  event.preventDefault();
});
