// A worker's clock: browsers slow down the timers of pages in the background, not those of workers.

let timer;
onmessage = ({ data: everyMs }) => {
  clearInterval(timer);
  if (everyMs) timer = setInterval(() => postMessage(null), everyMs);
};
