// The sheet of channels: a cursor over it, the channel under it magnified and laid over the photo.
"use strict";
const photos = new Map();
// Where the cursor was: the beginning of a sheet's addresses and its query -> the channel.
const cursors = new Map();

function photo(address, then) {
  if (!photos.has(address)) {
    const image = new Image();
    image.src = address;
    photos.set(address, image);
  }
  const image = photos.get(address);
  if (image.complete) then(image);
  else image.addEventListener("load", () => then(image), { once: true });
}

// The map as the lantern's light: the photo is dim, and lit (in the map's colours) where it answers.
// The photo is a small preview; `crop` is in pixels of the whole one, which is `whole` wide.
const lit = document.createElement("canvas");
function layOver(canvas, crop, address, whole, draw) {
  photo(address, (image) => {
    const { width, height } = canvas;
    const [left, top, right, bottom] = crop.map((side) => side * image.naturalWidth / whole);
    const place = [left, top, right - left, bottom - top, 0, 0, width, height];
    Object.assign(lit, { width, height });
    const light = lit.getContext("2d");
    light.fillRect(0, 0, width, height);
    light.imageSmoothingEnabled = false;
    draw(light);
    light.globalCompositeOperation = "multiply";
    light.imageSmoothingEnabled = true;
    light.filter = "grayscale(1)"; // blue light on a warm photo would be dark
    light.drawImage(image, ...place);
    const pen = canvas.getContext("2d");
    pen.globalCompositeOperation = "source-over";
    pen.globalAlpha = 1;
    pen.fillRect(0, 0, width, height);
    pen.globalAlpha = 0.3;
    pen.drawImage(image, ...place);
    pen.globalAlpha = 1;
    pen.globalCompositeOperation = "lighter";
    pen.drawImage(lit, 0, 0);
  });
}

// What was last pointed at and pressed in a sheet that was not ready for it.
const early = {};
for (const type of ["pointermove", "click"]) {
  document.addEventListener(type, (event) => {
    const frame = event.target.closest?.("#sheet");
    early[type] = frame && !frame.sheet?.ready ? event : null;
  }, { capture: true, passive: true });
}

// What a black map is, in words.
function writeZero(pen) {
  const { width, height } = pen.canvas;
  Object.assign(pen, { fillStyle: "#b8b8c0", font: `${Math.round(width / 12)}px system-ui, sans-serif`, textAlign: "center", textBaseline: "middle" });
  pen.fillText(document.getElementById("inspected").dataset.zero, width / 2, height / 2);
  pen.fillStyle = "#000";
}

