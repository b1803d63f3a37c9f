// Side by side: one cursor over two sheets. The same place is marked on both, and the same channel
// as long as they are linked; else each side keeps its own.
// layOver comes from sheet.js.
"use strict";

class Half {
  constructor(frame, both) {
    this.frame = frame;
    this.name = frame.dataset.side;
    this.image = frame.querySelector("img");
    this.mark = frame.querySelector(".cursor");
    frame.addEventListener("pointermove", (event) => this.#point(event, both));
    frame.addEventListener("click", (event) => { this.#point(event, both); both.hold(this.name, !both.held[this.name]); });
    frame.addEventListener("keydown", (event) => this.#key(event, both));
    this.image.addEventListener("load", () => { this.#fit(); this.show(both); });
    new ResizeObserver(() => { this.#fit(); this.show(both); }).observe(frame);
    this.#fit();
  }

  #place() {
    const { image, frame } = this;
    return fitted(frame.clientWidth, frame.clientHeight, image.naturalWidth, image.naturalHeight);
  }

  #fit() {
    if (this.image.naturalWidth) this.image.classList.toggle("magnified", this.#place().scale > 1);
  }

  #tall() { return this.facts.sheet.tile_height || this.facts.sheet.tile; }

  tile(k) {
    const { columns, tile, gap } = this.facts.sheet;
    return [gap + (k % columns) * (tile + gap), gap + Math.floor(k / columns) * (this.#tall() + gap), tile, this.#tall()];
  }

  #point(event, both) {
    if (!this.facts || !this.image.naturalWidth) return;
    const box = this.frame.getBoundingClientRect();
    const { scale, left, top } = this.#place();
    const { columns, rows, tile, gap } = this.facts.sheet;
    const x = (event.clientX - box.left - left) / scale - gap, y = (event.clientY - box.top - top) / scale - gap;
    const column = Math.floor(x / (tile + gap)), row = Math.floor(y / (this.#tall() + gap));
    const k = row * columns + column;
    if (column < 0 || column >= columns || row < 0 || row >= rows || k >= this.facts.channels.length) return;
    const within = (at, size) => Math.min(Math.max(at / size, 0), 0.9999);
    both.place = [within(x - column * (tile + gap), tile), within(y - row * (this.#tall() + gap), this.#tall())];
    if (!both.held[this.name]) both.look(this.name, this.facts.channels[k][0]);
    both.show();
  }

  #key(event, both) {
    if (!this.facts) return;
    const at = this.facts.channels.findIndex(([channel]) => channel === both.channels[this.name]);
    const { columns } = this.facts.sheet;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const last = this.facts.channels.length - 1;
    if (event.key === "Enter") { if (at >= 0) location.href = this.frame.dataset.maps + both.channels[this.name]; }
    else if (event.key === " ") both.hold(this.name, !both.held[this.name]);
    else if (event.key === "Home") both.move(this.name, this.facts.channels[0][0]);
    else if (event.key === "End") both.move(this.name, this.facts.channels[last][0]);
    else if (step) {
      const to = Math.max(at, 0) + step;
      if (to >= 0 && to <= last) both.move(this.name, this.facts.channels[to][0]);
    } else return;
    event.preventDefault();
  }

  show(both) {
    const channel = both.channels[this.name] ?? null;
    if (!this.facts || channel === null || !this.frame.isConnected) return; // another page is shown by now
    const k = this.facts.channels.findIndex(([one]) => one === channel);
    this.#tell(channel, this.facts.channels[k]);
    this.mark.hidden = k < 0 || !this.image.naturalWidth;
    this.mark.classList.toggle("held", both.held[this.name]);
    const [map, over] = ["closeup", "over"].map((what) => document.querySelector(`canvas.${what}[data-side=${this.name}]`));
    if (!map || !over) return;
    if (this.mark.hidden) { for (const canvas of [map, over]) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height); return; }
    const { scale, left, top } = this.#place();
    const [x, y, w, h] = this.tile(k);
    Object.assign(this.mark.style, {
      left: `${left + x * scale}px`, top: `${top + y * scale}px`, width: `${w * scale}px`, height: `${h * scale}px`,
    });
    const lay = (pen) => { pen.imageSmoothingEnabled = false; pen.drawImage(this.image, x, y, w, h, 0, 0, pen.canvas.width, pen.canvas.height); };
    const pen = map.getContext("2d");
    lay(pen);
    this.#cell(pen, both.place);
    layOver(over, this.facts.crop, this.frame.dataset.photo, Number(this.frame.dataset.width), this.facts.channels[k][5] ? () => {} : lay);
    setTimeout(() => this.#cell(over.getContext("2d"), both.place)); // the photo may come a moment later
  }

  // The cell of the map under the place that is pointed at: the same share of both pictures.
  #cell(pen, place) {
    if (!place) return;
    const [high, wide] = this.facts.map;
    const w = pen.canvas.width / wide, h = pen.canvas.height / high;
    const size = [Math.max(w, 6), Math.max(h, 6)];
    const x = (Math.floor(place[0] * wide) + 0.5) * w - size[0] / 2, y = (Math.floor(place[1] * high) + 0.5) * h - size[1] / 2;
    pen.globalCompositeOperation = "source-over";
    for (const [color, width] of [["#000", 4], ["#f0b35a", 2]]) {
      pen.strokeStyle = color; pen.lineWidth = width;
      pen.strokeRect(x, y, ...size);
    }
  }

  #tell(channel, row) {
    const said = document.getElementById(`${this.name}-inspected`);
    if (!said) return;
    const { channel: word, dead, none } = said.dataset;
    said.textContent = `${word} ${channel}${row ? (row[5] ? ", " + dead : "") : ", " + none}`;
    const language = document.documentElement.lang;
    const show = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
    const part = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
    const [, min, mean, max, share] = row ?? [];
    const numbers = { min: show, mean: show, max: show, share: part };
    const values = { min, mean, max, share };
    for (const [name, format] of Object.entries(numbers)) {
      said.parentElement.querySelector(`[data-number=${name}]`).textContent = row ? format.format(values[name]) : "–";
    }
  }
}

class Both {
  constructor(view) {
    this.view = view;
    this.channels = {};
    this.held = { left: false, right: false };
    this.place = null;
    this.halves = [...view.querySelectorAll(".sheet[data-side]")].map((frame) => new Half(frame, this));
    this.box = document.getElementById("linked");
    this.box.addEventListener("change", (event) => { event.stopPropagation(); this.link(); });
  }

  // The numbers have come: from now on there is something to point at.
  begin() {
    const numbers = this.view.querySelector("#numbers[data-facts]");
    if (!numbers || numbers === this.said) return;
    this.said = numbers;
    const facts = JSON.parse(numbers.dataset.facts);
    for (const half of this.halves) half.facts = facts[half.name];
    this.channels = JSON.parse(numbers.dataset.channels);
    this.box.checked = this.channels.left === this.channels.right;
    const held = numbers.dataset.held !== undefined;
    this.held = { left: held, right: held };
    this.show();
  }

  show() { for (const half of this.halves) half.show(this); }

  look(name, channel) {
    if (this.box.checked) this.channels = { left: channel, right: channel };
    else this.channels[name] = channel;
  }

  move(name, channel) {
    this.look(name, channel);
    this.#keep();
    this.show();
  }

  hold(name, held) {
    if (this.box.checked) this.held = { left: held, right: held };
    else this.held[name] = held;
    this.#keep();
    this.show();
  }

  free() {
    this.held = { left: false, right: false };
    this.#keep();
    this.show();
  }

  // Linked anew, both look at what the left one does.
  link() {
    if (this.box.checked) this.look("left", this.channels.left ?? this.channels.right);
    this.#keep();
    this.show();
  }

  // The address, the fields and the links of the page say which channels are held.
  #keep() {
    const { left, right } = this.channels;
    const held = this.held.left || this.held.right;
    const apart = held && left !== right;
    document.getElementById("channel").value = held ? left ?? "" : "";
    document.getElementById("right_channel").value = apart ? right ?? "" : "";
    const permalink = document.getElementById("permalink");
    permalink.value = this.#with(permalink.value, held ? left : null, apart ? right : null).href;
    const address = new URL(permalink.value);
    history.replaceState(history.state, "", address.pathname + address.search);
    const swap = document.querySelector("[data-swap]");
    swap.href = this.#with(swap.href, held ? (apart ? right : left) : null, apart ? left : null).href;
  }

  #with(address, channel, other) {
    const url = new URL(address);
    for (const [name, value] of [["channel", channel], ["right_channel", other]]) {
      if (value === null || value === undefined) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    return url;
  }
}

function beginBoth() {
  const view = document.querySelector("#view.beside");
  if (!view) return;
  view.both ??= new Both(view);
  view.both.begin();
}
beginBoth();
document.addEventListener("htmx:after:swap", beginBoth);
// A held channel is let go when another network or layer is chosen that may not have it.
document.addEventListener("change", (event) => {
  if (!/^(left|right)_(model|layer)$/.test(event.target.name ?? "")) return;
  const channels = Number(event.target.selectedOptions[0].dataset.channels ?? 0);
  for (const name of ["channel", "right_channel"]) {
    const field = document.getElementById(name);
    if (field && field.value !== "" && Number(field.value) >= channels) field.value = "";
  }
}, true);
document.addEventListener("keydown", (event) => {
  const both = document.querySelector("#view.beside")?.both;
  if (event.key === "Escape" && both && (both.held.left || both.held.right) && !document.querySelector("dialog[open], .menu[open]")) both.free();
});
