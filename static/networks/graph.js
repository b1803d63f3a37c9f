// The drawn network: what layout.js has placed as SVG; folding, choosing, finding, moving, saving.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const stage = document.getElementById("graph");
const words = JSON.parse(stage.dataset.words), kinds = JSON.parse(stage.dataset.kinds);
const language = document.documentElement.lang;
const drawing = {
  tree: null, layout: null, open: new Set(), chosen: stage.dataset.chosen, zoom: 1, placed: null,
  hits: [], thumbs: new Map(), sheet: null, drawnAt: 0,
};
const MARGIN = 24, THUMB = 40, LINE = 16;

// --- what a box says --------------------------------------------------------------------------

const FAMILIES = [
  [/convolution|conv-norm/, "conv"], [/fully connected/, "full"], [/pool/, "pool"], [/norm/, "norm"],
  [/LU|swish|sigmoid|softmax/, "act"], [/concatenation|sum|product|difference|quotient|maximum|matrix/, "join"],
];
function family(item) {
  if (item.id === "@picture") return "picture";
  if (item.members && !isUnit(item)) return "block";
  return FAMILIES.find(([pattern]) => pattern.test(item.kind.split(" + ")[0]))?.[1] ?? (item.layer ? "block" : "join");
}
function isUnit(item) { return Boolean(item.members) && (item.kind.includes(" + ") || item.kind === "conv-norm-activation"); }
function spoken(kind) { return kinds[kind] ?? kind.split(" + ").map((part) => kinds[part] ?? part).join(" + "); }
function sized(item, kind) {
  const window = item.window.length ? `${item.window.join(" × ")} ` : "";
  return `${window}${kind}${item.stride > 1 ? `, ${words.stride.replace("{n}", item.stride)}` : ""}`;
}
function parts(item) {
  const counts = new Map();
  for (const [kind, count] of item.parts) {
    const first = kind === "conv-norm-activation" ? "convolution" : kind.split(" + ")[0];
    counts.set(first, (counts.get(first) ?? 0) + count);
  }
  const said = [...counts].map(([kind, count]) => (count > 1 ? `${count} × ${spoken(kind)}` : spoken(kind)));
  return said.length > 3 ? [...said.slice(0, 2), "…"].join(", ") : said.join(", ");
}
// Lines of text: [what it is, then quiet ones].
function said(item) {
  const shape = item.shape.filter((size, place) => !place || item.shape[1] * item.shape[2] > 1).join(" × ");
  if (item.id === "@picture") return [spoken("picture"), shape];
  const named = item.id.startsWith("@") ? shape : `${item.title} · ${shape}`;
  if (!item.members) return [sized(item, spoken(item.kind)), named];
  const units = (item.nodes === 1 ? words.layer : words.layers).replace("{n}", item.nodes);
  if (isUnit(item)) {
    const first = item.tree.find((node) => node.window.length) ?? item.tree[0];
    const rest = item.tree.slice(1).map((node) => spoken(node.kind)).join(" + ");
    return [sized(first, spoken(first.kind)), `+ ${rest}`, named];
  }
  if (item.kind === "stage") return [item.shape[1] * item.shape[2] > 1 ? item.title : words.head, parts(item), shape];
  if (!item.kind) return [item.title, parts(item), shape];
  return [spoken(item.kind), units, named];
}
const ruler = document.createElement("canvas").getContext("2d");
const widths = new Map();
function wide(text, bold) {
  const key = `${bold}${text}`;
  if (!widths.has(key)) {
    ruler.font = `${bold ? "600 13px" : "12px"} ${getComputedStyle(document.body).fontFamily}`;
    widths.set(key, ruler.measureText(text).width);
  }
  return widths.get(key);
}
function hasThumb(item) {
  if (!stage.dataset.thumbnails) return false;
  return item.id === "@picture" || (Tree.output(item).layer && item.shape[1] * item.shape[2] > 1);
}
// The size of a folded box or node; of an open one the width of its title.
function measure(item, open) {
  const lines = said(item);
  if (open) return { w: 2 * Math.max(wide(lines[0], true) + 40, wide(lines.at(-1)) + 22), h: 0 }; // the middle stays free
  const thumb = hasThumb(item) ? THUMB + 8 : 0;
  const text = Math.max(...lines.map((line, place) => wide(line, !place) + (place || !item.members ? 0 : 20)));
  const h = Math.max(lines.length * LINE + 16, thumb ? THUMB + 14 : 0);
  return { w: Math.round(Math.max(text + 24 + thumb, 88 + bar(item))), h };
}
function bar(item) { return 7 * Math.sqrt(item.shape[0]); }

