// Photos and videos that are dropped onto the page or chosen: each gets a card with what was read in it.

import { paintFaces } from "./paint.js";
import { make } from "./people.js";
import { problemOf } from "./session.js";
import { count, label, tag } from "./words.js";

const POLL_MS = 400;
const KNOWN = ["image/jpeg", "image/png", "image/webp"], MOST_BYTES = 1e7, MOST_PIXELS = 4e7, LONGEST_SIDE = 4096;
const TEXT_PX = 12; // height of the text at faces, as it is seen
const AWAY = "live-emotion does not answer. Start it again, then choose the file once more.";

export class Files {
  /** @param {HTMLElement} root of the cards. @param {() => object} options gives `colors` of the emotions, and the
   *   `query` that says how faces are searched for. */
  constructor(root, options) {
    Object.assign(this, { root, options });
  }

  /** Reads files, one after the other. */
  async read(files) {
    for (const file of files) {
      const card = new Card(file.name);
      this.root.hidden = false;
      this.root.prepend(card.root);
      card.root.scrollIntoView({ block: "nearest" });
      card.onClose = () => { card.root.remove(); this.root.hidden = !this.root.childElementCount; };
      try {
        if (file.type.startsWith("image/")) await this.readPhoto(file, card);
        else if (file.type.startsWith("video/")) await this.readVideo(file, card);
        else card.fail("This is neither a photo nor a video that the browser knows.");
      } catch (error) {
        card.fail(error instanceof TypeError ? AWAY : error.message);
      }
    }
  }

  async readPhoto(file, card) {
    card.say("reading …");
    const photo = await createImageBitmap(file).catch(() => { throw new Error("The browser cannot read this photo. Save it as JPEG or PNG, then try again."); });
    const { query, colors } = this.options();
    const body = await sendable(file, photo);
    const answer = await fetch(`/v1/analyze?${query}`, { method: "POST", body, headers: { "Content-Type": body.type } });
    if (!answer.ok) throw new Error(await problemOf(answer));
    const { faces, width } = (await answer.json()).results[0];
    card.say(faces.length ? count(faces.length, "face") : "No face was found.");
    const numbered = faces.map((face, i) => ({ ...face, track_id: i + 1 }));
    card.list(numbered.map((face) => `${tag(face)}: ${label(face)}`));
    card.paint(photo, numbered, { frame: width, colors });
  }

  async readVideo(file, card) {
    const job = await send(file, card, this.options().query);
    let isStopped = false;
    card.offer("Stop", async () => { isStopped = true; await fetch(job, { method: "DELETE" }); card.onClose(); });
    while (!isStopped) {
      const answer = await fetch(job);
      if (isStopped) return;
      if (!answer.ok) throw new Error(await problemOf(answer));
      const { state, frames, expected, detail, links, people } = await answer.json();
      if (state === "failed") throw new Error(detail);
      if (state === "stopped") throw new Error("The video was stopped.");
      const found = `${count(people, "person", "people")}${detail && `. ${detail}`}`;
      if (state === "done") return card.finish(links, found, () => fetch(job, { method: "DELETE" }));
      card.say(`reading: ${count(frames, "frame")}`, expected ? Math.min(1, frames / expected) : undefined);
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }
}

/** The photo as the server takes it: what it does not know, or is too large for it, is converted. */
async function sendable(file, photo) {
  if (KNOWN.includes(file.type) && file.size <= MOST_BYTES && photo.width * photo.height <= MOST_PIXELS) return file;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(photo.width, photo.height));
  const canvas = new OffscreenCanvas(Math.round(photo.width * scale), Math.round(photo.height * scale));
  canvas.getContext("2d").drawImage(photo, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

/** Sends a video; fetch tells no progress of that. @returns {Promise<string>} the address of its job. */
function send(file, card, query) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/v1/jobs?${query}`);
    request.setRequestHeader("Content-Type", file.type);
    request.upload.onprogress = ({ loaded, total }) => card.say("handing it over …", loaded / total);
    request.onerror = () => fail(new TypeError("away"));
    request.onload = async () => {
      if (request.status === 202) return done(request.getResponseHeader("Location"));
      fail(new Error(await problemOf(new Response(request.responseText, { status: request.status }))));
    };
    request.send(file);
  });
}

class Card {
  constructor(name) {
    this.root = make("article", "card result");
    const title = make("h2");
    title.textContent = name;
    this.text = make("p", "soft");
    this.text.setAttribute("role", "status");
    this.bar = make("progress");
    this.bar.setAttribute("aria-label", `Progress of ${name}`);
    this.buttons = make("div", "row");
    this.root.append(title, this.text, this.bar, this.buttons);
  }

  say(text, progress) {
    if (this.text.textContent !== text) this.text.textContent = text;
    if (progress === undefined) this.bar.removeAttribute("value");
    else this.bar.value = progress;
  }

  fail(text) {
    this.end(text);
    this.text.className = "failed";
  }

  list(lines) {
    this.end(this.text.textContent);
    const list = make("ul");
    list.append(...lines.map((line) => Object.assign(make("li"), { textContent: line })));
    this.text.after(list);
  }

  paint(photo, faces, how) {
    const canvas = make("canvas");
    Object.assign(canvas, { width: photo.width, height: photo.height });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `The photo with ${count(faces.length, "face")} marked`);
    const pen = canvas.getContext("2d");
    pen.drawImage(photo, 0, 0);
    this.root.firstChild.after(canvas);
    paintFaces(pen, faces, { ...how, text: (TEXT_PX * photo.width) / canvas.clientWidth });
  }

  finish({ report, rows, video }, text, forget) {
    this.end(text);
    const close = this.onClose;
    this.onClose = () => { forget(); close(); };
    for (const [text, url] of [["Report", report], ["Annotated video", video], ["JSON Lines", rows]]) {
      if (!url) continue;
      const link = Object.assign(make("a", "button"), { href: url, textContent: text });
      if (text === "Report") Object.assign(link, { target: "_blank", rel: "noopener" });
      else link.download = "";
      this.buttons.lastChild.before(link);
    }
  }

  end(text) {
    this.text.textContent = text;
    this.bar.remove();
    this.offer("Close", () => this.onClose());
  }

  offer(text, onclick) {
    this.buttons.replaceChildren(Object.assign(make("button"), { type: "button", textContent: text, onclick }));
  }
}

/** Lets files be dropped anywhere on the page.
 * @param {HTMLElement} sign shown while files hover. @param {(files: File[]) => void} onFiles */
export function acceptDrops(sign, onFiles) {
  const show = (isOver) => sign.classList.toggle("over", isOver);
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    show(true);
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) show(false); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    show(false);
    if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
  });
}
