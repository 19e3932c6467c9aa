// What a user chose, kept in this browser: no picture and nothing that was seen.

const KEY = "live-emotion";

const DEFAULTS = { camera: "", mirror: true, detector: "full", maxFaces: 10, width: 640, shortcuts: true, overlay: false, labels: {}, name: "me" };

function load() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return { ...DEFAULTS };
  }
}

export const settings = load();

/** Changes settings and keeps them. */
export function change(values) {
  Object.assign(settings, values);
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // a browser that keeps nothing still works until the page is closed
  }
}

/** Lets a dialog show the settings and change them.
 * @param {HTMLDialogElement} dialog @param {() => void} onChange */
export function bind(dialog, onChange) {
  const find = (id) => dialog.querySelector(`#${id}`);
  const [detector, faces, width, shortcuts, overlay] = ["detector", "max-faces", "width", "shortcuts", "overlay"].map(find);
  detector.value = settings.detector;
  faces.value = settings.maxFaces;
  width.value = settings.width;
  shortcuts.checked = settings.shortcuts;
  overlay.checked = settings.overlay;
  dialog.addEventListener("change", () => {
    if (!faces.checkValidity()) return;
    change({
      detector: detector.value,
      maxFaces: Number(faces.value),
      width: Number(width.value),
      shortcuts: shortcuts.checked,
      overlay: overlay.checked,
    });
    onChange();
  });
}
