// A brush over the picture: what it covers is written into the address, and asked about.
"use strict";

const cover = document.getElementById("cover");
const picture = cover?.querySelector("img");
const sheet = cover?.querySelector("canvas");
const brush = cover?.querySelector(".brush");
const side = Number(cover?.dataset.side);
const input = JSON.parse(cover?.dataset.input ?? "[1, 1, 1]").slice(1); // its height and width
const fill = document.getElementById("fill");
const tools = document.getElementById("tools");

// A mask is a bit per cell, row by row, in base64 as addresses have it, without zeros at its end.
function read(text) {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from({ length: side * side }, (_, k) => (bytes.charCodeAt(k >> 3) >> (7 - (k & 7))) & 1);
}
function written(cells) {
  const bytes = new Uint8Array(Math.ceil(cells.length / 8));
  cells.forEach((cell, k) => { bytes[k >> 3] |= cell << (7 - (k & 7)); });
  let end = bytes.length;
  while (end && !bytes[end - 1]) end -= 1;
  return btoa(String.fromCharCode(...bytes.subarray(0, end))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

class Covering {
  constructor() {
    this.cells = read(cover.dataset.mask);
    this.past = [];
    this.future = [];
    this.stroke = null; // cells changed since the pointer went down
    this.at = [side / 2, side / 2];
    this.uncovers = false;
    cover.addEventListener("pointerdown", (event) => this.#begin(event));
    cover.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) cover.addEventListener(end, () => this.#end());
    cover.addEventListener("pointerleave", () => { if (!this.stroke && document.activeElement !== cover) brush.hidden = true; });
    cover.addEventListener("keydown", (event) => this.#key(event));
    cover.addEventListener("focus", () => { if (cover.matches(":focus-visible")) this.#show(); });
    cover.addEventListener("blur", () => { brush.hidden = true; });
    tools.addEventListener("click", (event) => this.#tool(event.target.closest("button")));
    tools.querySelector("[data-size]").addEventListener("input", () => this.#show());
    fill.addEventListener("change", () => this.#ask());
    fill.form.addEventListener("submit", (event) => this.#rectangle(event));
    picture.addEventListener("load", () => { if (!this.stroke) this.#wipe(); });
    window.addEventListener("popstate", () => location.reload());
  }

  get size() { return Number(tools.querySelector("[data-size]").value); }

  // Where the picture lies in its frame (object-fit: contain); below it may be a mark of untrained.
  #place() {
    const place = fitted(cover.clientWidth, cover.clientHeight, picture.naturalWidth || 1, picture.naturalHeight || 1);
    const width = (picture.naturalWidth || 1) * place.scale;
    return { ...place, width, height: width * input[0] / input[1] };
  }

  #cell(event) {
    const box = cover.getBoundingClientRect();
    const { width, height, left, top } = this.#place();
    return [(event.clientX - box.left - cover.clientLeft - left) / width * side, (event.clientY - box.top - cover.clientTop - top) / height * side];
  }

  #show() {
    const { width, height, left, top } = this.#place();
    const share = this.size / side;
    Object.assign(sheet.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    Object.assign(brush.style, {
      left: `${left + this.at[0] / side * width}px`, top: `${top + this.at[1] / side * height}px`, width: `${share * width}px`, height: `${share * height}px`,
    });
    brush.classList.toggle("uncovers", this.uncovers);
    brush.hidden = false;
  }

  #begin(event) {
    if (event.button > 0) return;
    event.preventDefault();
    cover.focus({ preventScroll: true });
    cover.setPointerCapture(event.pointerId);
    this.stroke = this.cells.slice();
    this.at = this.#cell(event);
    this.#stamp(this.at);
    this.#show();
  }

  #move(event) {
    const to = this.#cell(event);
    if (this.stroke) {
      const [x, y] = this.at;
      const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - x, to[1] - y) * 2));
      for (let k = 1; k <= steps; k += 1) this.#stamp([x + (to[0] - x) * k / steps, y + (to[1] - y) * k / steps]);
    }
    this.at = to;
    this.#show();
  }

  #end() {
    if (!this.stroke) return;
    const before = this.cells;
    this.cells = this.stroke;
    this.stroke = null;
    this.#changed(before);
  }

  // Every cell whose middle is under the brush; at least the one that it is over.
  #stamp([x, y]) {
    const pen = sheet.getContext("2d");
    pen.fillStyle = this.uncovers ? "#fff8" : "#f0b35acc";
    const reach = this.size / 2;
    for (let row = Math.max(0, Math.floor(y - reach)); row <= Math.min(side - 1, y + reach); row += 1) {
      for (let column = Math.max(0, Math.floor(x - reach)); column <= Math.min(side - 1, x + reach); column += 1) {
        const inside = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= reach;
        const under = column === Math.floor(x) && row === Math.floor(y);
        const k = row * side + column;
        if (!(inside || under) || this.stroke[k] === Number(!this.uncovers)) continue;
        this.stroke[k] = Number(!this.uncovers);
        pen.fillRect(column, row, 1, 1);
      }
    }
  }

  #wipe() { sheet.getContext("2d").clearRect(0, 0, side, side); }

  #key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "z") { event.preventDefault(); this.#back(); }
      return;
    }
    if (step) {
      const far = event.shiftKey ? 1 : Math.max(1, Math.round(this.size / 2));
      this.at = this.at.map((place, axis) => Math.min(side - 0.5, Math.max(0.5, place + step[axis] * far)));
      this.#show();
    } else if (event.key === " " || event.key === "Enter") this.#once(this.uncovers);
    else if (event.key === "Backspace" || event.key === "Delete") this.#once(true);
    else if (event.key.toLowerCase() === "z") this.#back();
    else if (event.key.toLowerCase() === "y") this.#forth();
    else if (event.key === "+" || event.key === "-") {
      tools.querySelector("[data-size]").value = this.size + (event.key === "+" ? 1 : -1);
      this.#show();
    } else return;
    event.preventDefault();
  }

  // One stamp where the brush is, by a key.
  #once(uncovers) {
    const was = this.uncovers;
    this.uncovers = uncovers;
    this.stroke = this.cells.slice();
    this.#stamp(this.at);
    this.#show();
    this.#end();
    this.uncovers = was;
  }

  #tool(button) {
    if (!button) return;
    if (button.dataset.mode) {
      this.uncovers = button.dataset.mode === "uncover";
      for (const one of tools.querySelectorAll("[data-mode]")) one.setAttribute("aria-pressed", String(one === button));
    } else if ("undo" in button.dataset) this.#back();
    else if ("redo" in button.dataset) this.#forth();
    else if ("clear" in button.dataset) this.#become(new Uint8Array(side * side));
  }

  #rectangle(event) {
    event.preventDefault();
    const said = (name) => Number(fill.form.elements[name].value) / 100 * side;
    const [left, top, width, height] = ["left", "top", "width", "height"].map(said);
    if (!width || !height) { this.#ask(); return; }
    const cells = this.cells.slice();
    for (let row = Math.round(top); row < Math.min(side, Math.round(top + height)); row += 1) {
      for (let column = Math.round(left); column < Math.min(side, Math.round(left + width)); column += 1) cells[row * side + column] = 1;
    }
    this.#become(cells);
  }

  #become(cells) {
    const before = this.cells;
    this.cells = cells;
    this.#changed(before);
  }

  #changed(before) {
    if (before.every((cell, k) => cell === this.cells[k])) { this.#wipe(); return; }
    this.past.push(before);
    this.future = [];
    this.#ask();
  }

  #back() {
    if (!this.past.length) return;
    this.future.push(this.cells);
    this.cells = this.past.pop();
    this.#ask();
  }

  #forth() {
    if (!this.future.length) return;
    this.past.push(this.cells);
    this.cells = this.future.pop();
    this.#ask();
  }

  // The picture and the numbers of the same address, which the address bar takes over at once.
  #ask() {
    const mask = written(this.cells);
    const query = new URLSearchParams();
    if (mask) query.set("mask", mask);
    if (fill.value !== "mean") query.set("fill", fill.value);
    if (cover.dataset.seed !== "0") query.set("seed", cover.dataset.seed);
    this.said = String(query) && `?${query}`;
    tools.querySelector("[data-undo]").disabled = !this.past.length;
    tools.querySelector("[data-redo]").disabled = !this.future.length;
    tools.querySelector("[data-clear]").disabled = !mask;
    fill.form.elements.mask.value = mask;
    history.replaceState(history.state, "", cover.dataset.plain + this.said);
    picture.src = cover.dataset.picture + this.said;
    if (!this.asking) this.#numbers();
  }

  // One request at a time: when it has come and more was covered meanwhile, the newest is asked for.
  async #numbers() {
    this.asking = true;
    for (let asked = null; asked !== this.said;) {
      asked = this.said;
      if (!document.getElementById("numbers")) { // a sentence that says what went wrong took its place
        const place = document.createElement("section");
        place.id = "numbers";
        document.querySelector(".answer").prepend(place);
      }
      const headers = { "HX-Target": "section#numbers" };
      try {
        await htmx.ajax("GET", cover.dataset.plain + asked, { source: cover, target: "#numbers", headers, swap: "outerHTML show:none" });
      } catch { /* htmx has said what went wrong; the next stroke asks again */ }
    }
    this.asking = false;
  }
}
if (cover) cover.covering = new Covering();