class Sheet {
  constructor(frame) {
    this.frame = frame;
    this.image = frame.querySelector("img");
    this.mark = frame.querySelector(".cursor");
    this.at = -1;
    frame.addEventListener("pointermove", (event) => this.#point(event));
    frame.addEventListener("click", (event) => { if (this.ready) { this.#point(event); this.open(); } });
    frame.addEventListener("keydown", (event) => this.key(event));
    frame.addEventListener("focus", () => { this.begin(); });
    this.image.addEventListener("load", () => { this.#fit(); this.replay(); });
    new ResizeObserver(() => this.#fit()).observe(frame);
  }

  get facts() {
    const said = document.querySelector("#numbers[data-facts]");
    if (said && said !== this.said) { this.said = said; this.known = JSON.parse(said.dataset.facts); }
    return said ? this.known : null;
  }

  get ready() { return this.facts && this.image.naturalWidth; }

  // What was pointed at or pressed before the picture and its numbers were there counts when they are.
  replay() {
    if (!this.ready) return;
    for (const [type, event] of Object.entries(early)) {
      early[type] = null;
      if (event && this.frame.contains(event.target)) this.frame.dispatchEvent(new PointerEvent(type, event));
    }
  }

  #place() {
    const { image, frame } = this;
    return { ...fitted(frame.clientWidth, frame.clientHeight, image.naturalWidth, image.naturalHeight), box: frame.getBoundingClientRect() };
  }

  get name() { return this.frame.dataset.maps + this.frame.dataset.query; }

  // Before anything is pointed at, the channel where one was is looked at, or one with structure.
  begin() {
    if (this.at >= 0 || !this.facts) return;
    const last = this.facts.channels.findIndex(([channel]) => channel === cursors.get(this.name));
    if (last >= 0) { this.move(last); return; }
    this.move(Math.max(0, this.facts.channels.findIndex(([channel]) => channel === this.facts.structured)));
  }

  #fit() {
    if (!this.image.naturalWidth || !this.frame.isConnected) return; // another layer's is shown by now
    this.image.classList.toggle("magnified", this.#place().scale > 1);
    if (this.at >= 0) this.move(this.at);
  }

  tile(k) {
    const { columns, tile, tile_height: high, gap } = this.facts.sheet;
    const tall = high || tile;
    return [gap + (k % columns) * (tile + gap), gap + Math.floor(k / columns) * (tall + gap), tile, tall];
  }

  #point(event) {
    if (!this.ready) return;
    const { scale, left, top, box } = this.#place();
    const { columns, rows, tile, tile_height: high, gap } = this.facts.sheet;
    const column = Math.floor(((event.clientX - box.left - left) / scale - gap / 2) / (tile + gap));
    const row = Math.floor(((event.clientY - box.top - top) / scale - gap / 2) / ((high || tile) + gap));
    const k = row * columns + column;
    if (column >= 0 && column < columns && row >= 0 && row < rows && k < this.facts.channels.length) this.move(k);
  }

  key(event) {
    if (!this.facts) return;
    const { columns } = this.facts.sheet;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (event.key === "Enter" || event.key === " ") this.open();
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(this.facts.channels.length - 1);
    else if (step) {
      const to = Math.max(this.at, 0) + step;
      if (to >= 0 && to < this.facts.channels.length) this.move(to);
    } else return;
    event.preventDefault();
  }

  move(k) {
    if (!this.facts?.channels[k]) return;
    this.at = k;
    cursors.set(this.name, this.facts.channels[k][0]);
    this.#tell(this.facts.channels[k]);
    if (!this.image.naturalWidth) return; // drawn as soon as the sheet has come
    const { scale, left, top } = this.#place();
    const [x, y, w, h] = this.tile(k);
    Object.assign(this.mark.style, {
      left: `${left + x * scale}px`, top: `${top + y * scale}px`,
      width: `${w * scale}px`, height: `${h * scale}px`,
    });
    this.mark.hidden = false;
    const pen = document.getElementById("closeup").getContext("2d");
    pen.imageSmoothingEnabled = false;
    const lay = (to) => to.drawImage(this.image, x, y, w, h, 0, 0, to.canvas.width, to.canvas.height);
    lay(pen);
    const dead = this.facts.channels[k][5];
    if (dead) writeZero(pen);
    const over = document.getElementById("over-photo");
    const { photo, width } = this.frame.dataset;
    layOver(over, this.facts.crop, photo, Number(width), dead ? () => {} : lay);
  }

  #tell([channel, min, mean, max, share, dead]) {
    const said = document.getElementById("inspected");
    said.textContent = `${said.dataset.channel} ${channel}${dead ? ", " + said.dataset.dead : ""}`;
    const language = document.documentElement.lang;
    const show = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
    const part = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
    const numbers = { min: show.format(min), mean: show.format(mean), max: show.format(max), share: part.format(share) };
    for (const [name, text] of Object.entries(numbers)) document.querySelector(`[data-number=${name}]`).textContent = text;
    const link = document.getElementById("open-channel");
    link.href = this.address(channel);
    link.hidden = false;
    const excite = document.getElementById("excite");
    excite.elements.channel.value = channel;
    excite.hidden = false;
  }

  address(channel) { return this.frame.dataset.maps + channel + mapQuery(this.frame.dataset.query); }

  open() {
    if (this.at < 0 || !this.facts) return;
    const address = this.address(this.facts.channels[this.at][0]);
    const headers = { "HX-Target": "div#view" }; // htmx.ajax would name the source
    htmx.ajax("GET", address, { source: this.frame, target: "#view", headers, swap: "outerHTML show:none", push: "true" });
  }
}

// A map takes what the sheet is drawn with but the size of its tiles.
function mapQuery(query) {
  const fields = new URLSearchParams(query);
  for (const name of [...fields.keys()]) if (!["scale", "gamma", "colors", "sort"].includes(name)) fields.delete(name);
  return String(fields) && `?${fields}`;
}

// How high a channel's map is in its picture; below that of an untrained network stands its mark.
function drawnHeight(map) {
  const [, rows, columns] = JSON.parse(map.dataset.shape);
  return Math.max(1, Math.round(map.naturalWidth * rows / columns));
}

// The page of one channel: its map over the photo.
function layMap() {
  const numbers = document.querySelector("#numbers[data-crop]");
  const map = document.getElementById("map");
  const canvas = document.querySelector(".maps #over-photo");
  if (!numbers || !map || !canvas) return;
  const lay = () => layOver(canvas, JSON.parse(numbers.dataset.crop), canvas.dataset.photo, Number(canvas.dataset.width), (pen) => pen.drawImage(map, 0, 0, map.naturalWidth, drawnHeight(map), 0, 0, pen.canvas.width, pen.canvas.height));
  if (map.complete && map.naturalWidth) lay();
  map.addEventListener("load", lay);
}

function begin() {
  const frame = document.getElementById("sheet");
  if (frame && !frame.sheet) frame.sheet = new Sheet(frame);
  frame?.sheet.begin();
  if (frame) setTimeout(() => frame.sheet.replay()); // field.js begins after this
  layMap();
}
begin();
document.addEventListener("htmx:after:swap", begin);

// The keys of the sheet work when nothing else has them.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.key === " ") return;
  if (document.querySelector("dialog[open], .menu[open]")) return;
  const here = document.activeElement;
  if (here === document.body || here?.id === "main") document.getElementById("sheet")?.sheet?.key(event);
});
