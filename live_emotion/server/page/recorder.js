// Saves what is on the canvas: a screenshot, or a video of it as it goes on.

import { clock } from "./words.js";

const FORMATS = ["video/mp4;codecs=avc1.42E01F", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];
const PIECE_MS = 1000;
const BITS_PER_SECOND = 4e6;

export class Recorder {
  /** @param {HTMLCanvasElement} canvas what is recorded. @param {(text: string) => void} say tells what was saved. */
  constructor(canvas, say) {
    Object.assign(this, { canvas, say });
  }

  get isOn() {
    return this.recorder?.state === "recording";
  }

  /** Seconds since it began, as 0:42. */
  get length() {
    return clock((performance.now() - this.began) / 1000);
  }

  screenshot() {
    this.canvas.toBlob((picture) => this.keep(picture, "png"), "image/png");
  }

  start() {
    const type = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    const pieces = [];
    this.recorder = new MediaRecorder(this.canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: BITS_PER_SECOND });
    this.recorder.ondataavailable = ({ data }) => pieces.push(data);
    this.recorder.onstop = () => this.keep(new Blob(pieces, { type }), type.includes("mp4") ? "mp4" : "webm");
    this.recorder.start(PIECE_MS);
    this.began = performance.now();
  }

  stop() {
    this.recorder.stop();
    for (const track of this.recorder.stream.getTracks()) track.stop();
  }

  keep(content, suffix) {
    const name = `live-emotion-${timestamp()}.${suffix}`;
    save(content, name);
    this.say(`saved ${name}`);
  }
}

function timestamp() {
  const now = new Date();
  const local = new Date(now - now.getTimezoneOffset() * 60000).toISOString();
  return local.slice(0, 19).replace("T", "-").replaceAll(":", "");
}

function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
