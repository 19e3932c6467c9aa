// A card for each person in view: name, emotion, and a bar for each probability.

import { isReadable, label, percent, person, SMALLEST_OTHER } from "./words.js";

const FORGET_S = 8; // how long somebody who left keeps the card
const WORDS_S = 0.25; // percentages change no faster than they can be read
const SAY_S = 4; // a screen reader is told no more often

export class People {
  /** @param {HTMLElement} list of the cards. @param {HTMLElement} said is read out by screen readers.
   * @param {(id: number, name: string) => void} onName somebody was named. */
  constructor(list, said, onName) {
    Object.assign(this, { list, said, onName, cards: new Map(), classes: [], colors: {} });
    this.saidAt = -Infinity;
  }

  /** Begins anew, with these emotions. */
  reset(classes, colors) {
    Object.assign(this, { classes, colors, hasOther: false });
    this.cards.clear();
    this.list.replaceChildren();
  }

  /** Shows the faces of a frame, and gives each its `words`, which stand still long enough to be read.
   * @param {object[]} faces @param {number} now seconds. */
  update(faces, now) {
    this.hasOther ||= faces.some(({ other }) => other > SMALLEST_OTHER);
    for (const face of faces) {
      const card = this.cards.get(face.track_id) ?? this.add(face);
      card.seen = now;
      card.show(face, now, this.hasOther);
    }
    const inView = new Set(faces.map(({ track_id }) => track_id));
    for (const [id, card] of this.cards) {
      if (now - card.seen > FORGET_S && !card.isNaming) { card.root.remove(); this.cards.delete(id); }
      else if (!inView.has(id)) card.leave();
    }
    this.say(faces, now);
  }

  add(face) {
    const card = new Card(face.track_id, this.classes, this.colors, this.onName);
    const later = [...this.cards].filter(([id]) => id > face.track_id).sort(([a], [b]) => a - b)[0];
    this.list.insertBefore(card.root, later?.[1].root ?? null);
    this.cards.set(face.track_id, card);
    return card;
  }

  /** Tells a screen reader what has changed, politely. */
  say(faces, now) {
    if (now - this.saidAt < SAY_S) return;
    const text = faces.map((face) => `${person(face)}: ${isReadable(face.note) ? face.emotion : face.note}`).join(", ");
    if (text === this.lastSaid) return;
    this.said.textContent = text || "Nobody is in view.";
    this.lastSaid = text;
    this.saidAt = now;
  }
}

class Card {
  constructor(id, classes, colors, onName) {
    Object.assign(this, { id, onName, isNaming: false, writtenAt: -Infinity });
    this.root = make("li", "person");
    this.name = make("button", "name");
    this.name.type = "button";
    this.name.title = "Rename";
    this.who = make("span");
    this.name.append(this.who, pen());
    this.name.onclick = () => this.ask();
    this.shown = make("span", "shown");
    this.head = make("div", "person-head");
    this.head.append(this.name, this.shown);
    const bars = make("dl", "bars");
    this.rows = [...classes, "other"].map((name) => bar(name, colors[name]));
    bars.append(...this.rows.map(({ row }) => row));
    this.root.append(this.head, bars);
  }

  show(face, now, hasOther) {
    const values = [...this.rows.slice(0, -1).map(({ name }) => face.probabilities[name]), face.other];
    this.root.classList.remove("away");
    this.root.classList.toggle("unread", !isReadable(face.note));
    this.rows.forEach(({ fill }, i) => { fill.style.width = percent(values[i]); });
    this.rows.at(-1).row.hidden = !hasOther;
    this.shown.classList.toggle("doubt", Boolean(face.note));
    const meaning = `${person(face)} ${face.note} ${face.emotion}`;
    if (now - this.writtenAt >= WORDS_S || meaning !== this.meaning) {
      Object.assign(this, { writtenAt: now, meaning, words: label(face) });
      this.who.textContent = person(face);
      this.name.setAttribute("aria-label", `Rename ${person(face)}`);
      this.rows.forEach(({ value }, i) => { value.textContent = percent(values[i]); });
      this.shown.textContent = this.words;
    }
    face.words = this.words;
  }

  leave() {
    this.meaning = "";
    this.root.classList.add("away");
    this.shown.textContent = "not in view";
  }

  /** Asks for the name in the place of the name. */
  ask() {
    const form = make("form"), input = make("input"), save = make("button");
    const isNamed = this.who.textContent !== person({ track_id: this.id });
    Object.assign(input, { value: isNamed ? this.who.textContent : "", maxLength: 40, autocomplete: "off", spellcheck: false });
    input.setAttribute("aria-label", `Name of ${this.who.textContent}`);
    save.textContent = "Save";
    form.append(input, save);
    const end = () => { form.remove(); this.head.hidden = this.isNaming = false; this.name.focus(); };
    form.onsubmit = (event) => {
      event.preventDefault();
      const name = input.value.trim();
      this.who.textContent = person({ track_id: this.id, name });
      this.onName(this.id, name);
      end();
    };
    form.onkeydown = (event) => { if (event.key === "Escape") end(); };
    this.head.hidden = this.isNaming = true;
    this.root.prepend(form);
    input.focus();
    input.select();
  }
}

function bar(name, color) {
  const row = make("div"), title = make("dt"), track = make("dd", "track"), fill = make("div", "fill"), value = make("dd", "value");
  title.textContent = title.title = name;
  if (color) fill.style.background = color;
  else fill.classList.add("other");
  track.append(fill);
  row.append(title, track, value);
  return { name, row, fill, value };
}

function pen() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.append(document.createElementNS(svg.namespaceURI, "use"));
  svg.firstChild.setAttribute("href", "#icon-pen");
  return svg;
}

/** A new element of a class. */
export function make(kind, className = "") {
  const element = document.createElement(kind);
  if (className) element.className = className;
  return element;
}
