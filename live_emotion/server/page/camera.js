// The browser's cameras: which there are, what the chosen one sees, and what to do where there is none.

const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const TICK_MS = 33;
const QUALITY = 0.85; // of the JPEG that is sent

const TROUBLE = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it at the camera's sign in the address bar, then try again.",
  NotFoundError: "No camera was found. Plug one in and try again, or drop a photo or a video here.",
  NotReadableError: "The camera is in use by another program. Close that one (a call, another tab), then try again.",
  OverconstrainedError: "That camera is gone. Choose another one below, or plug it in and try again.",
  insecure: "Browsers give their camera only to this machine's own address or to https. Open http://localhost here, or start live-emotion serve with --certificate and --key.",
  gone: "The camera stopped: it was unplugged, or another program took it. Try again.",
};

/** The address of a script of our own, as the page's policy wants it where the browser knows such policies. */
function trusted(address) {
  return window.trustedTypes ? trustedTypes.createPolicy("worker", { createScriptURL: (url) => url }).createScriptURL(address) : address;
}

export class Camera {
  /** @param {() => void} onFrame there is a new frame. @param {(why: string) => void} onEnd it has gone. */
  constructor(onFrame, onEnd) {
    this.onFrame = onFrame;
    this.onEnd = onEnd;
    this.video = document.createElement("video");
    this.video.muted = this.video.playsInline = true;
    this.frame = document.createElement("canvas");
    this.pen = this.frame.getContext("2d", { alpha: false });
    this.small = new OffscreenCanvas(1, 1);
    this.ticker = new Worker(trusted("/page/ticker.js"));
    this.ticker.onmessage = () => this.isOn && this.onFrame();
    document.addEventListener("visibilitychange", () => this.tick());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.onChange?.());
  }

  get isOn() {
    return Boolean(this.stream);
  }

  /** Opens a camera.
   * @param {string} id of it; empty: any, the one that looks at the user first.
   * @returns {Promise<string>} what to do where it does not open; else nothing. */
  async open(id) {
    this.close();
    if (!navigator.mediaDevices) return TROUBLE.insecure;
    const which = id ? { deviceId: { exact: id } } : { facingMode: "user" };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...which }, audio: false });
      this.stream = this.video.srcObject = stream;
      stream.getVideoTracks()[0].onended = () => { this.close(); this.onEnd(TROUBLE.gone); };
      await this.video.play();
    } catch (error) {
      this.close();
      return TROUBLE[error.name] ?? `The camera did not open (${error.message}). Try again, or choose another one.`;
    }
    this.watch();
    this.tick();
    return "";
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) { track.onended = null; track.stop(); }
    this.stream = this.video.srcObject = null;
    this.tick();
  }

  /** Identity of the one that is open; empty where none is. */
  get id() {
    return this.stream?.getVideoTracks()[0].getSettings().deviceId ?? "";
  }

  /** @returns {Promise<{id: string, name: string}[]>} all cameras; names are known once one was allowed. */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const cameras = devices.filter(({ kind }) => kind === "videoinput");
    return cameras.map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `camera ${i + 1}` }));
  }

  watch() {
    const stream = this.stream;
    const next = () => { if (this.stream === stream) { this.onFrame(); this.video.requestVideoFrameCallback(next); } };
    this.video.requestVideoFrameCallback(next);
  }

  /** A page in the background is told of no frames; a worker's clock goes on there, for a recording or for OBS. */
  tick() {
    this.ticker.postMessage(this.isOn && document.hidden ? TICK_MS : 0);
  }

  /** Takes what the camera sees now into `frame`.
   * @param {number} width in pixels of what is sent.
   * @returns {Promise<ArrayBuffer>} it as JPEG. */
  async take(width) {
    const { videoWidth, videoHeight } = this.video;
    if (this.frame.width !== videoWidth) this.frame.width = videoWidth;
    if (this.frame.height !== videoHeight) this.frame.height = videoHeight;
    this.pen.drawImage(this.video, 0, 0);
    const shrink = Math.min(1, width / videoWidth);
    this.small.width = Math.round(videoWidth * shrink);
    this.small.height = Math.round(videoHeight * shrink);
    this.small.getContext("2d", { alpha: false }).drawImage(this.frame, 0, 0, this.small.width, this.small.height);
    const picture = await this.small.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    return picture.arrayBuffer();
  }
}
