// The last minute of each person as a band: at each time the probabilities, stacked; what could not be read is hatched,
// what shows none of the emotions dotted, and who was not in view leaves it empty.

import { make } from "./people.js";
import { isReadable, person, SMALLEST_OTHER } from "./words.js";

const LENGTH_S = 60, STEP_S = 0.25, STEPS = LENGTH_S / STEP_S;
const FILLED = 4; // in so many steps without a frame a person was there all the same: the machine is slow
const MOST = 4; // people who get a band; of more, those who were seen last

export class Bands {
  /** @param {HTMLElement} root of the bands. @param {HTMLElement} key of the colours. */
  constructor(root, key) {
    Object.assign(this, { root, key, people: new Map(), marks: [], classes: [], colors: {}, drawn: -1, hasOther: false });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(root);
  }

  reset(classes, colors) {
    Object.assign(this, { classes, colors, marks: [], drawn: -1, hasOther: false });
    this.people.clear();
    this.draw();
  }

  /** Takes in the faces of a frame at a time in seconds. */
  add(faces, time_s) {
    const step = Math.floor(time_s / STEP_S);
    this.now = step;
    for (const face of faces.filter(({ track_id }) => track_id)) this.addFace(face, step);
    for (const [id, { last }] of this.people) if (step - last >= STEPS) this.people.delete(id);
    if (step === this.drawn) return;
    this.drawn = step;
    this.draw();
  }

  addFace(face, step) {
    const { track_id, note, other } = face;
    if (!this.people.has(track_id)) this.people.set(track_id, { last: step, columns: new Map() });
    const someone = this.people.get(track_id);
    const columns = someone.columns;
    if (!columns.has(step)) columns.set(step, { sums: this.classes.map(() => 0), read: 0, unclear: 0 });
    const column = columns.get(step);
    if (isReadable(note) || note === "other") {
      column.read += 1;
      this.classes.forEach((name, i) => { column.sums[i] += face.probabilities[name]; });
      this.hasOther ||= other > SMALLEST_OTHER;
    } else column.unclear += 1;
    if (step - someone.last <= FILLED) for (let i = someone.last + 1; i < step; i++) columns.set(i, column);
    for (const old of columns.keys()) if (step - old >= STEPS) columns.delete(old);
    Object.assign(someone, { last: step, tag: person(face) });
  }

  /** Marks a moment. */
  mark(label, time_s) {
    const step = Math.floor(time_s / STEP_S);
    this.marks = [...this.marks.filter((mark) => step - mark.step < STEPS), { label, step }];
  }

  draw() {
    const latest = [...this.people].sort(([a, x], [b, y]) => y.last - x.last || a - b).slice(0, MOST).sort(([a], [b]) => a - b);
    this.writeKey(latest.length > 0);
    this.fit(latest.length);
    const style = getComputedStyle(this.root);
    const paints = { other: dots(style), unclear: hatching(style), rim: style.getPropertyValue("--text"), empty: style.getPropertyValue("--line") };
    latest.forEach(([, someone], i) => {
      const [name, canvas] = this.root.children[i].children;
      name.textContent = name.title = someone.tag;
      canvas.setAttribute("aria-label", this.describe(someone));
      this.drawBand(canvas, someone.columns, paints);
    });
  }

  /** Makes so many rows, and the scale below them. */
  fit(rows) {
    if (this.root.childElementCount === (rows && rows + 1)) return;
    const made = Array.from({ length: rows }, () => {
      const row = make("div", "band"), canvas = make("canvas");
      canvas.setAttribute("role", "img");
      row.append(make("span"), canvas);
      return row;
    });
    if (rows) {
      const scale = make("div", "scale");
      scale.append(...["60 s ago", "30", "now"].map((text) => Object.assign(make("span"), { textContent: text })));
      made.push(scale);
    }
    this.root.replaceChildren(...made);
  }

  drawBand(canvas, columns, { other, unclear, rim, empty }) {
    const dense = devicePixelRatio, width = Math.round(canvas.clientWidth * dense), height = Math.round(canvas.clientHeight * dense);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = empty;
    pen.fillRect(0, height / 2 - dense, width, 2 * dense);
    const edge = (i) => Math.round((i * width) / STEPS);
    for (let i = 0; i < STEPS; i++) {
      const column = columns.get(this.now - STEPS + 1 + i);
      if (!column) continue;
      const left = edge(i), wide = edge(i + 1) - left;
      pen.fillStyle = column.read ? other : unclear;
      pen.clearRect(left, 0, wide, height);
      pen.fillRect(left, 0, wide, height);
      if (column.read) this.stack(pen, column, left, wide, height);
    }
    pen.fillStyle = rim;
    for (const { step } of this.marks) pen.fillRect(edge(STEPS - 1 - this.now + step), 0, 2 * dense, height);
  }

  stack(pen, { sums, read }, left, wide, height) {
    const shares = sums.map((sum) => sum / read), total = shares.reduce((a, b) => a + b, 0);
    const whole = total > 1 - SMALLEST_OTHER ? total : 1;
    let below = 0;
    shares.forEach((share, i) => {
      const from = Math.round(height * (1 - below / whole)), to = Math.round(height * (1 - (below + share) / whole));
      pen.fillStyle = this.colors[this.classes[i]];
      pen.fillRect(left, to, wide, from - to);
      below += share;
    });
  }

  /** What a band shows, for those who cannot see it. */
  describe({ tag, columns }) {
    const sums = this.classes.map(() => 0);
    let read = 0;
    for (const column of columns.values()) if (column.read) { read += 1; column.sums.forEach((sum, i) => { sums[i] += sum / column.read; }); }
    const order = this.classes.map((name, i) => [sums[i] / read, name]).sort(([a], [b]) => b - a);
    const parts = order.filter(([share]) => share >= 0.05).map(([share, name]) => `${name} ${Math.round(100 * share)}%`);
    return `${tag}, last minute: ${parts.join(", ") || "could not be read"}`;
  }

  writeKey(isShown) {
    this.key.hidden = !isShown;
    const wanted = [...this.classes, ...(this.hasOther ? ["other"] : []), "unclear"];
    if (this.key.textContent === wanted.join("")) return;
    this.key.replaceChildren(...wanted.map((name) => {
      const item = make("li"), dot = make("span", "dot");
      if (this.colors[name]) dot.style.background = this.colors[name];
      else dot.classList.add(name);
      item.append(dot, name);
      return item;
    }));
  }
}

function dots(style) {
  return tile(6, style.getPropertyValue("--card"), (pen) => {
    pen.fillStyle = style.getPropertyValue("--soft");
    pen.beginPath();
    pen.arc(3, 3, 1.3, 0, 7);
    pen.fill();
  });
}

function hatching(style) {
  return tile(6, style.getPropertyValue("--ground"), (pen) => {
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.lineWidth = 1.4;
    pen.beginPath();
    for (const x of [-6, 0, 6]) { pen.moveTo(x, 6); pen.lineTo(x + 6, 0); }
    pen.stroke();
  });
}

/** A pattern of square tiles of a side in CSS pixels. */
function tile(side, ground, drawInk) {
  const dense = Math.ceil(devicePixelRatio), canvas = new OffscreenCanvas(side * dense, side * dense);
  const pen = canvas.getContext("2d");
  pen.scale(dense, dense);
  pen.fillStyle = ground;
  pen.fillRect(0, 0, side, side);
  drawInk(pen);
  return pen.createPattern(canvas, "repeat");
}
