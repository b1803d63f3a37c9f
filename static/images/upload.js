// Bringing pictures: chosen, dropped, pasted, or from the camera; one bar for each.
"use strict";
const place = document.getElementById("upload");
const words = document.getElementById("upload-words").dataset;
const list = document.getElementById("uploads");

function row(name) {
  const entry = document.getElementById("upload-row").content.firstElementChild.cloneNode(true);
  entry.querySelector(".name").textContent = name;
  entry.querySelector("progress").setAttribute("aria-label", name);
  list.append(entry);
  return entry;
}

function refuse(entry, sentence) {
  entry.querySelector("progress").remove();
  const said = entry.querySelector(".said");
  said.className = "said refused";
  said.textContent = sentence;
}

// What did not let a picture through: Laterna says so itself; else it was something in between.
async function reason(request) {
  const said = request.response?.error?.message;
  if (said) return said;
  const elsewhere = request.responseURL && new URL(request.responseURL).pathname !== new URL(place.dataset.url, location).pathname;
  const fill = (sentence, status = request.status) => sentence.replace("{status}", status);
  if (request.status === 413) return words.betweenLarge;
  if ([502, 503, 504].includes(request.status)) return fill(words.betweenAway);
  if (elsewhere || [200, 401, 407, 511].includes(request.status)) return words.betweenSignIn;
  if (request.status) return fill(words.betweenOther);
  if (navigator.onLine === false) return words.offline;
  // Nothing came back at all: a sign-in page elsewhere looks like this too, and so does no answer.
  try {
    const look = await fetch(place.dataset.list, { redirect: "manual", cache: "no-store", headers: { Accept: "text/html" } });
    if (look.type === "opaqueredirect") return words.betweenSignIn;
    return look.headers.has("X-Request-ID") ? words.broken : fill(words.betweenAway, look.status);
  } catch { return words.away; }
}

// One picture: resolves to its address, or to null when it was refused. What is only too much at
// this moment is sent again when the server says.
const MOST_TRIES = 6;
async function send(entry, file, name) {
  const bar = entry.querySelector("progress"), said = entry.querySelector(".said");
  for (let tries = 1; ; tries += 1) {
    const request = await sent(bar, said, file, name);
    const address = request.status === 201 && request.response?.url;
    if (address) {
      bar.max = 1; bar.value = 1;
      const link = document.createElement("a");
      link.href = address;
      link.textContent = words.done;
      said.replaceChildren(link);
      return address;
    }
    const wait = Number(request.getResponseHeader("Retry-After"));
    const sentence = await reason(request);
    if (![429, 503].includes(request.status) || !(wait > 0) || !request.response?.error || tries === MOST_TRIES) {
      refuse(entry, sentence);
      return null;
    }
    said.textContent = sentence;
    await new Promise((go) => setTimeout(go, Math.min(wait, 60) * 1000));
  }
}
function sent(bar, said, file, name) {
  const form = new FormData();
  form.append(place.dataset.field, file, name);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", place.dataset.url);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.max = event.total; bar.value = event.loaded;
      if (event.loaded === event.total) said.textContent = words.reading;
    });
    request.addEventListener("loadend", () => resolve(request));
    request.send(form);
  });
}

// One queue over all that is brought: every picture has its row at once, and they go one by one.
const queue = [];
let brought = 0, busy = false;
function take(files) {
  if (!busy) { list.replaceChildren(); brought = 0; }
  for (const [file, name] of files) {
    const entry = row(name);
    brought += 1;
    if (file.size > Number(place.dataset.limit)) refuse(entry, words.large);
    else queue.push([entry, file, name]);
  }
  if (!busy) work();
}
async function work() {
  busy = true;
  const taken = [];
  while (queue.length) {
    const address = await send(...queue.shift());
    if (address) taken.push(address);
  }
  busy = false;
  if (brought === 1 && taken.length) location.assign(taken[0]);
  else if (taken.length) htmx.ajax("GET", `${place.dataset.list}?uploaded=${taken.length}`, { target: "#pictures", headers: { "HX-Target": "section#pictures" }, swap: "outerHTML" });
}
const named = (files) => [...files].map((file) => [file, file.name]);

