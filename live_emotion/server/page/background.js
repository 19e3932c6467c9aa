// A worker: what browsers slow down in pages that are not in front, but not here. It makes frames JPEGs, and it ticks.

const QUALITY = 0.85;

const canvas = new OffscreenCanvas(1, 1);
let timer;

onmessage = async ({ data: { everyMs, frame } }) => {
  if (frame) {
    Object.assign(canvas, { width: frame.width, height: frame.height });
    canvas.getContext("2d", { alpha: false }).drawImage(frame, 0, 0);
    frame.close();
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    const jpeg = await blob.arrayBuffer();
    postMessage({ jpeg }, [jpeg]);
  } else {
    clearInterval(timer);
    if (everyMs) timer = setInterval(() => postMessage({}), everyMs);
  }
};
