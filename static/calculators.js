// Calculators: the address tells what was changed, and presets fill their field.
"use strict";
const numbers = document.getElementById("calculators");
const given = new Map(Object.entries(JSON.parse(numbers.dataset.defaults)).map(([name, value]) => [name, String(value)]));
numbers.addEventListener("input", () => {
  const changed = [...new FormData(numbers)].filter(([name, value]) => value !== "" && given.get(name) !== value);
  const said = new URLSearchParams(changed).toString();
  history.replaceState(history.state, "", location.pathname + (said && `?${said}`) + location.hash);
});
numbers.addEventListener("click", (event) => {
  const windows = event.target.dataset?.stack;
  if (!windows || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  numbers.elements.stack.value = windows;
  numbers.elements.stack.dispatchEvent(new Event("input", { bubbles: true }));
});
