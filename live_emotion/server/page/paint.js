// Draws boxes and labels of faces on a canvas.

import { label, tag } from "./words.js";

const DARK = "#181818", LIGHT = "#f5f5f5", QUIET = "#a0a0a0";

/** Draws faces over what the canvas shows.
 * @param {CanvasRenderingContext2D} pen
 * @param {object[]} faces with boxes in pixels of the frame, and perhaps `words` for their labels.
 * @param {object} how `frame`: width of the frame; `mirrored`: it is shown turned; `text`: height of the text in pixels
 *   of the canvas; `colors`: of the emotions. */
export function paintFaces(pen, faces, { frame, mirrored, text, colors }) {
  const { width, height } = pen.canvas;
  const scale = width / frame;
  const bySize = [...faces].sort((a, b) => side(b) - side(a));
  const marks = bySize.map((face) => {
    let [x1, y1, x2, y2] = face.box.map((v) => v * scale);
    if (mirrored) [x1, x2] = [width - x2, width - x1];
    return { face, box: [x1, y1, x2, y2], color: face.note ? QUIET : colors[face.emotion] ?? QUIET };
  });
  pen.font = `600 ${text}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  // the largest face is drawn last and comes out on top
  for (const mark of [...marks].reverse()) drawBox(pen, mark, text);
  const taken = [];
  for (const mark of marks) drawLabel(pen, mark, text, { width, height, taken, boxes: marks.map(({ box }) => box) });
}

const side = ({ box: [x1, , x2] }) => x2 - x1;

function drawBox(pen, { face, box: [x1, y1, x2, y2], color }, text) {
  const stroke = text / (face.note ? 12 : 6);
  for (const [style, width] of [[DARK, stroke + 2], [color, stroke]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    pen.roundRect(x1, y1, x2 - x1, y2 - y1, text / 3);
    pen.stroke();
  }
}

/** A dark tab that says whose face it is, and one in the emotion's colour that says which. */
function drawLabel(pen, { face, box, color }, text, room) {
  const pad = text * 0.4, high = text * 1.6;
  const who = tag(face), what = face.words ?? label(face);
  const left = who ? pen.measureText(who).width + 2 * pad : 0;
  const wide = left + pen.measureText(what).width + 2 * pad;
  const [x, y] = place(box, wide, high, room);
  room.taken.push([x, y, x + wide, y + high]);
  pen.save();
  pen.beginPath();
  pen.roundRect(x, y, wide, high, text / 3);
  pen.clip();
  for (const [style, from, length] of [[DARK, x, left], [color, x + left, wide - left]]) {
    pen.fillStyle = style;
    pen.fillRect(from, y, length, high);
  }
  pen.restore();
  for (const [style, words, at] of [[LIGHT, who, x + pad], [DARK, what, x + left + pad]]) {
    pen.fillStyle = style;
    pen.fillText(words, at, y + high * 0.53);
  }
}

/** Above the box, below it, or inside: where it hides least of labels and faces. */
function place([x1, y1, x2, y2], wide, high, { width, height, taken, boxes }) {
  const gap = high / 8;
  const corners = [[x1, y1 - high - gap], [x1, y2 + gap], [x2 - wide, y1 - high - gap], [x2 - wide, y2 + gap], [x1, y1 + gap]];
  const inside = corners.map(([x, y]) => [clamp(x, width - wide), clamp(y, height - high)]);
  const cost = ([x, y]) => {
    const own = [x, y, x + wide, y + high];
    return taken.reduce((sum, other) => sum + 2 * shared(own, other), 0) + boxes.reduce((sum, box) => sum + shared(own, box), 0);
  };
  return inside.reduce((best, next) => (cost(next) < cost(best) ? next : best));
}

const clamp = (value, most) => Math.max(0, Math.min(value, most));

const shared = (a, b) =>
  Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
