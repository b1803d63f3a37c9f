// What changes by itself: one stream of events for the whole page, put where its parts are.
"use strict";

// Milliseconds: without a byte (the server pings every 15 s) a stream is taken for dead; without
// a first event the page is asked for instead, so often; a timer that is so late has slept.
const SILENCE = 30_000, FIRST = 5_000, POLL = 2_000, SLEPT = 10_000, LONGEST_PAUSE = 8_000;

// The curve, in the page's own colours. Wide as its place; steps to the right, the score upwards.
class Curve {
  constructor(place) {
    this.place = place;
    this.draw(JSON.parse(place.dataset.scores));
    new ResizeObserver(() => this.#size()).observe(place);
  }

  #width() { return Math.max(160, Math.floor(this.place.clientWidth)); }
  #size() { if (this.plot && this.plot.width !== this.#width()) this.plot.setSize({ width: this.#width(), height: 176 }); }

  draw(scores) {
    const last = Math.max(1, Number(this.place.dataset.steps));
    const steps = scores.map((_, k) => Math.round((k + 1) * (this.reached ?? last) / scores.length));
    if (this.plot) { this.plot.setData([steps, scores]); return; }
    const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = { stroke: color("--quiet"), font: "12px system-ui", ticks: { show: false }, grid: { stroke: color("--line"), width: 1 } };
    this.plot = new uPlot({
      width: this.#width(), height: 176, legend: { show: false }, cursor: { show: false },
      scales: { x: { time: false, range: () => [0, Number(this.place.dataset.steps) || 1] } },
      axes: [{ ...axis, size: 28, values: (_, steps) => steps.map((step) => (Number.isInteger(step) && Number(this.place.dataset.steps) > 1 ? step : "")) }, { ...axis, size: 52 }],
      series: [{}, { stroke: color("--light"), width: 2, points: { show: false } }],
    }, [steps, scores], this.place);
    this.place.prepend(this.plot.root);
  }
}

const curves = new WeakMap();
function drawCurves() {
  for (const place of document.querySelectorAll("[data-curve]")) if (!curves.has(place)) curves.set(place, new Curve(place));
}

function elements(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// An element becomes like another one, and stays the same: nothing flickers, a button under the
// finger or with the focus stays there, a fold that was opened stays open, a picture is not lost.
function become(old, fresh) {
  if (old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open" && name !== "src") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [before, now] = [[...old.childNodes], [...fresh.childNodes]];
  now.forEach((node, k) => (k < before.length ? become(before[k], node) : old.append(node)));
  for (const node of before.slice(now.length)) node.remove();
}

function put(parts) {
  for (const part of [...parts]) {
    const old = document.getElementById(part.id);
    if (old) become(old, part);
  }
  const news = document.getElementById("news");
  const place = document.querySelector("[data-curve]");
  if (!news || !place || !curves.has(place)) return;
  place.dataset.steps = news.dataset.steps;
  const curve = curves.get(place);
  curve.reached = Number(news.dataset.step);
  curve.draw(JSON.parse(news.dataset.scores));
}

const pause = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));

// The stream that an element names in `data-live`: `progress` brings parts of it, `end` means that
// the whole element is to be asked for once more. Where nothing comes, the element is asked for
// again and again; where something comes later, that is enough again.
class Live {
  constructor(place) { this.place = place; }

  get isShown() { return this.place.isConnected; }

  open() {
    this.close();
    this.control = new AbortController();
    this.spoke = false;
    this.heard = Date.now();
    this.#stream(this.control.signal);
    this.#poll(this.control.signal);
  }

  close() { this.control?.abort(); }

  // After a pause: what is so now, at once, and from then on by a new stream.
  again() {
    this.open();
    this.look(this.control.signal).catch(() => {});
  }

  watch() {
    if (!this.control?.signal.aborted && Date.now() - this.heard > SILENCE) this.again();
  }

  async #stream(signal) {
    for (let delay = 500; !signal.aborted && this.isShown; delay = Math.min(2 * delay, LONGEST_PAUSE)) {
      try {
        const answer = await fetch(this.place.dataset.live, { signal, cache: "no-store", headers: { Accept: "text/event-stream" } });
        if (answer.ok && await this.#read(answer.body.getReader(), signal)) return;
      } catch { /* the server or something before it is away: come back */ }
      await pause(delay * (0.7 + 0.6 * Math.random()));
    }
  }

  // True after `end`.
  async #read(reader, signal) {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return false;
      this.heard = Date.now();
      text += decoder.decode(value, { stream: true });
      const events = text.split(/\r?\n\r?\n/);
      text = events.pop();
      for (const event of events) if (this.#take(event)) return true;
    }
  }

  #take(event) {
    const field = (name) => event.split(/\r?\n/).filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ""));
    const [name] = field("event");
    if (name === undefined) return false; // a ping
    this.spoke = true;
    if (name === "progress") put(elements(field("data").join("\n")).children);
    if (name === "end") this.finish();
    return name === "end";
  }

  async #poll(signal) {
    await pause(FIRST);
    while (!signal.aborted && !this.spoke && this.isShown) {
      await this.look(signal).catch(() => {});
      await pause(POLL);
    }
  }

  // The element as the server has it now.
  async look(signal) {
    const { id, localName } = this.place;
    const headers = { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": `${localName}#${id}` };
    const answer = await fetch(location.pathname + location.search, { signal, headers });
    if (answer.status === 404 || answer.status === 410) { location.reload(); return; }
    if (!answer.ok || signal.aborted) return;
    const now = elements(await answer.text()).getElementById(id);
    if (!now || signal.aborted) return;
    if (now.dataset.live === undefined) this.finish();
    else put(now.querySelectorAll("[data-part]"));
  }

  finish() {
    this.close();
    const { id, localName } = this.place;
    htmx.ajax("GET", location.pathname + location.search, { target: `#${id}`, headers: { "HX-Target": `${localName}#${id}` }, swap: "outerHTML show:none" });
    setTimeout(() => live === this && this.isShown && !document.hidden && this.again(), FIRST); // the server was away just then
  }
}

let live = null;
function begin() {
  drawCurves();
  const place = document.querySelector("[data-live]");
  if (live && live.place === place) return;
  live?.close();
  live = place && new Live(place);
  if (!document.hidden) live?.open();
}
begin();
document.addEventListener("htmx:after:swap", begin);

// A tab that is not seen holds no connection, of which a browser has six for a host; when it is
// seen again, comes back by the back button, or the machine wakes, it shows at once what is so.
document.addEventListener("visibilitychange", () => (document.hidden ? live?.close() : live?.again()));
window.addEventListener("pagehide", () => live?.close());
window.addEventListener("pageshow", (event) => event.persisted && live?.again());
window.addEventListener("online", () => live?.again());
let ticked = Date.now();
setInterval(() => {
  const late = Date.now() - ticked > SLEPT;
  ticked = Date.now();
  if (document.hidden || !live?.isShown) return;
  if (late) live.again();
  else live.watch();
}, 1000);