// --- drawing ----------------------------------------------------------------------------------

function safe(text) { return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`); }
function thumb(item, x, y) {
  if (!hasThumb(item)) return "";
  const frame = `<rect class="blank" x="${x}" y="${y}" width="${THUMB}" height="${THUMB}"/>`;
  if (item.id === "@picture") return `${frame}<image href="${safe(stage.dataset.picture)}" x="${x}" y="${y}" width="${THUMB}" height="${THUMB}" preserveAspectRatio="xMidYMid slice"/>`;
  const known = drawing.thumbs.get(Tree.output(item).id);
  if (!known) return frame;
  const { tile } = drawing.sheet;
  return `${frame}<svg x="${x}" y="${y}" width="${THUMB}" height="${THUMB}" viewBox="${known.x} ${known.y} ${tile} ${tile}"><use href="#sheet"/></svg>`;
}
function texts(item, lines, x, y) {
  return lines.map((line, place) => `<text class="${place ? "less" : "name"}" x="${x}" y="${y + place * LINE}">${safe(line)}</text>`).join("");
}
function sign(x, y, open) {
  return `<g class="sign"><rect x="${x - 8}" y="${y - 8}" width="16" height="16" rx="4"/><path d="M${x - 4} ${y}h8${open ? "" : `M${x} ${y - 4}v8`}"/></g>`;
}
// The numbers of a thumbnail's scale, low to high.
function ends({ sided, low, high }) {
  const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  return (sided === "one" ? [low, high] : [low, 0, high]).map((end) => number.format(end));
}
function drawn({ item, x, y, w, h, open }) {
  const lines = said(item), known = drawing.thumbs.get(Tree.output(item).id);
  const name = [...lines, ...(known ? [`#${known.channel}: ${ends(known).join(" … ")}`] : [])].join(", ");
  const classes = `node k-${family(item)}${item.members ? " folds" : ""}${open ? " open" : ""}`;
  const start = `<g class="${classes}" data-id="${safe(item.id)}" transform="translate(${r(x)} ${r(y)})"><title>${safe(item.id.startsWith("@") ? name : `${item.id.replace(/\+$/, "")}: ${name}`)}</title>`;
  if (open) {
    return `${start}<rect class="body" width="${r(w)}" height="${r(h)}" rx="8"/><rect class="head" width="${r(w)}" height="26" rx="8"/>${sign(14, 13, true)}`
      + `<text class="name" x="28" y="18">${safe(lines[0])}</text><text class="less" x="${r(w - 10)}" y="18" text-anchor="end">${safe(lines.at(-1))}</text></g>`;
  }
  const left = hasThumb(item) ? THUMB + 16 : 12;
  const top = (h - lines.length * LINE) / 2 + 12;
  const length = Math.min(bar(item), w - 8);
  const behind = item.members ? `<rect class="behind" x="4" y="4" width="${r(w)}" height="${r(h)}" rx="6"/>` : "";
  return `${start}${behind}<rect class="body" width="${r(w)}" height="${r(h)}" rx="6"/>`
    + `<rect class="bar" x="${r((w - length) / 2)}" y="${r(h - 5)}" width="${r(length)}" height="3" rx="1.5"/>`
    + thumb(item, 8, r((h - THUMB) / 2 - 1)) + texts(item, lines, left, r(top))
    + (item.members ? sign(r(w - 14), 14, false) : "") + "</g>";
}
function way({ d, from, to, source }) {
  const both = [from?.id, to?.id, source.id].filter((id) => id !== undefined);
  const tip = to && !to.isOpen ? ' marker-end="url(#tip)"' : "";
  return `<path class="way" d="${d}" data-ends="${safe(both.join("\n"))}"${tip}/>`;
}
function draw() {
  const { layout, open } = drawing;
  const start = performance.now();
  const found = layout.place(open);
  drawing.placed = new Map(found.items.map((placed) => [placed.item.id, placed]));
  for (const { item, open: isOpen } of found.items) item.isOpen = isOpen;
  const w = Math.ceil(found.w + 2 * MARGIN), h = Math.ceil(found.h + 2 * MARGIN);
  drawing.size = { w, h };
  const opened = found.items.filter((placed) => placed.open), closed = found.items.filter((placed) => !placed.open);
  const sheet = drawing.sheet ? `<image id="sheet" href="${safe(drawing.picture)}" width="${drawing.sheet.width}" height="${drawing.sheet.height}"/>` : "";
  stage.innerHTML = `<svg xmlns="${SVG}" viewBox="${-MARGIN} ${-MARGIN} ${w} ${h}" role="img" aria-label="${safe(stage.dataset.title)}">`
    + `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker>${sheet}</defs>`
    + opened.map(drawn).join("") + `<g>${found.ways.map(way).join("")}</g>` + closed.map(drawn).join("") + "</svg>";
  drawing.svg = stage.firstElementChild;
  mark();
  size();
  drawing.drawnIn = performance.now() - start;
}
function size() {
  drawing.svg.setAttribute("width", Math.round(drawing.size.w * drawing.zoom));
  drawing.svg.setAttribute("height", Math.round(drawing.size.h * drawing.zoom));
}
function element(id) { return drawing.svg.querySelector(`[data-id="${CSS.escape(id)}"]`); }

