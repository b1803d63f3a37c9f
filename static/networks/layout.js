// Where everything of a drawn network stands: each open box is laid out by dagre for itself, and is
// one thing for the box around it. So no line crosses a box that it has nothing to do with.
"use strict";

const SPACE = { nodesep: 22, ranksep: 28, edgesep: 14 };
const PAD = 14, HEAD = 26;

// Nodes and boxes as a tree, and for each box the edges between its members, from what enters it
// and to what leaves it.
class Tree {
  constructor({ nodes, boxes }) {
    this.root = { id: "", members: [], parent: null };
    this.items = new Map();
    for (const row of boxes) this.items.set(row.id, { ...row, members: [], edges: new Map() });
    for (const row of nodes) this.items.set(row.id, { ...row });
    this.root.edges = new Map();
    for (const item of this.items.values()) item.parent = this.items.get(item.box) ?? this.root;
    const seen = new Set();
    this.nodes = nodes.map((row) => this.items.get(row.id));
    for (const node of this.nodes) this.#stand(node, seen);
    for (const node of this.nodes) for (const from of node.inputs) this.#tie(this.items.get(from), node);
  }

  // Put an item, and before it all that hold it, into what holds it.
  #stand(item, seen) {
    if (item === this.root || seen.has(item)) return;
    seen.add(item);
    this.#stand(item.parent, seen);
    item.parent.members.push(item);
  }

  #tie(from, to) {
    const above = new Set(Tree.around(to));
    let one = from, other = to;
    while (!above.has(one.parent)) {
      Tree.#edge(one.parent, one, null, from);
      one = one.parent;
    }
    while (other.parent !== one.parent) {
      Tree.#edge(other.parent, null, other, from);
      other = other.parent;
    }
    Tree.#edge(one.parent, one, other, from);
  }

  static #edge(box, from, to, source) {
    box.edges.set(`${from?.id}\n${to?.id}\n${source.id}`, { from, to, source });
  }

  // What holds an item, the innermost first; the last is the network itself.
  static around(item) {
    const found = [];
    for (let box = item.parent; box; box = box.parent) found.push(box);
    return found;
  }

  // The member of its box whose output a box gives: itself, or the last node in it.
  static output(item) {
    return item.members && !item.layer ? Tree.output(item.members.at(-1)) : item;
  }
}

// Sizes and places: `measure(item, open)` -> {w, h} of what has no inside to be seen, or of the
// title of an open box.
class Layout {
  #kept = new Map();

  constructor(tree, measure) { this.tree = tree; this.measure = measure; }

  // Everything to be drawn, in the drawing's own pixels: items {item, x, y, w, h, open}, the outer
  // before the inner, and ways {d, from, to, source}.
  place(open) {
    const drawn = { items: [], ways: [] };
    const whole = this.#box(this.tree.root, open);
    this.#lay(whole, 0, 0, drawn);
    return { ...drawn, w: whole.w, h: whole.h };
  }

  #lay(plan, x, y, drawn) {
    for (const way of plan.ways) drawn.ways.push({ ...way, d: Layout.#path(way.stops, x, y) });
    for (const { item, plan: inner, x: left, y: top } of plan.items) {
      drawn.items.push({ item, x: x + left, y: y + top, w: inner.w, h: inner.h, open: !!inner.items });
      if (inner.items) this.#lay(inner, x + left, y + top, drawn);
    }
  }

  #member(item, open) {
    return item.members && open.has(item.id) ? this.#box(item, open) : this.measure(item, false);
  }

  #box(box, open) {
    const plans = box.members.map((member) => this.#member(member, open));
    const number = new Map(box.members.map((member, place) => [member, place]));
    const ports = { i: new Map(), o: new Map() };
    const end = (member, side, source) => {
      if (member) return `n${number.get(member)}`;
      if (!ports[side].has(source)) ports[side].set(source, `${side}${ports[side].size}`);
      return ports[side].get(source);
    };
    const opened = (member) => !member || Boolean(plans[number.get(member)].items);
    const edges = new Map();
    for (const { from, to, source } of box.edges.values()) {
      const tail = end(from, "i", source), head = end(to, "o", source);
      const port = opened(from) || opened(to) ? source.id : "";
      edges.set(`${tail} ${head} ${port}`, { tail, head, from, to, source });
    }
    const list = [...edges.values()];
    const title = box === this.tree.root ? null : this.measure(box, true);
    const found = this.#laid(plans, list);
    // The one line that enters comes in the middle, and so what is one below the other is in line.
    const middle = ports.i.size === 1 ? found.at.i0.x : found.w / 2;
    const w = Math.max(2 * Math.max(middle, found.w - middle) + 2 * PAD, title ? title.w : 0);
    const left = w / 2 - middle, top = ports.i.size ? HEAD / 2 : title ? HEAD + PAD : PAD;
    const plan = { w, h: top + found.h + (ports.o.size ? 0 : PAD), entries: new Map(), exits: new Map() };
    plan.items = box.members.map((item, place) => {
      const { x, y } = found.at[`n${place}`];
      return { item, plan: plans[place], x: x + left - plans[place].w / 2, y: y + top - plans[place].h / 2 };
    });
    for (const [source, name] of ports.i) plan.entries.set(source.id, found.at[name].x + left);
    for (const [source, name] of ports.o) plan.exits.set(source.id, found.at[name].x + left);
    plan.ways = list.map(({ tail, head, from, to, source }, place) => {
      const start = from ? Layout.#port(plan.items[number.get(from)], "exits", source) : { x: plan.entries.get(source.id), y: 0 };
      const stop = to ? Layout.#port(plan.items[number.get(to)], "entries", source) : { x: plan.exits.get(source.id), y: plan.h };
      const rows = found.middles[place].map((row) => ({ x: row.x + left, top: row.top + top, bottom: row.bottom + top }));
      return { from, to, source, stops: [
        { x: start.x, top: start.y, bottom: Math.max(start.y, found.row[tail].bottom + top) }, ...rows,
        { x: stop.x, top: Math.min(stop.y, found.row[head].top + top), bottom: stop.y },
      ] };
    });
    return plan;
  }

