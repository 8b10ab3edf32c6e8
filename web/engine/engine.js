// The engine's worker: `new Worker("/engine.js", { type: "module" })`. Its messages are those of web/bridge.
//
// The wasm module takes `message` events when it starts; what came before that is held and handed over in order.
import init from "/engine_glue.js";

const early = [];
const hold = (event) => early.push(event);
self.addEventListener("message", hold);
await init();
self.removeEventListener("message", hold);
for (const { data, ports } of early) self.dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