// The innermost visible item that stands for one: itself, or the folded box that holds it.
function visible(id) {
  let item = drawing.tree.items.get(id);
  while (item && !drawing.placed.has(item.id)) item = item.parent;
  return item?.id ? item : null;
}
function mark() {
  for (const old of drawing.svg.querySelectorAll(".chosen, .hit, .lit")) old.classList.remove("chosen", "hit", "lit");
  const shown = drawing.chosen && visible(drawing.chosen);
  if (shown) {
    element(shown.id).classList.add("chosen");
    for (const path of drawing.svg.querySelectorAll(".way")) {
      if (path.dataset.ends.split("\n").slice(0, 2).includes(shown.id)) path.classList.add("lit");
    }
  }
  for (const id of new Set(drawing.hits.map((hit) => visible(hit)?.id))) if (id) element(id).classList.add("hit");
}

// --- moving -----------------------------------------------------------------------------------

// Where a placed item is in the window of the stage, in its pixels.
function spot(id) {
  const { x, y, w, h, open } = drawing.placed.get(id), z = drawing.zoom;
  const left = drawing.svg.getBoundingClientRect().left - stage.getBoundingClientRect().left - stage.clientLeft;
  const top = drawing.svg.getBoundingClientRect().top - stage.getBoundingClientRect().top - stage.clientTop;
  return { x: left + (x + MARGIN) * z, y: top + (y + MARGIN) * z, w: w * z, h: (open ? 26 : h) * z };
}
function reveal(id) {
  const shown = visible(id);
  if (!shown) return;
  const { x, y, w, h } = spot(shown.id), room = 24;
  if (x < room || x + w > stage.clientWidth - room) stage.scrollLeft += x + w / 2 - stage.clientWidth / 2;
  if (y < room || y + h > stage.clientHeight - room) stage.scrollTop += y + h / 2 - stage.clientHeight / 2;
}
// Draw anew while something stays where it is on the screen.
function redraw(anchor) {
  const held = anchor && visible(anchor), before = held && spot(held.id);
  draw();
  const now = held && visible(held.id);
  if (now) {
    const after = spot(now.id);
    stage.scrollLeft += after.x + after.w / 2 - before.x - before.w / 2;
    stage.scrollTop += after.y - before.y;
  }
  remember();
}
function zoomTo(zoom, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const wanted = Math.min(4, Math.max(0.05, zoom)), box = stage.getBoundingClientRect();
  const at = () => drawing.svg.getBoundingClientRect();
  const u = (box.left + stage.clientLeft + x - at().left) / drawing.zoom, v = (box.top + stage.clientTop + y - at().top) / drawing.zoom;
  drawing.zoom = wanted;
  size();
  stage.scrollLeft += at().left + u * wanted - (box.left + stage.clientLeft + x);
  stage.scrollTop += at().top + v * wanted - (box.top + stage.clientTop + y);
}
function fitting() { return Math.min((stage.clientWidth - 2) / drawing.size.w, (stage.clientHeight - 2) / drawing.size.h); }
function natural() { return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16; }

