// A transparent page for OBS's browser source, fed by what a session sees. What it shows is asked for in the address:
//   person=Anna or person=2   of this one alone; without it, of everybody
//   style=bars|label|boxes    a card with bars, the emotion alone, or boxes as large as the page
//   scale=1.5                 larger or smaller

import { paintFaces } from "./paint.js";
import { make } from "./people.js";
import { enter } from "./session.js";
import { isReadable, label, percent, person } from "./words.js";

const RETRY_MS = 2000;
const STALE_MS = 2000; // after so long without a frame, nothing is shown
const QUIET = "#a0a0a0";

const query = new URLSearchParams(location.search);
const wanted = query.get("person"), style = query.get("style") ?? "bars", scale = Number(query.get("scale")) || 1;
const root = document.getElementById("overlay");
root.style.fontSize = `${16 * scale}px`;
let classes = [], colors = {}, stale;

async function listen() {
  const { access, status } = await enter();
  if (access !== "open") return setTimeout(listen, RETRY_MS);
  ({ class_names: classes, colors } = status);
  const session = query.get("session");
  const events = new EventSource(session ? `/v1/events?${new URLSearchParams({ session })}` : "/v1/events");
  events.addEventListener("faces", ({ data }) => {
    clearTimeout(stale);
    stale = setTimeout(() => root.replaceChildren(), STALE_MS);
    show(JSON.parse(data));
  });
  events.onerror = () => { events.close(); setTimeout(listen, RETRY_MS); };
}

function show(result) {
  const faces = result.faces.filter((face) => !wanted || face.name === wanted || String(face.track_id) === wanted);
  if (style === "boxes") paint(result, faces);
  else root.replaceChildren(...faces.map(style === "label" ? labelOf : cardOf));
}

function paint({ width, height }, faces) {
  const canvas = root.querySelector("canvas") ?? make("canvas");
  root.append(canvas);
  Object.assign(canvas, { width: innerWidth, height: Math.round((innerWidth * height) / width) });
  canvas.style.height = `${canvas.height}px`;
  paintFaces(canvas.getContext("2d"), faces, { frame: width, mirrored: query.has("mirrored"), text: 18 * scale, colors });
}

function labelOf(face) {
  const card = make("div", "card label"), who = make("span", "who"), shown = make("span", "shown");
  who.textContent = person(face);
  shown.textContent = label(face);
  shown.style.background = face.note ? QUIET : colors[face.emotion];
  card.append(who, shown);
  return card;
}

function cardOf(face) {
  const card = make("div", "card bars"), shown = make("span", "shown"), who = make("span", "who");
  shown.textContent = label(face);
  who.textContent = person(face);
  card.append(shown, who, ...classes.map((name) => {
    const bar = make("div", "bar"), title = make("span"), track = make("div", "track"), fill = make("i");
    title.textContent = name;
    fill.style.width = percent(face.probabilities[name]);
    fill.style.background = isReadable(face.note) ? colors[name] : QUIET;
    track.append(fill);
    bar.append(title, track);
    return bar;
  }));
  return card;
}

listen();