// Folders are walked, whatever is in them; of their files, those that look like pictures are brought.
const PICTURE = /\.(jpe?g|jpe|jfif|mpo|png|gif|webp|bmp|tiff?|avif|heic|heif)$/i;
const looksRight = (one) => one.type.startsWith("image/") || PICTURE.test(one.name);
const fileOf = (entry) => new Promise((resolve) => entry.file(resolve, () => resolve(null)));
function someOf(reader) { return new Promise((resolve) => reader.readEntries(resolve, () => resolve([]))); }
async function walk(folder) {
  const reader = folder.createReader(), entries = [];
  for (let some = await someOf(reader); some.length; some = await someOf(reader)) entries.push(...some);
  const inside = [];
  for (const entry of entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }))) {
    if (entry.isDirectory) inside.push(...await walk(entry));
    else inside.push(await fileOf(entry));
  }
  return inside.filter(Boolean);
}
async function takeFolders(folders, files) {
  const found = (await Promise.all(folders.map(walk))).flat();
  const pictures = found.filter(looksRight);
  take([...files, ...named(pictures)]);
  const left = found.length - pictures.length;
  if (left || !found.length) {
    const note = row(folders.map((folder) => folder.name).join(", "));
    refuse(note, pictures.length ? words.leftOut.replace("{count}", left) : words.noPictures);
  }
}

const file = document.getElementById("file");
file.addEventListener("change", () => { if (file.files.length) take(named(file.files)); file.form.reset(); });
const capture = document.getElementById("capture");
capture.addEventListener("change", () => { if (capture.files.length) take(named(capture.files)); capture.value = ""; });

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
// An address from another window is no file; what is dragged within this page is its own affair.
let isOwn = false;
document.addEventListener("dragstart", () => { isOwn = true; });
document.addEventListener("dragend", () => { isOwn = false; });
const hasAddress = (event) => !isOwn && !event.target.closest?.("input, textarea") && ["text/uri-list", "text/html", "text/plain"].some((type) => event.dataTransfer?.types.includes(type));
function refuseAddress(event) {
  if (!busy) { list.replaceChildren(); brought = 0; }
  const [address] = (event.dataTransfer.getData("text/uri-list") || event.dataTransfer.getData("text/plain")).split(/\s*\n/).filter((line) => line && !line.startsWith("#"));
  refuse(row((address ?? "").slice(0, 120)), words.address);
  list.scrollIntoView({ block: "nearest" });
}
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event) && !hasAddress(event)) return;
  event.preventDefault();
  document.documentElement.classList.add("over");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.documentElement.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  if (!hasFiles(event) && !hasAddress(event)) return;
  event.preventDefault();
  document.documentElement.classList.remove("over");
  // Entries must be asked for before this function returns.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
  const folders = entries.filter((entry) => entry?.isDirectory);
  const names = new Set(folders.map((folder) => folder.name));
  const files = named(event.dataTransfer.files).filter(([one, name]) => !(names.has(name) && !one.type));
  if (folders.length) takeFolders(folders, files);
  else if (files.length) take(files);
  else refuseAddress(event);
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) take(files.map((one) => [one, one.name || words.pasted]));
});

// The camera: live where the browser has one for us, else the phone's own camera app.
const camera = document.getElementById("camera");
const video = camera.querySelector("video");
if (navigator.mediaDevices?.getUserMedia) document.getElementById("camera-open").hidden = false;
else document.getElementById("camera-file").hidden = false;
document.getElementById("camera-open").addEventListener("click", async () => {
  camera.querySelector(".said").textContent = "";
  camera.showModal();
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    await video.play();
  } catch {
    camera.querySelector(".said").textContent = words.refused;
    document.getElementById("camera-file").hidden = false;
  }
});
document.getElementById("camera-shoot").addEventListener("click", () => {
  if (!video.videoWidth) return;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  camera.close();
  canvas.toBlob((blob) => take([[blob, `${words.camera}.jpg`]]), "image/jpeg", 0.95);
});
camera.addEventListener("close", () => {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
});