// --- folding and choosing ---------------------------------------------------------------------

function unfoldTo(id) {
  for (const box of Tree.around(drawing.tree.items.get(id))) if (box.id) drawing.open.add(box.id);
}
function toggle(id) {
  if (!drawing.open.delete(id)) drawing.open.add(id);
  redraw(id);
}
function choose(id, { show = true } = {}) {
  const item = drawing.tree.items.get(id);
  if (!item) return;
  if (show && !drawing.placed.has(id)) { unfoldTo(id); redraw(visible(id)?.id); }
  drawing.chosen = id;
  mark();
  if (show) reveal(id);
  tell(item);
  const fields = new URLSearchParams();
  if (stage.dataset.image) fields.set("image", stage.dataset.image);
  if (item.layer) fields.set("layer", id);
  const address = `${stage.dataset.page}${fields.size ? `?${fields}` : ""}`;
  history.replaceState(history.state, "", address);
  const kept = document.querySelector("[data-picture] [name=layer]");
  if (kept && item.layer) kept.value = id;
  clearTimeout(drawing.asking);
  if (item.layer) drawing.asking = setTimeout(() => htmx.ajax("GET", address, { source: "#graph", swap: "outerHTML" }), 60);
  else {
    const panel = document.getElementById("chosen"), lines = said(item);
    panel.replaceChildren(...lines.map((line, place) => Object.assign(document.createElement(place ? "p" : "h2"), { textContent: line })));
  }
  closeUp(item);
}
function tell(item) {
  const open = item.members ? (drawing.open.has(item.id) ? " −" : " +") : "";
  document.getElementById("told").textContent = said(item).join(", ") + open;
}
function press(id) {
  const item = drawing.tree.items.get(id);
  if (item.members) toggle(id);
  choose(id, { show: false });
}
function more() {
  const closed = [...drawing.placed.values()].filter(({ item, open }) => item.members && !open).map(({ item }) => item);
  const blocks = closed.filter((item) => !isUnit(item));
  for (const item of blocks.length ? blocks : closed) drawing.open.add(item.id);
  redraw(drawing.chosen);
}
function remember() {
  try { sessionStorage.setItem(`graph ${stage.dataset.model}`, JSON.stringify([...drawing.open])); } catch { /* not kept */ }
}
function remembered() {
  try { return JSON.parse(sessionStorage.getItem(`graph ${stage.dataset.model}`)) ?? []; } catch { return []; }
}

// --- the strongest maps -----------------------------------------------------------------------

async function thumbnails() {
  const address = stage.dataset.thumbnails, note = document.getElementById("scale-words");
  if (!address) return;
  note.hidden = false;
  note.textContent = words.wait;
  for (;;) {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    const found = await answer.json();
    if (answer.ok) { shown(found); note.textContent = words.scale; return; }
    note.textContent = found.error.message;
    if (!answer.headers.has("Retry-After")) return;
    await new Promise((go) => setTimeout(go, 1000 * (Number(answer.headers.get("Retry-After")) || 3)));
  }
}
async function shown(found) {
  if (!found.sheet) return;
  const image = new Image();
  image.src = found.picture;
  await image.decode();
  Object.assign(drawing, { sheet: found.sheet, colors: found.colors, picture: found.picture, image });
  for (const row of found.layers) drawing.thumbs.set(row.layer, row);
  redraw(drawing.chosen);
  stage.dataset.thumbs = found.layers.length;
  if (drawing.chosen) closeUp(drawing.tree.items.get(drawing.chosen));
}
function closeUp(item) {
  const known = item && drawing.thumbs.get(Tree.output(item).id), place = document.getElementById("thumb-scale");
  place.hidden = !known;
  if (!known) return;
  const canvas = document.getElementById("thumb"), { tile } = drawing.sheet;
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(drawing.image, known.x, known.y, tile, tile, 0, 0, canvas.width, canvas.height);
  const { stops } = drawing.colors[known.sided];
  document.getElementById("colours").innerHTML = stops.map((color, k) => `<stop offset="${k / (stops.length - 1)}" stop-color="${color}"/>`).join("");
  document.getElementById("thumb-ends").innerHTML = ends(known).map((end) => `<span>${end}</span>`).join("");
  const link = document.getElementById("thumb-link");
  link.href = known.url;
  link.textContent = `${link.dataset.words} ${known.channel}`;
}

