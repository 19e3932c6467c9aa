// Marked moments: nine numbers, each with a label of its own.

import { make } from "./people.js";
import { change, settings } from "./settings.js";
import { clock } from "./words.js";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const SHOWN = 3;

export class Markers {
  /** @param {HTMLElement} buttons @param {HTMLElement} labels @param {HTMLElement} list of the moments.
   * @param {(label: string) => void} onMark a moment is to be marked. */
  constructor(buttons, labels, list, onMark) {
    Object.assign(this, { list, onMark });
    this.buttons = DIGITS.map((digit) => {
      const button = make("button");
      button.type = "button";
      button.textContent = digit;
      button.onclick = () => this.press(digit);
      return button;
    });
    buttons.append(...this.buttons);
    labels.append(...DIGITS.map((digit) => this.field(digit)));
    this.name();
  }

  field(digit) {
    const label = make("label"), input = make("input");
    Object.assign(input, { value: settings.labels[digit] ?? "", maxLength: 40, autocomplete: "off" });
    input.onchange = () => {
      change({ labels: { ...settings.labels, [digit]: input.value.trim() } });
      this.name();
    };
    label.append(digit, input);
    return label;
  }

  name() {
    this.buttons.forEach((button, i) => {
      button.title = settings.labels[DIGITS[i]] || `Marker ${DIGITS[i]}`;
      button.setAttribute("aria-label", settings.labels[DIGITS[i]] ? `${DIGITS[i]}, ${button.title}` : button.title);
    });
  }

  press(digit) {
    this.onMark(settings.labels[digit] || digit);
  }

  set enabled(value) {
    for (const button of this.buttons) button.disabled = !value;
  }

  /** Shows a moment that was marked, at seconds since the session began. */
  add(label, time_s) {
    const item = make("li");
    item.textContent = `${clock(time_s)}  ${label}`;
    this.list.prepend(item);
    while (this.list.childElementCount > SHOWN) this.list.lastChild.remove();
  }

  reset() {
    this.list.replaceChildren();
  }
}
