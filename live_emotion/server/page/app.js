// The page: the camera's frames go to the server one at a time, and what comes back is shown.

import { Bands } from "./bands.js";
import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { Enrolment } from "./enrolment.js";
import { acceptDrops, Files } from "./files.js";
import { Markers } from "./markers.js";
import { paintFaces } from "./paint.js";
import { People } from "./people.js";
import { Recorder } from "./recorder.js";
import { bind, change, settings } from "./settings.js";
import { clock, count, label, person } from "./words.js";

const TEXT_PX = 15; // height of the text at faces, as it is seen
const NOTICE_MS = 4000;
const RATE_S = 2; // frames a second are counted over so long
const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

const find = (id) => document.getElementById(id);
const view = find("view"), pen = view.getContext("2d", { alpha: false });

const EXPORTS = {
  "export-report": "report.html",
  "export-csv": "rows.csv?download=1",
  "export-jsonl": "rows.jsonl?download=1",
  "export-markers": "markers.csv?download=1",
};

const names = new Map(); // given here, by track id
let server = null; // what it said of itself
let session = ""; // whose rows can be had
let shown = null; // the last answer
let sent = null; // number and time of the frame whose answer is awaited
let isFresh = false, isTaking = false, isPaused = false;
let number = 0;
let times = []; // of the answers of the last moments
let standing = ""; // what is to be done about the connection
const seen = new Set();

const camera = new Camera(() => { isFresh = true; step(); }, (why) => welcome("The camera stopped", why, "Try again"));
const people = new People(find("people"), find("said"), rename);
const bands = new Bands(find("bands"), find("key"));
const recorder = new Recorder(view, notice);
const connection = new Connection({ state: showState, status: meet, ready: begin, result: take, enrol: learn, error: refuse, marked });
const markers = new Markers(find("markers"), find("marker-labels"), find("marks"), (text) => connection.send({ type: "marker", label: text }));
const enrolment = new Enrolment(find, (message) => connection.send(message), () => { enable(); find("enrol").focus(); repaint(); });
const files = new Files(find("results"), () => ({ colors: server?.colors ?? {}, query: new URLSearchParams(options()) }));

// ---- frames, one at a time, always the newest

/** Sends the newest frame, unless one is on its way. */
async function step() {
  if (isTaking || sent || !isFresh || isPaused || !camera.isOn || connection.state !== "live") return;
  isTaking = true;
  isFresh = false;
  const at = performance.now() / 1000;
  const picture = await camera.take(settings.width).finally(() => { isTaking = false; });
  if (connection.state !== "live" || isPaused) return;
  sent = { number: ++number, at };
  connection.sendFrame(number, at, picture);
}

/** Takes the answer to a frame: that very frame is painted, so that boxes fit. */
function take(result) {
  if (result.frame !== sent?.number) return;
  const { at } = sent, now = receive();
  if (!camera.isOn) return;
  for (const face of result.faces) face.name = names.get(face.track_id) ?? face.name;
  shown = result;
  for (const { track_id } of result.faces) seen.add(track_id);
  people.update(result.faces, now);
  keepPicture();
  repaint();
  bands.add(result.faces, at);
  writeNumbers(now, now - at);
  find("welcome").hidden = true;
  step();
}

/** The answer to the frame that was sent is there. @returns {number} when, in seconds. */
function receive() {
  sent = null;
  const now = performance.now() / 1000;
  times = [...times.filter((time, i) => now - time < RATE_S || i === times.length - 1), now];
  return now;
}

/** During an enrolment a frame is answered by what to do next. */
function learn(message) {
  if (message.frame === sent?.number) {
    receive();
    keepPicture();
    repaint();
  }
  enrolment.show(message);
  step();
}

/** The server could not read a frame, or does not do what it was asked. */
function refuse({ detail, frame }) {
  notice(detail);
  if (frame === undefined || frame !== sent?.number) return;
  sent = null;
  step();
}

const picture = new OffscreenCanvas(1, 1), pictureOf = picture.getContext("2d", { alpha: false });

/** Keeps the frame of the last answer, for painting it again. */
function keepPicture() {
  const { width, height } = camera.frame;
  if (picture.width !== width || picture.height !== height) Object.assign(picture, { width, height });
  pictureOf.drawImage(camera.frame, 0, 0);
}

