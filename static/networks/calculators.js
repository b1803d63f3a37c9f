// Calculators: the address tells what was changed, what was wrong is wiped, presets fill their field.
"use strict";
const numbers = document.getElementById("calculators");
const given = JSON.parse(numbers.dataset.defaults);
const same = (name, value) => String(given[name]) === value || Number(value) === given[name];
numbers.addEventListener("input", (event) => {
  event.target.closest("section").querySelector(".problem").replaceChildren();
  const changed = [...new FormData(numbers)].filter(([name, value]) => value !== "" && !same(name, value));
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
