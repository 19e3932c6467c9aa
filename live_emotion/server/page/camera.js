// The browser's cameras: which there are, what the chosen one sees, and what to do where there is none.

const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const TICK_MS = 33, LATE_MS = 100;

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
    this.background = new Worker(trusted("/page/background.js"));
    this.background.onmessage = ({ data: { jpeg } }) => {
      if (jpeg) this.hand(jpeg);
      // a page that is not in front is told of no frames, but goes on, for a recording or for OBS
      else if (this.isOn && this.video.videoWidth && performance.now() - this.toldAt > LATE_MS) this.onFrame();
    };
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
    return "";
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) { track.onended = null; track.stop(); }
    this.stream = this.video.srcObject = null;
    this.background.postMessage({ everyMs: 0 });
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
    const wait = this.video.requestVideoFrameCallback?.bind(this.video) ?? requestAnimationFrame; // older Firefox
    const next = () => {
      if (this.stream !== stream) return;
      this.toldAt = performance.now();
      this.onFrame();
      wait(next);
    };
    this.toldAt = performance.now();
    wait(next);
    this.background.postMessage({ everyMs: TICK_MS });
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
    const size = { resizeWidth: Math.round(videoWidth * shrink), resizeHeight: Math.round(videoHeight * shrink) };
    const frame = await createImageBitmap(this.frame, { ...size, resizeQuality: "medium" });
    this.background.postMessage({ frame }, [frame]);
    return new Promise((done) => { this.hand = done; });
  }
}