function repaint() {
  if (!shown) return;
  const { width, height } = picture;
  if (view.width !== width || view.height !== height) Object.assign(view, { width, height });
  pen.save();
  if (settings.mirror) pen.setTransform(-1, 0, 0, 1, width, 0);
  pen.drawImage(picture, 0, 0);
  pen.restore();
  if (enrolment.isOn) return;
  const text = Math.min(Math.max((TEXT_PX * width) / view.clientWidth, 13), width / 14);
  paintFaces(pen, shown.faces, { frame: shown.width, mirrored: settings.mirror, text, colors: server.colors });
}

function writeNumbers(now, delay_s) {
  if (now - (writeNumbers.at ?? 0) < 0.5) return;
  writeNumbers.at = now;
  const span = times.at(-1) - times[0];
  const rate = span ? (times.length - 1) / span : 0;
  find("numbers").textContent = `${rate.toFixed(rate && rate < 2 ? 1 : 0)} FPS · ${Math.round(1000 * delay_s)} ms`;
  find("numbers").title = "frames read a second, and how long from the camera to the screen";
  const faces = shown.faces.map((face) => `${person(face)}: ${label(face)}`).join(", ");
  view.setAttribute("aria-label", `The camera's picture. ${faces || "Nobody is in view."}`);
  if (recorder.isOn) caption("record", recorder.length);
  find("session-summary").textContent = `${clock(shown.time_s)} so far, ${count(seen.size, "person", "people")}`;
}

// ---- the server

function showState(state, words, advice) {
  const pill = find("connection");
  pill.dataset.state = state;
  if (pill.textContent !== words) pill.textContent = words;
  standing = advice;
  notice(standing);
  if (camera.isOn) sayWaiting();
  if (state === "live") return;
  sent = null;
  if (enrolment.isOn) { enrolment.end(); notice("The connection was lost; nothing was learned."); }
  enable();
}

/** Until there is a picture: that it comes, where the notice below does not say why it doesn't. */
function sayWaiting() {
  find("welcome-text").textContent = standing ? "" : "Waiting for the first answer …";
}

/** What the server says of itself, before a session and in it. */
function meet(status) {
  server = status;
  enrolment.colors = server.colors;
  find("version").textContent = `live-emotion ${server.version}, ${server.model}`;
}

/** A session begins, or goes on. */
function begin(message) {
  meet(message);
  if (message.isFirst && !(message.resumed && message.session === session)) reset();
  session = message.session;
  for (const [id, file] of Object.entries(EXPORTS)) find(id).href = `/v1/sessions/${session}/${file}`;
  enable();
  step();
}

/** A new session knows nobody. */
function reset() {
  names.clear();
  seen.clear();
  people.reset(server.class_names, server.colors);
  bands.reset(server.class_names, server.colors);
  markers.reset();
  find("export-markers").hidden = true;
  find("session-summary").textContent = "Nothing was seen yet.";
}

/** Names somebody; an empty name takes the name away. */
function rename(id, name) {
  if (name) names.set(id, name);
  else names.delete(id);
  connection.send({ type: "name", track_id: id, name });
  for (const face of shown?.faces ?? []) if (face.track_id === id) face.name = name;
  repaint();
}

function marked({ label: text, time_s }) {
  bands.mark(text, performance.now() / 1000);
  markers.add(text, time_s);
  find("export-markers").hidden = false;
  notice(`marked: ${text}`);
}

// ---- the camera

async function open(id = settings.camera) {
  find("start").disabled = true;
  const trouble = await camera.open(id);
  find("start").disabled = false;
  if (trouble && id) change({ camera: "" });
  await listCameras();
  if (trouble) return welcome("No picture", trouble, "Try again");
  isPaused = false;
  showPause();
  sayWaiting();
  connection.want();
  enable();
}

async function listCameras() {
  const cameras = await camera.list();
  find("cameras").replaceChildren(...cameras.map(({ id, name }) => new Option(name, id, false, id === camera.id)));
  if (!cameras.length) find("cameras").append(new Option("none found", ""));
}

/** Says in the place of the picture why there is none, and what to do. */
function welcome(title, text, action) {
  find("welcome-title").textContent = title;
  find("welcome-text").textContent = text;
  find("start").lastChild.textContent = action;
  find("welcome").hidden = false;
  if (recorder.isOn) toggleRecording();
  shown = null;
  clear();
  enable();
}

function clear() {
  pen.fillStyle = "#111113";
  pen.fillRect(0, 0, view.width, view.height);
  view.setAttribute("aria-label", "No picture");
}

// ---- buttons and keys

/** Says something for a while. */
function notice(text) {
  const place = find("notice");
  if (place.textContent !== text) place.textContent = text;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => { if (place.textContent !== standing) place.textContent = standing; }, NOTICE_MS);
}

