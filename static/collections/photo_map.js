// The map of a collection: come closer, move, go from photo to photo; the chosen one beside it.
"use strict";

let map, side, sheetSide, thumbnail, view, chosen, drag;

const links = () => [...map.querySelectorAll("a[data-n]")];
const spotOf = (link) => {
  const box = link.firstElementChild;
  return { x: Number(box.dataset.x), y: Number(box.dataset.y) };
};

// What is seen of the map: x, y and width in its own units. Thumbnails grow less than distances do,
// so that coming closer pulls a heap apart.
function show() {
  const least = side / 24;
  view.width = Math.min(side, Math.max(least, view.width));
  view.x = Math.min(side - view.width, Math.max(0, view.x));
  view.y = Math.min(side - view.width, Math.max(0, view.y));
  map.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.width}`);
  const grown = thumbnail * (view.width / side) ** 0.55;
  if (grown === view.grown) return;
  view.grown = grown;
  for (const link of links()) {
    const box = link.firstElementChild;
    box.setAttribute("width", grown);
    box.setAttribute("height", grown);
    box.setAttribute("x", box.dataset.x - grown / 2);
    box.setAttribute("y", box.dataset.y - grown / 2);
  }
}

let asked = 0;
function later() { asked ||= requestAnimationFrame(() => { asked = 0; show(); }); }

// Around a point of the map, which stays where it is on the screen.
function zoom(by, x = view.x + view.width / 2, y = view.y + view.width / 2) {
  const before = view.width;
  view.width = by ? Math.min(side, Math.max(side / 24, view.width / by)) : side;
  const share = view.width / before;
  view.x = x - (x - view.x) * share;
  view.y = y - (y - view.y) * share;
  later();
}
function pointAt(event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  return [at.x, at.y];
}

function choose(link, focus = true) {
  chosen?.classList.remove("chosen");
  chosen?.setAttribute("tabindex", "-1");
  chosen = link;
  link.classList.add("chosen");
  link.setAttribute("tabindex", "0");
  map.append(link); // over the others
  if (focus) link.focus({ preventScroll: true });
  const n = link.dataset.n;
  const picture = document.getElementById("chosen-picture");
  picture.src = map.dataset.picture.replace("/photos/0.jpg", `/photos/${n}.jpg`);
  document.getElementById("chosen-name").textContent = link.getAttribute("aria-label");
  const page = document.getElementById("chosen-page");
  page.href = map.dataset.page.replace("photo=0", `photo=${n}`);
  history.replaceState(null, "", link.getAttribute("href"));
  const spot = spotOf(link);
  const room = view.width * 0.05;
  if (spot.x < view.x + room || spot.x > view.x + view.width - room) view.x = spot.x - view.width / 2;
  if (spot.y < view.y + room || spot.y > view.y + view.width - room) view.y = spot.y - view.width / 2;
  later();
}

// The nearest photo in that direction: what lies sideways counts double.
function step(dx, dy) {
  const from = spotOf(chosen);
  let best, least = Infinity;
  for (const link of links()) {
    if (link === chosen) continue;
    const { x, y } = spotOf(link);
    const along = (x - from.x) * dx + (y - from.y) * dy;
    const aside = Math.abs((x - from.x) * dy) + Math.abs((y - from.y) * dx);
    if (along <= 0 || aside > 2 * along) continue;
    const far = along + 2 * aside;
    if (far < least) [best, least] = [link, far];
  }
  if (best) choose(best);
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function keyed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (STEPS[event.key]) step(...STEPS[event.key]);
  else if (event.key === "+" || event.key === "=") zoom(1.5, spotOf(chosen).x, spotOf(chosen).y);
  else if (event.key === "-") zoom(1 / 1.5, spotOf(chosen).x, spotOf(chosen).y);
  else if (event.key === "0") zoom(0);
  else if (event.key === "Enter") location.href = document.getElementById("chosen-page").href;
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function pressed(event) {
  if (event.button || event.pointerType === "touch") return;
  drag = { x: event.clientX, y: event.clientY, from: { ...view }, moved: false };
}
function moved(event) {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  if (!drag.moved) { map.setPointerCapture(event.pointerId); map.classList.add("moves"); }
  drag.moved = true;
  const scale = map.getScreenCTM().a;
  view.x = drag.from.x - dx / scale;
  view.y = drag.from.y - dy / scale;
  later();
}
function released() {
  map.classList.remove("moves");
  const last = drag;
  setTimeout(() => { if (drag === last) drag = null; });
}

function begin() {
  map = document.getElementById("photo-map");
  if (!map || map.dataset.begun) return;
  map.dataset.begun = "yes";
  side = Number(map.dataset.side);
  thumbnail = Number(map.dataset.thumbnail);
  view = { x: 0, y: 0, width: side, grown: thumbnail };
  for (const link of links()) {
    const box = link.firstElementChild;
    box.dataset.x = Number(box.getAttribute("x")) + Number(box.getAttribute("width")) / 2;
    box.dataset.y = Number(box.getAttribute("y")) + Number(box.getAttribute("height")) / 2;
    link.setAttribute("tabindex", "-1");
  }
  chosen = map.querySelector(".chosen") ?? links()[0];
  chosen.setAttribute("tabindex", "0");
  map.addEventListener("keydown", keyed);
  map.addEventListener("pointerdown", pressed);
  map.addEventListener("pointermove", moved);
  map.addEventListener("pointerup", released);
  map.addEventListener("pointercancel", released);
  map.addEventListener("dragstart", (event) => event.preventDefault());
  map.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-n]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!drag?.moved) choose(link);
  });
  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), ...pointAt(event));
  }, { passive: false });
  for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
}
begin();
document.addEventListener("htmx:after:swap", begin);