  // Where a line leaves or enters a placed item: in the middle, of an open box where it goes on.
  static #port({ plan, x, y }, side, source) {
    const at = plan[side]?.get(source.id) ?? plan.w / 2;
    return { x: x + at, y: side === "exits" ? y + plan.h : y };
  }

  // Straight down beside what stands in a row, a curve only between rows.
  static #path(stops, x, y) {
    let said = "";
    stops.forEach((stop, place) => {
      if (!place) { said = `M${r(stop.x + x)} ${r(stop.top + y)}`; }
      else {
        const before = stops[place - 1], middle = (before.bottom + stop.top) / 2;
        said += Math.abs(before.x - stop.x) < 0.5 ? `V${r(stop.top + y)}`
          : `C${r(before.x + x)} ${r(middle + y)} ${r(stop.x + x)} ${r(middle + y)} ${r(stop.x + x)} ${r(stop.top + y)}`;
      }
      if (stop.bottom > stop.top) said += `V${r(stop.bottom + y)}`;
    });
    return said;
  }

  // dagre's own work, kept: blocks that are alike are laid out once.
  #laid(plans, edges) {
    const key = JSON.stringify([plans.map(({ w, h }) => [w, h]), edges.map(({ tail, head }) => [tail, head])]);
    if (!this.#kept.has(key)) this.#kept.set(key, Layout.#dagre(plans, edges));
    return this.#kept.get(key);
  }

  // {w, h}, `at` (the centre) and `row` of each by name, and for each edge the rows that it passes.
  static #dagre(plans, edges) {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "TB", ...SPACE });
    plans.forEach(({ w, h }, place) => graph.setNode(`n${place}`, { width: w, height: h }));
    const names = new Set(edges.flatMap(({ tail, head }) => [tail, head]));
    for (const name of names) if (!name.startsWith("n")) graph.setNode(name, { width: 1, height: 0 });
    edges.forEach(({ tail, head }, place) => graph.setEdge(tail, head, { weight: 1 }, `e${place}`));
    Layout.#pull(graph, names);
    dagre.layout(graph);
    Layout.#inOrder(graph, plans.length);
    const at = {}, rows = new Map(), row = {};
    for (const name of graph.nodes()) {
      const { x, y, height } = graph.node(name);
      at[name] = { x, y };
      const level = Math.round(y), known = rows.get(level) ?? { top: y, bottom: y };
      rows.set(level, { top: Math.min(known.top, y - height / 2), bottom: Math.max(known.bottom, y + height / 2) });
    }
    for (const name of graph.nodes()) row[name] = rows.get(Math.round(at[name].y));
    const middles = edges.map(({ tail, head }, place) => graph.edge(tail, head, `e${place}`).points
      .filter(({ y }) => rows.has(Math.round(y)) && y > row[tail].bottom && y < row[head].top)
      .map(({ x, y }) => ({ x, ...rows.get(Math.round(y)) })));
    return { ...Layout.#tight(graph, at, middles), at, row, middles };
  }

  // Beside each other things stand in the order in which they run, from left to right: a drawing
  // that has most of them the other way round is mirrored.
  static #inOrder(graph, count) {
    const places = Array.from({ length: count }, (_, place) => graph.node(`n${place}`));
    let turned = 0;
    for (const [place, one] of places.entries()) {
      for (const other of places.slice(place + 1)) if (Math.abs(one.y - other.y) < 1) turned += Math.sign(one.x - other.x);
    }
    if (turned <= 0) return;
    for (const name of graph.nodes()) graph.node(name).x *= -1;
    for (const edge of graph.edges()) for (const point of graph.edge(edge).points) point.x *= -1;
  }

  // Have all that enters stand above everything else, and all that leaves below.
  static #pull(graph, names) {
    const ports = (side) => [...names].filter((name) => name.startsWith(side));
    const enters = ports("i"), leaves = ports("o");
    const beside = (edges, port) => edges.length === 0 || edges.some(({ v, w }) => v.startsWith(port) || w.startsWith(port));
    const tie = (tail, head) => { if (!graph.outEdges(tail, head)?.length) graph.setEdge(tail, head, { weight: 0 }, "pull"); };
    const inner = graph.nodes().filter((name) => name.startsWith("n"));
    const first = inner.filter((name) => beside(graph.inEdges(name), "i")), last = inner.filter((name) => beside(graph.outEdges(name), "o"));
    for (const name of first) for (const port of enters) tie(port, name);
    for (const name of last) for (const port of leaves) tie(name, port);
  }

  // Lines may stand beside everything else: the drawing is as wide as they need.
  static #tight(graph, at, middles) {
    let low = Infinity, high = -Infinity;
    for (const name of graph.nodes()) {
      low = Math.min(low, at[name].x - graph.node(name).width / 2);
      high = Math.max(high, at[name].x + graph.node(name).width / 2);
    }
    for (const { x } of middles.flat()) { low = Math.min(low, x - 4); high = Math.max(high, x + 4); }
    for (const place of Object.values(at)) place.x -= low;
    for (const place of middles.flat()) place.x -= low;
    return { w: high - low, h: graph.graph().height };
  }
}

function r(number) { return Math.round(number * 10) / 10; }
