"use strict";
// Values at the moment that is pointed at or tapped, in all bands at once; a click goes there in the video.
const timeline = document.querySelector(".timeline");
const player = document.querySelector(".player");
const video = player && player.querySelector("video");
const names = JSON.parse(timeline.dataset.names);
const first = Number(timeline.dataset.first), last = Number(timeline.dataset.last);
const SMALLEST = 5, MOST = 3; // percent; emotions that are named

const bands = [...document.querySelectorAll(".band")].map((svg) => ({
  svg,
  cursor: svg.querySelector(".cursor"),
  output: svg.previousElementSibling.querySelector("output"),
  steps: JSON.parse(svg.dataset.steps),
}));
let now = first;
const EPOCH_FROM = 1e8; // from here on, seconds are those of the world's clock
const date = (seconds) => new Date(1000 * seconds).toISOString();
const isOneDay = first < EPOCH_FROM || date(first).slice(0, 10) === date(last).slice(0, 10);

function clock(seconds) {
  if (first >= EPOCH_FROM) return date(seconds).slice(isOneDay ? 11 : 5, 21).replace("T", " ");
  const tenths = Math.round(seconds * 10), minutes = Math.floor(tenths / 600);
  const rest = ((tenths - 600 * minutes) / 10).toFixed(1).padStart(4, "0");
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

function describe(step) {
  if (!step) return "not in view";
  if (typeof step === "string") return `unclear: ${step}`;
  const order = step.map((percent, i) => [percent, names[i]]).sort((a, b) => b[0] - a[0]);
  const named = order.filter(([percent], i) => !i || percent >= SMALLEST).slice(0, MOST);
  return named.map(([percent, name]) => `${name} ${percent}%`).join(", ");
}

function show(seconds) {
  now = Math.min(Math.max(seconds, first), last);
  const part = (now - first) / (last - first);
  for (const { svg, cursor, output, steps } of bands) {
    const step = steps[Math.min(Math.floor(part * steps.length + 1e-6), steps.length - 1)];
    output.textContent = `${clock(now)}  ${describe(step)}`;
    for (const side of ["x1", "x2"]) cursor.setAttribute(side, `${100 * part}%`);
    cursor.setAttribute("visibility", "visible");
    svg.setAttribute("aria-valuenow", now.toFixed(1));
    svg.setAttribute("aria-valuetext", output.textContent);
  }
}

function hide() {
  for (const { cursor, output } of bands) {
    cursor.setAttribute("visibility", "hidden");
    output.textContent = "";
  }
}

function jump() {
  if (video) video.currentTime = Math.max(0, now - Number(player.dataset.start));
}

for (const { svg, steps } of bands) {
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    show(first + ((event.clientX - box.left) / box.width) * (last - first));
  };
  svg.addEventListener("pointermove", at);
  svg.addEventListener("click", (event) => { at(event); jump(); });
  svg.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way) { show(now + (way * (last - first)) / steps.length); jump(); event.preventDefault(); }
  });
  const role = { role: "slider", tabindex: 0, "aria-valuemin": first, "aria-valuemax": last };
  for (const [name, value] of Object.entries(role)) svg.setAttribute(name, value);
}
if (video) {
  video.addEventListener("timeupdate", () => {
    const seconds = video.currentTime + Number(player.dataset.start);
    if (seconds >= first && seconds <= last) show(seconds);
    else hide();
  });
  video.addEventListener("error", () => { video.hidden = true; player.querySelector("p").hidden = false; });
}
document.querySelector(".hint").hidden = false;