// --- finding ----------------------------------------------------------------------------------

const find = document.getElementById("find"), found = document.getElementById("found");
let at = -1;
function search() {
  const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (item) => {
    const text = `${item.id} ${item.kind} ${spoken(item.kind)} ${said(item)[0]}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
  drawing.hits = wanted.length ? [...drawing.tree.items.values()].filter((item) => item.layer && fits(item)).map((item) => item.id) : [];
  at = -1;
  found.textContent = wanted.length ? (drawing.hits.length ? words.of.replace("{n}", drawing.hits.length) : words.none) : "";
  mark();
}
function next(step) {
  const { hits } = drawing;
  if (!hits.length) return;
  at = (at + step + hits.length) % hits.length;
  choose(hits[at]);
  found.textContent = `${at + 1} ${words.of.replace("{n}", hits.length)}`;
}

// --- keys -------------------------------------------------------------------------------------

const STEPS = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
// The nearest item into a direction; along the data first, so that a step follows a line.
function beside(id, [dx, dy]) {
  const here = centre(drawing.placed.get(id));
  let best = null, least = Infinity;
  for (const placed of drawing.placed.values()) {
    const there = centre(placed);
    const ahead = (there.x - here.x) * dx + (there.y - here.y) * dy;
    const aside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
    const cost = ahead + 2 * aside;
    if (ahead > 2 && cost < least) { least = cost; best = placed.item; }
  }
  return best;
}
function centre({ x, y, w, h, open }) { return { x: x + w / 2, y: y + (open ? 13 : h / 2) }; }
function leaf(step) {
  const layers = drawing.tree.nodes.filter((node) => node.layer);
  const now = drawing.chosen && drawing.tree.items.get(drawing.chosen);
  const place = now ? layers.indexOf(now.members ? lastOf(now) : now) : -1;
  const wanted = layers[Math.min(layers.length - 1, Math.max(0, place + step))];
  if (wanted) choose(wanted.id);
}
function lastOf(item) { return item.members ? lastOf(item.members.at(-1)) : item; }
function keyed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const now = drawing.chosen && visible(drawing.chosen);
  if (STEPS[event.key]) {
    const to = now ? beside(now.id, STEPS[event.key]) : drawing.tree.root.members[0];
    if (to) choose(to.id);
  } else if (event.key === "Enter" || event.key === " ") { if (now) press(now.id); }
  else if (event.key === "+" || event.key === "=") zoomTo(drawing.zoom * 1.25);
  else if (event.key === "-") zoomTo(drawing.zoom / 1.25);
  else if (event.key === "0") zoomTo(fitting());
  else if (event.key === "]" || event.key === ".") leaf(1);
  else if (event.key === "[" || event.key === ",") leaf(-1);
  else return;
  event.preventDefault();
}

// --- the mouse --------------------------------------------------------------------------------

let drag = null;
function pressed(event) {
  if (event.button || event.pointerType === "touch") return;
  drag = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop, moved: false };
}
function moved(event) {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) < 5) return;
  if (!drag.moved) { stage.setPointerCapture(event.pointerId); stage.classList.add("moves"); }
  drag.moved = true;
  stage.scrollTo(drag.left - dx, drag.top - dy);
}
function released() {
  if (drag?.moved) { stage.classList.remove("moves"); stage.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true }); setTimeout(() => { drag = null; }); }
  else drag = null;
}

// --- saving -----------------------------------------------------------------------------------

const PAINTED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order"];
// The drawing as it is seen, in a file that needs nothing else.
async function saved() {
  const copy = drawing.svg.cloneNode(true);
  const shapes = "rect, path, text", own = [...drawing.svg.querySelectorAll(shapes)], theirs = [...copy.querySelectorAll(shapes)];
  own.forEach((one, place) => {
    const look = getComputedStyle(one);
    for (const name of PAINTED) {
      const value = look.getPropertyValue(name);
      if (value && (one.tagName === "text" || !/^(font|text)/.test(name))) theirs[place].setAttribute(name, value);
    }
  });
  for (const image of copy.querySelectorAll("image")) image.setAttribute("href", await inline(image.getAttribute("href")));
  const look = getComputedStyle(stage), ink = getComputedStyle(document.body).color, { h } = drawing.size;
  const foot = [stage.dataset.title, stage.dataset.thumbnails && words.scale].filter(Boolean);
  const w = Math.max(drawing.size.w, ...foot.map((line) => wide(line) * 1.1 + 2 * MARGIN)), high = h + 20 * foot.length;
  const left = (drawing.size.w - w) / 2 - MARGIN;
  const line = (text, x, y, color, more = "") => `<text x="${x}" y="${y}" font-family="sans-serif" font-size="12" fill="${color}"${more}>${safe(text)}</text>`;
  copy.setAttribute("viewBox", `${left} ${-MARGIN} ${w} ${high}`);
  copy.setAttribute("width", w);
  copy.setAttribute("height", high);
  copy.insertAdjacentHTML("afterbegin", `<rect x="${left}" y="${-MARGIN}" width="${w}" height="${high}" fill="${look.backgroundColor}"/>`);
  copy.insertAdjacentHTML("beforeend", foot.map((text, place) => line(text, left + MARGIN, h - MARGIN + 8 + 20 * place, ink)).join("")
    + (stage.hasAttribute("data-untrained") ? line(words.untrained, left + MARGIN, -8, "#c62828", ' font-weight="700"') : ""));
  for (const one of copy.querySelectorAll("[class]")) one.removeAttribute("class");
  return new XMLSerializer().serializeToString(copy);
}
async function inline(address) {
  const bytes = await (await fetch(address)).blob();
  return new Promise((go) => { const reader = new FileReader(); reader.onload = () => go(reader.result); reader.readAsDataURL(bytes); });
}
async function save() {
  const file = new Blob([await saved()], { type: "image/svg+xml" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `${stage.dataset.model}.svg` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// --- the beginning ----------------------------------------------------------------------------

const DOES = {
  unfold: more, save, fit: () => zoomTo(fitting()),
  fold: () => { drawing.open.clear(); redraw(); reveal(drawing.chosen); },
  in: () => zoomTo(drawing.zoom * 1.25), out: () => zoomTo(drawing.zoom / 1.25),
};
function listen() {
  stage.addEventListener("keydown", keyed);
  stage.addEventListener("pointerdown", pressed);
  stage.addEventListener("pointermove", moved);
  stage.addEventListener("pointerup", released);
  stage.addEventListener("pointercancel", released);
  stage.addEventListener("click", (event) => {
    const node = event.target.closest("[data-id]");
    if (node && !drag?.moved) press(node.dataset.id);
  });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoomTo(drawing.zoom * Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  find.addEventListener("input", search);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { next(event.shiftKey ? -1 : 1); event.preventDefault(); }
  });
  document.addEventListener("click", (event) => DOES[event.target.closest("[data-do]")?.dataset.do]?.());
  document.getElementById("image").addEventListener("change", (event) => event.target.form.requestSubmit());
}
async function begin() {
  document.querySelector(".graph-list").open = false;
  const answer = await fetch(stage.dataset.graph);
  const told = await answer.json();
  if (!answer.ok) { stage.firstElementChild.textContent = told.error.message; return; }
  drawing.tree = new Tree(told);
  for (const item of drawing.tree.items.values()) {
    item.window ??= [];
    if (item.members) item.tree = drawing.tree.nodes.filter((node) => Tree.around(node).includes(item));
  }
  drawing.layout = new Layout(drawing.tree, measure);
  drawing.open = new Set(remembered().filter((id) => drawing.tree.items.get(id)?.members));
  if (drawing.tree.items.has(drawing.chosen)) unfoldTo(drawing.chosen);
  draw();
  drawing.zoom = Math.max(0.8 * natural(), Math.min(natural(), fitting()));
  size();
  listen();
  if (drawing.chosen) { reveal(drawing.chosen); closeUp(drawing.tree.items.get(drawing.chosen)); }
  stage.dataset.drawn = drawing.placed.size;
  await thumbnails();
}
begin();