function enable() {
  const isSeeing = camera.isOn, isLive = connection.state === "live" && !enrolment.isOn;
  for (const id of ["screenshot", "record"]) find(id).disabled = !isSeeing;
  find("pause").disabled = !isSeeing || enrolment.isOn;
  find("enrol").disabled = !(isSeeing && isLive);
  find("forget").disabled = !isLive;
  markers.enabled = isSeeing && isLive;
}

const caption = (id, text) => { find(id).querySelector("span").textContent = text; };
const press = (id, isOn) => find(id).setAttribute("aria-pressed", String(isOn));

function showPause() {
  press("pause", isPaused);
  caption("pause", isPaused ? "Go on" : "Pause");
  find("pause").querySelector("use").setAttribute("href", isPaused ? "#icon-play" : "#icon-pause");
}

function toggleRecording() {
  if (recorder.isOn) recorder.stop();
  else recorder.start();
  press("record", recorder.isOn);
  caption("record", recorder.isOn ? "0:00" : "Record");
  find("record").setAttribute("aria-label", recorder.isOn ? "Stop the recording" : "Record");
}

function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue), { once: true }));
}

const ACTIONS = {
  pause() { isPaused = !isPaused; showPause(); step(); },
  mirror() { change({ mirror: !settings.mirror }); press("mirror", settings.mirror); repaint(); },
  screenshot: () => recorder.screenshot(),
  record: toggleRecording,
  async enrol() {
    find("enrol-name").value = settings.name;
    sayExists();
    if (await ask(find("enrol-dialog")) !== "begin") return;
    const name = find("enrol-name").value.trim();
    change({ name });
    if (isPaused) ACTIONS.pause();
    enrolment.begin(name);
    enable();
  },
  fullscreen: () => (document.fullscreenElement ? document.exitFullscreen() : find("stage").requestFullscreen()),
  "open-settings": () => ask(find("settings")),
  async forget() {
    if (await ask(find("forget-dialog")) !== "forget") return;
    connection.renew(() => fetch(`/v1/sessions/${session}`, { method: "DELETE" }));
  },
  start: () => open(),
};

const KEYS = { p: "pause", m: "mirror", s: "screenshot", r: "record", e: "enrol", f: "fullscreen", h: "open-settings" };

function sayExists() {
  const name = find("enrol-name").value.trim();
  find("enrol-exists").textContent = server?.profiles.includes(name) ? `${name} was learned before; choose another name.` : "";
}

function nextCamera() {
  const list = find("cameras");
  if (list.length < 2) return notice("there is no other camera");
  list.selectedIndex = (list.selectedIndex + 1) % list.length;
  list.dispatchEvent(new Event("change"));
}

addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (enrolment.isOn) {
    if (event.key === "Escape") enrolment.press("cancel");
    if (event.key === " " && !event.target.closest("button, a, summary")) { event.preventDefault(); enrolment.forward(); }
    return;
  }
  if (!settings.shortcuts) return;
  if (/^[1-9]$/.test(event.key)) find("markers").children[event.key - 1].click();
  else if (event.key === "c") nextCamera();
  else if (KEYS[event.key]) { event.preventDefault(); find(KEYS[event.key]).click(); }
});

for (const [id, action] of Object.entries(ACTIONS)) find(id).addEventListener("click", action);
for (const button of document.querySelectorAll("[data-close]")) button.onclick = () => button.closest("dialog").close();
find("cameras").onchange = ({ target }) => { change({ camera: target.value }); open(); };
find("enrol-name").oninput = sayExists;
find("files").onchange = ({ target }) => { files.read([...target.files]); target.value = ""; };
addEventListener("beforeunload", (event) => { if (recorder.isOn) event.preventDefault(); });
new ResizeObserver(repaint).observe(view);
acceptDrops(find("drop"), (dropped) => files.read(dropped));
camera.onChange = listCameras;

const options = () => ({ detector: settings.detector, max_faces: settings.maxFaces });
const wishes = () => ({ ...options(), overlay: settings.overlay });
bind(find("settings"), () => connection.set(wishes()));
find("privacy").querySelector("span").textContent = LOCAL.includes(location.hostname)
  ? "Nothing leaves this machine"
  : `Pictures go to ${location.hostname} and no further`;
press("mirror", settings.mirror);
clear();
enable();
listCameras();
connection.set(wishes());
connection.open();
const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
if (permission?.state === "granted") open();
