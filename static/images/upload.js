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

// One picture: resolves to its address, or to null when it was refused.
function send(entry, file, name) {
  const bar = entry.querySelector("progress"), said = entry.querySelector(".said");
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
    request.addEventListener("load", () => {
      if (request.status !== 201) { refuse(entry, request.response?.error?.message ?? words.broken); resolve(null); return; }
      bar.max = 1; bar.value = 1;
      const link = document.createElement("a");
      link.href = request.response.url;
      link.textContent = words.done;
      said.replaceChildren(link);
      resolve(request.response.url);
    });
    request.addEventListener("error", () => { refuse(entry, words.broken); resolve(null); });
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
  else if (taken.length) htmx.ajax("GET", place.dataset.list, { target: "#pictures", headers: { "HX-Target": "section#pictures" }, swap: "outerHTML" });
}
const named = (files) => [...files].map((file) => [file, file.name]);

const file = document.getElementById("file");
file.addEventListener("change", () => { if (file.files.length) take(named(file.files)); file.form.reset(); });
const capture = document.getElementById("capture");
capture.addEventListener("change", () => { if (capture.files.length) take(named(capture.files)); capture.value = ""; });

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  document.documentElement.classList.add("over");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.documentElement.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  document.documentElement.classList.remove("over");
  take(named(event.dataTransfer.files));
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
