// How faces and times are called, everywhere on the page.

const UNSURE = "unsure";

/** Smallest share of "none of these emotions" that is more than rounding. */
export const SMALLEST_OTHER = 0.01;

export const percent = (share) => `${Math.round(100 * share)}%`;

/** Whether a face of this note shows something to be read, be it with doubts. */
export const isReadable = (note) => note === "" || note === UNSURE;

/** What is written at a face: its emotion with the confidence, or why there is none. */
export function label({ emotion, confidence, note }) {
  if (!isReadable(note)) return note;
  return note ? `${UNSURE}: ${emotion}?` : `${emotion} ${percent(confidence)}`;
}

/** Whose face it is: the name or else the number; empty where faces are not followed. */
export const tag = ({ track_id, name }) => name || (track_id ? String(track_id) : "");

/** The same for a text. */
export const person = (face) => face.name || `Person ${face.track_id}`;

/** Seconds as 1:02:03 or 2:03. */
export function clock(seconds) {
  const whole = Math.floor(seconds), pad = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
