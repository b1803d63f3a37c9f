// The receptive field: a cell of a map shows its patch on the photo, a pixel the cells it reaches.
"use strict";
{
  // What an element shows, in pixels of its offset parent; sides: down and to the right.
  function shown(element) {
    const { offsetLeft: left, offsetTop: top, clientWidth: width, clientHeight: height, clientLeft, clientTop } = element;
    const isMap = element instanceof HTMLImageElement;
    const [wide, high] = isMap ? [element.naturalWidth, element.naturalHeight] : [element.width, element.height];
    const place = fitted(width, height, wide, high);
    const sides = [(isMap ? drawnHeight(element) : high) * place.scale, wide * place.scale];
    return { left: left + clientLeft + place.left, top: top + clientTop + place.top, sides };
  }

  // Where a pointer is on it: shares of its sides, down and to the right; null outside.
  function pointed(element, event) {
    const box = element.offsetParent.getBoundingClientRect();
    const { left, top, sides } = shown(element);
    const place = [event.clientY - box.top - element.offsetParent.clientTop - top, event.clientX - box.left - element.offsetParent.clientLeft - left].map((at, axis) => at / sides[axis]);
    return place.every((share) => share >= 0 && share < 1) ? place : null;
  }

  // A frame over a part of an element: shares of its sides, cut off at its edges.
  class Mark {
    constructor(element) {
      this.element = element;
      this.box = document.createElement("div");
      this.box.className = "field-mark";
      this.box.hidden = true;
      element.offsetParent.append(this.box);
    }
    show([down, right], [high, wide]) {
      const { left, top, sides } = shown(this.element);
      const ends = [down + high, right + wide].map((end, axis) => Math.min(1, end) * sides[axis]);
      const begins = [down, right].map((begin, axis) => Math.max(0, begin) * sides[axis]);
      const least = (axis) => Math.max(4, ends[axis] - begins[axis]);
      Object.assign(this.box.style, {
        top: `${top + begins[0]}px`, left: `${left + begins[1]}px`, height: `${least(0)}px`, width: `${least(1)}px`,
      });
      this.box.hidden = false;
    }
    hide() { this.box.hidden = true; }
  }

  class Field {
    constructor(place, map, photo) {
      this.place = place;
      this.words = place.dataset;
      this.field = JSON.parse(place.dataset.field);
      this.cells = JSON.parse(place.dataset.shape).slice(1);
      this.input = JSON.parse(place.dataset.input).slice(1);
      this.photo = photo;
      this.marks = { map: new Mark(map), photo: new Mark(photo) };
      this.at = null;
      photo.addEventListener("pointermove", (event) => { const at = pointed(photo, event); if (at) this.pixel(at); else this.hide(); });
      photo.addEventListener("pointerleave", () => this.hide());
      map.addEventListener("pointermove", (event) => { const at = pointed(map, event); if (at) this.share(at); else this.hide(); });
      map.addEventListener("pointerleave", () => this.hide());
      this.#keys(map);
    }

    // Arrow keys go from cell to cell where the map is.
    #keys(map) {
      const stage = map.closest(".frame") ?? map;
      stage.tabIndex = 0;
      stage.removeAttribute("aria-hidden");
      stage.setAttribute("role", "application");
      stage.setAttribute("aria-label", this.words.keys);
      stage.setAttribute("aria-describedby", "sees");
      stage.addEventListener("focus", () => { if (stage.matches(":focus-visible")) this.cell(this.at ?? this.cells.map((count) => count >> 1)); });
      stage.addEventListener("blur", () => this.hide());
      stage.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
        const from = this.at ?? this.cells.map((count) => count >> 1);
        this.cell(from.map((at, axis) => Math.min(this.cells[axis] - 1, Math.max(0, at + step[axis]))));
        event.preventDefault();
      });
    }

    share(place) { this.cell(place.map((at, axis) => Math.floor(at * this.cells[axis]))); }

    // What a cell sees, in pixels of the network's input.
    cell(at) {
      this.at = at;
      const { start, size, jump } = this.field;
      const begin = start.map((first, axis) => first + at[axis] * jump[axis]);
      this.marks.map.show(at.map((place, axis) => place / this.cells[axis]), this.cells.map((count) => 1 / count));
      this.marks.photo.show(begin.map((place, axis) => place / this.input[axis]), size.map((length, axis) => length / this.input[axis]));
      this.#draw(begin, size);
      this.#say(begin, size);
    }

    #say(begin, size) {
      const { words, whole, beyond, all } = this.words;
      const spans = begin.map((place, axis) => (place < 0 ? `−${-place} – ${place + size[axis] - 1}` : `${place}–${place + size[axis] - 1}`));
      const beyondEdge = begin.some((place, axis) => place < 0 || place + size[axis] > this.input[axis]);
      const said = this.field.whole && !this.field.jump[0] ? [all]
        : [words.replace("{cell}", this.at.join(", ")).replace("{size}", size.join(" × ")).replace("{rows}", spans[0]).replace("{columns}", spans[1]), this.field.whole ? whole : "", beyondEdge ? beyond : ""];
      document.getElementById("sees").textContent = said.filter(Boolean).join(" ");
    }

    // The patch itself, magnified; black is beyond the edge.
    #draw(begin, size) {
      const known = this.picture?.();
      const canvas = document.getElementById("patch");
      const pen = canvas.getContext("2d");
      pen.fillRect(0, 0, canvas.width, canvas.height);
      if (!known?.crop) return;
      photo(known.address, (image) => {
        const [left, top, right, bottom] = known.crop.map((side) => side * image.naturalWidth / known.width);
        const scale = canvas.width / Math.max(...size);
        pen.fillRect(0, 0, canvas.width, canvas.height);
        pen.drawImage(image, left, top, right - left, bottom - top, -begin[1] * scale, -begin[0] * scale, this.input[1] * scale, this.input[0] * scale);
      });
    }

    // The cells that see a pixel.
    pixel(place) {
      const { start, size, jump } = this.field;
      const at = place.map((share, axis) => Math.floor(share * this.input[axis]));
      const first = at.map((pixel, axis) => (jump[axis] ? Math.max(0, Math.ceil((pixel - start[axis] - size[axis] + 1) / jump[axis])) : 0));
      const last = at.map((pixel, axis) => (jump[axis] ? Math.min(this.cells[axis] - 1, Math.floor((pixel - start[axis]) / jump[axis])) : this.cells[axis] - 1));
      const count = last.map((end, axis) => Math.max(0, end - first[axis] + 1));
      this.marks.photo.show(at.map((pixel, axis) => (pixel - 1) / this.input[axis]), this.input.map((length) => 3 / length));
      if (count[0] * count[1]) this.marks.map.show(first.map((cell, axis) => cell / this.cells[axis]), count.map((many, axis) => many / this.cells[axis]));
      else this.marks.map.hide();
      const canvas = document.getElementById("patch");
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
      const all = this.cells[0] * this.cells[1];
      document.getElementById("sees").textContent = this.words.cells.replace("{count}", count[0] * count[1]).replace("{all}", all);
    }

    hide() { for (const mark of Object.values(this.marks)) mark.hide(); }
  }

  // The sheet of a layer: the channel under the pointer, magnified beside it, stands for its tile.
  function onSheet(place, frame) {
    const field = new Field(place, document.getElementById("closeup"), document.getElementById("over-photo"));
    field.picture = () => ({ crop: frame.sheet?.facts?.crop, address: frame.dataset.photo, width: Number(frame.dataset.width) });
    const image = frame.querySelector("img");
    frame.addEventListener("pointermove", (event) => {
      const { sheet } = frame;
      if (!sheet?.facts || sheet.at < 0 || !image.naturalWidth) return;
      const box = frame.getBoundingClientRect();
      const lies = fitted(frame.clientWidth, frame.clientHeight, image.naturalWidth, image.naturalHeight);
      const x = (event.clientX - box.left - frame.clientLeft - lies.left) / lies.scale;
      const y = (event.clientY - box.top - frame.clientTop - lies.top) / lies.scale;
      const [left, top, wide, high] = sheet.tile(sheet.at);
      const at = [(y - top) / high, (x - left) / wide];
      if (at.every((share) => share >= 0 && share < 1)) field.share(at);
    });
    frame.addEventListener("pointerleave", () => field.hide());
  }

  function onMap(place, map) {
    const over = document.getElementById("over-photo");
    const field = new Field(place, map, over);
    field.picture = () => {
      const said = document.querySelector("#numbers[data-crop]");
      return { crop: said && JSON.parse(said.dataset.crop), address: over.dataset.photo, width: Number(over.dataset.width) };
    };
  }

  function beginField() {
    const place = document.getElementById("field");
    if (!place || place.dataset.begun) return;
    place.dataset.begun = "yes";
    const frame = document.getElementById("sheet");
    const map = document.getElementById("map");
    if (frame) onSheet(place, frame);
    else if (map) onMap(place, map);
  }
  beginField();
  document.addEventListener("htmx:after:swap", beginField);
}
