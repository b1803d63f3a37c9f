// What grows: its picture and its state as they come by the stream, and the curve of its scores.
"use strict";

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

// A fragment is put where its parts are; a picture changes its address, so that nothing flickers.
function put(fragment) {
  const come = document.createElement("template");
  come.innerHTML = fragment;
  for (const part of [...come.content.children]) {
    const old = document.getElementById(part.id);
    if (!old || old.isEqualNode(part)) continue;
    if (part.id === "growing") old.src = part.src;
    else old.replaceWith(part);
  }
  const news = document.getElementById("news");
  const place = document.querySelector("[data-curve]");
  if (!news || !place || !curves.has(place)) return;
  place.dataset.steps = news.dataset.steps;
  const curve = curves.get(place);
  curve.reached = Number(news.dataset.step);
  curve.draw(JSON.parse(news.dataset.scores));
}

function begin() {
  drawCurves();
  const live = document.querySelector("[data-live]");
  if (!live || live.dataset.live === "on") return;
  live.dataset.live = "on";
  live.addEventListener("progress", (event) => put(event.detail.data));
  live.addEventListener("end", () => {
    htmx.ajax("GET", location.pathname, { target: "#made", headers: { "HX-Target": "div#made" }, swap: "outerHTML show:none" });
  });
}
begin();
document.addEventListener("htmx:after:swap", begin);
