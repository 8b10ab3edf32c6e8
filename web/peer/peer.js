// The network's worker, made by the engine: `new Worker("/peer.js", { type: "module" })`. Its messages are those of
// web/bridge's `peer`. It holds no key of the wallet: what comes from the network is read apart from them.
//
// The wasm module takes `message` events when it starts; what came before that is held and handed over in order.
import init from "/peer_glue.js";

const early = [];
const hold = (event) => early.push(event);
self.addEventListener("message", hold);
await init();
self.removeEventListener("message", hold);
for (const { data } of early) self.dispatchEvent(new MessageEvent("message", { data }));
