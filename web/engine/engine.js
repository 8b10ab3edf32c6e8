// The engine's worker: `new Worker("/engine.js", { type: "module" })`, or `/engine.js?desk` for a desk's. Its messages are
// those of web/bridge.
//
// The wasm module takes `message` events when it starts; what came before that is held and handed over in order.

const early = [];
const hold = (event) => early.push(event);
self.addEventListener("message", hold);
const glue = location.search === "?desk" ? import("/desk_engine_glue.js") : import("/engine_glue.js");
await (await glue).default();
self.removeEventListener("message", hold);
for (const { data, ports } of early) self.dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
