// The WebSocket to the server: opens, passes on what it is told, and comes back by itself.

import { enter } from "./session.js";

const SHORTEST_WAIT_MS = 500, LONGEST_WAIT_MS = 4000;
const ANSWER_MS = 20000; // after so long without an answer to a frame, the connection is taken for lost
const PING_MS = 60000; // a socket that says nothing is closed by the server
const ENDED = 1000, REPLACED = 1013; // close codes: the session was forgotten, or idle; it was opened elsewhere
const HEADER_BYTES = 12;
const KEPT = "session"; // in the tab's storage, so that a reload goes on with it

/** Of each state, what it is called, and what to do. */
const WORDS = {
  connecting: ["connecting …", ""],
  ready: ["ready", ""],
  live: ["connected", ""],
  lost: ["connection lost", "Is live-emotion serve still running? This page comes back by itself."],
  full: ["waiting", "As many pages are open as live-emotion serves at once. Close one; this page comes back by itself."],
  refused: ["not let in", "Open the address that live-emotion serve prints, with the token behind its #."],
  replaced: ["in another tab", "This session went on in another tab. Reload this page to have it back."],
};

export class Connection {
  /** @param {object} hear a function for each type of message of the server, `status(status)` for what it says of
   *   itself, and `state(name, words, advice)`. */
  constructor(hear) {
    Object.assign(this, { hear, state: "connecting", options: {}, wait: SHORTEST_WAIT_MS, isWanted: false });
    setInterval(() => this.send({ type: "ping" }), PING_MS);
  }

  /** Looks whether the server is there, and opens the socket once frames are to be sent; again and again. */
  async open() {
    clearTimeout(this.retry);
    const { access, status } = await enter();
    if (access !== "open") return this.end(access === "refused" ? "refused" : "lost");
    this.hear.status(status);
    if (!this.isWanted) return this.say("ready");
    const id = sessionStorage.getItem(KEPT), query = id ? `?${new URLSearchParams({ session: id })}` : "";
    const socket = new WebSocket(`${location.protocol === "http:" ? "ws" : "wss"}://${location.host}/v1/live${query}`);
    const isFull = status.sessions.live >= status.sessions.most;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.hasBegun = false; this.start(); };
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = ({ code }) => {
      const lost = isFull && !this.hasBegun ? "full" : "lost";
      this.end({ [ENDED]: "connecting", [REPLACED]: "replaced" }[code] ?? lost);
    };
    this.socket = socket;
  }

  /** From now on frames are to be sent. */
  want() {
    if (this.isWanted) return;
    this.isWanted = true;
    if (this.state === "ready") this.open();
  }

  take(message) {
    if (message.frame !== undefined) clearTimeout(this.overdue);
    if (message.type === "ready") {
      message.isFirst = !this.hasBegun;
      if (message.isFirst) this.clock_s = message.time_s - performance.now() / 1000; // a session's times only rise
      this.hasBegun = true;
      this.wait = SHORTEST_WAIT_MS;
      sessionStorage.setItem(KEPT, message.session);
      this.say("live");
    }
    this.hear[message.type]?.(message);
  }

  end(state) {
    clearTimeout(this.overdue);
    this.hasBegun = false;
    this.say(state);
    if (state === "replaced") return;
    this.retry = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
  }

  say(state) {
    this.state = state;
    this.hear.state(state, ...WORDS[state]);
  }

  start() {
    this.send({ type: "start", mirrored: false, ...this.options });
  }

  /** Changes what the server is asked to do; it may be called at any time. */
  set(options) {
    Object.assign(this.options, options);
    if (this.state === "live") this.start();
  }

  /** Begins a new session. @param {() => Promise} forget lets the server forget this one. */
  async renew(forget) {
    sessionStorage.removeItem(KEPT);
    await forget();
    this.socket.close();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** @param {number} number of the frame. @param {number} at its time in seconds, as `performance.now() / 1000`.
   * @param {ArrayBuffer} picture as JPEG. */
  sendFrame(number, at, picture) {
    if (this.socket.readyState !== WebSocket.OPEN) return; // it closed while the picture was made
    const message = new Uint8Array(HEADER_BYTES + picture.byteLength);
    const header = new DataView(message.buffer);
    header.setUint32(0, number, true);
    header.setFloat64(4, at + this.clock_s, true);
    message.set(new Uint8Array(picture), HEADER_BYTES);
    this.socket.send(message);
    this.overdue = setTimeout(() => this.socket.close(), ANSWER_MS);
  }
}
