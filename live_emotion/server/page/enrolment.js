// Leads through an enrolment, as the server says: what to do, a countdown, a ring that fills, and what came of it.

import { make } from "./people.js";

const KEYS = { begin: "Begin", keep: "Keep", retake: "Again", skip: "Skip", cancel: "Cancel", close: "Close" };
const FORWARD = ["begin", "keep", "close"];
const RADIUS = 1, RING = 2 * Math.PI * 1.12;

export class Enrolment {
  /** @param {(id: string) => HTMLElement} find @param {(message: object) => void} send
   * @param {() => void} onEnd it came to its end. */
  constructor(find, send, onEnd) {
    Object.assign(this, { send, onEnd, isOn: false, isOver: false, colors: {} });
    [this.root, this.title, this.count, this.note, this.keys, this.pictogram] = [
      "guide", "guide-title", "guide-count", "guide-note", "guide-keys", "pictogram",
    ].map(find);
  }

  begin(name) {
    Object.assign(this, { isOn: true, isOver: false });
    this.root.hidden = false;
    this.root.focus();
    this.show({ title: "Look into the camera", keys: ["cancel"] });
    this.send({ type: "enrol", name });
  }

  /** Shows what the server says of it. */
  show(message) {
    if (!this.isOn || this.isOver) return; // what came of it stands, also when a key was pressed once more
    const { phase, name, emotion, note = "", count, progress, pictogram } = message;
    const isOver = phase === "done" || phase === "refused";
    this.isOver = isOver;
    const title = phase === "done" ? `${name} was learned` : phase === "refused" ? "Not learned" : message.title;
    if (this.title.textContent !== title) this.title.textContent = title;
    const below = isOver ? message.text : note;
    if (this.note.textContent !== below) this.note.textContent = below;
    this.count.textContent = count || "";
    this.draw(isOver ? null : pictogram, this.colors[emotion], progress);
    this.writeKeys(isOver ? ["close"] : message.keys ?? ["cancel"]);
  }

  press(key) {
    if (key === "close") this.end();
    else this.send({ type: "enrol_key", key });
    if (key === "cancel") this.end();
  }

  /** Space goes on, as in the window. */
  forward() {
    [...this.keys.children].find(({ dataset }) => FORWARD.includes(dataset.key))?.click();
  }

  end() {
    this.isOn = false;
    this.root.hidden = true;
    this.onEnd();
  }

  writeKeys(names) {
    if (names.join() === [...this.keys.children].map(({ dataset }) => dataset.key).join()) return;
    const hadFocus = this.root.contains(document.activeElement) || document.activeElement === document.body;
    this.keys.replaceChildren(...names.map((name) => {
      const button = make("button", FORWARD.includes(name) ? "primary" : "");
      Object.assign(button, { type: "button", textContent: KEYS[name], onclick: () => this.press(name) });
      button.dataset.key = name;
      return button;
    }));
    // a key pressed too late must not skip anything
    if (hadFocus) (this.keys.querySelector(".primary") ?? this.root).focus();
  }

  /** A face that shows the emotion, from points in parts of its radius, in a ring that fills. */
  draw(pictogram, color, progress) {
    const parts = [];
    if (pictogram) {
      parts.push(shape("circle", { r: RADIUS, fill: color }));
      for (const [[cx, cy]] of pictogram.eyes) parts.push(shape("circle", { cx, cy, r: 0.1, class: "dark" }));
      for (const line of [...pictogram.brows, ...pictogram.mouth]) parts.push(shape("polyline", { points: line.join(" ") }));
    }
    if (progress != null) {
      parts.push(shape("circle", { r: 1.12, class: "track" }));
      parts.push(shape("circle", { r: 1.12, class: "done", "stroke-dasharray": `${progress * RING} ${RING}` }));
    }
    this.pictogram.replaceChildren(...parts);
  }
}

function shape(kind, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
