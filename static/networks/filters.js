// Filters: the tile under the pointer says its number, and leads to that filter's inputs.
"use strict";
function tileAt(frame, event) {
  const picture = frame.querySelector("img");
  const sheet = JSON.parse(frame.dataset.sheet);
  const box = picture.getBoundingClientRect();
  const { scale, left, top } = fitted(box.width, box.height, sheet.width, sheet.height);
  const x = (event.clientX - box.left - left) / scale, y = (event.clientY - box.top - top) / scale;
  const column = Math.floor((x - sheet.gap) / (sheet.tile + sheet.gap));
  const row = Math.floor((y - sheet.gap) / (sheet.tile_height + sheet.gap));
  const number = row * sheet.columns + column;
  const inside = x >= 0 && y >= 0 && column < sheet.columns && row >= 0 && row < sheet.rows;
  return inside && number < Number(frame.dataset.filters) ? number : null;
}
document.addEventListener("pointermove", (event) => {
  const frame = event.target.closest?.("[data-sheet]");
  if (!frame) return;
  const number = tileAt(frame, event);
  frame.classList.toggle("leads", number !== null);
  frame.title = number === null ? "" : `${frame.dataset.wordsOf} ${number}`;
});
document.addEventListener("click", (event) => {
  const frame = event.target.closest?.("[data-sheet]");
  const number = frame && tileAt(frame, event);
  if (number !== null && frame) location.assign(frame.dataset.address + number);
});
