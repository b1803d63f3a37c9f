// What is wrong with the drawing on this page: lines that run through a box which they have nothing
// to do with, boxes that overlap, and lines of different data that cross each other.
() => {
  const ways = [...drawing.svg.querySelectorAll(".way")];
  const closed = [...drawing.placed.values()].filter((placed) => !placed.open);
  const ends = ways.map((way) => way.dataset.ends.split("\n"));
  const lines = ways.map((way) => {
    const length = way.getTotalLength(), steps = Math.max(8, Math.min(60, Math.round(length / 15)));
    return Array.from({ length: steps + 1 }, (_, k) => way.getPointAtLength((length * k) / steps));
  });
  const inside = (point, { x, y, w, h }) => point.x > x + 2 && point.x < x + w - 2 && point.y > y + 2 && point.y < y + h - 2;
  const through = [], overlapping = [], crossing = [];
  lines.forEach((points, k) => {
    for (const box of closed) {
      if (!ends[k].includes(box.item.id) && points.some((point) => inside(point, box))) through.push([ends[k], box.item.id]);
    }
  });
  closed.forEach((a, k) => {
    for (const b of closed.slice(k + 1)) {
      if (a.x < b.x + b.w - 1 && b.x < a.x + a.w - 1 && a.y < b.y + b.h - 1 && b.y < a.y + a.h - 1) overlapping.push([a.item.id, b.item.id]);
    }
  });
  const around = lines.map((points) => {
    const xs = points.map(({ x }) => x), ys = points.map(({ y }) => y);
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  });
  const side = (a, b, c) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
  const cut = (a, b, c, d) => side(a, b, c) * side(a, b, d) < -1e-6 && side(c, d, a) * side(c, d, b) < -1e-6;
  const pieces = (points) => points.slice(1).map((point, k) => [points[k], point]);
  lines.forEach((one, k) => {
    for (let l = k + 1; l < lines.length; l++) {
      if (ends[k].at(-1) === ends[l].at(-1)) continue;
      const a = around[k], b = around[l];
      if (a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top) continue;
      if (pieces(one).some(([p, q]) => pieces(lines[l]).some(([s, t]) => cut(p, q, s, t)))) crossing.push([ends[k], ends[l]]);
    }
  });
  return { items: drawing.placed.size, through, overlapping, crossing };
}
