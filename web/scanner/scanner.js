// The scanner's worker: `new Worker("/scanner.js", { type: "module" })`.
//
// In:   { id, bitmap }   an ImageBitmap, transferred: postMessage({ id, bitmap }, [bitmap])
// Out:  { ready: true }  once, when the decoder is loaded; frames sent before that wait for it
//       { id, codes }    codes: an array, empty when there is none to be read, of { text } or, where a code does not
//                        hold UTF-8, { bytes: Uint8Array }
//       { id, error }    a text: this frame could not be looked at; the next one may
//
// One frame in flight: send the next when the answer to the last has come. A frame is never kept.
import init, { decode } from "/scanner_glue.js";

// A larger picture costs time and shows no more of a code.
const LONGEST = 1600;

let canvas = null;

function pixels(bitmap) {
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  if (!canvas || canvas.width !== width || canvas.height !== height) {
    canvas = new OffscreenCanvas(width, height);
  }
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.clearRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

const ready = init();

self.onmessage = async ({ data: { id, bitmap } }) => {
  try {
    await ready;
    const { data, width, height } = pixels(bitmap);
    self.postMessage({ id, codes: decode(data, width, height) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};

ready.then(() => self.postMessage({ ready: true }));
