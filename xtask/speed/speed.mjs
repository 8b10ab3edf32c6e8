// Measures the wasm works beside sm-crypto-v2 in one process, in turns:
// node speed.mjs GLUE.js GLUE_bg.wasm SM-CRYPTO.mjs
// or one work alone, which no other package does: node speed.mjs GLUE.js GLUE_bg.wasm --only WORK
// Prints one JSON object: work -> {wasm, peer}, medians of processor time in nanoseconds.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [glue, wasm, peerFile, only] = process.argv.slice(2);
const { initSync, Speed } = await import(pathToFileURL(glue));
initSync({ module: readFileSync(wasm) });
const speed = new Speed();

// A round lasts about this long; more rounds than are disturbed by what else the machine does.
const ROUND_MS = 120;
const ROUNDS = 15;

// What the other package does for each work.
const beside = async () => {
  const { sm2, sm3, sm4 } = await import(pathToFileURL(peerFile));
  const bytes = (length) => Uint8Array.from({ length }, (_, i) => i & 255);
  const [message, file, chunk, boxed] = [300, 1 << 20, 1 << 16, 256].map(bytes);
  const { privateKey, publicKey } = sm2.generateKeyPairHex();
  const signing = { hash: true, publicKey };
  const signature = sm2.doSignature(message, privateKey, signing);
  const box = sm2.doEncrypt(boxed, publicKey);
  const [key, iv] = [bytes(16), bytes(12)];
  const gcm = { mode: "gcm", iv, output: "array", outputTag: true };
  const seal = (text) => sm4.encrypt(text, key, gcm);
  const pieces = (text) => Array.from({ length: text.length / chunk.length }, (_, i) => text.subarray(i * chunk.length, (i + 1) * chunk.length));
  const sealed = seal(chunk);
  const open = () => sm4.decrypt(sealed.output, key, { ...gcm, tag: sealed.tag });

  const peer = {
    "sm2-sign": () => sm2.doSignature(message, privateKey, signing),
    "sm2-verify": () => sm2.doVerifySignature(message, signature, publicKey, { hash: true }),
    "sm3-1MiB": () => sm3(file),
    "sm4-gcm-64KiB": () => seal(chunk),
    "stream-encrypt-1MiB": () => pieces(file).map(seal),
    "stream-decrypt-1MiB": () => pieces(file).map(open),
    "box-seal": () => sm2.doEncrypt(boxed, publicKey),
    "box-open": () => sm2.doDecrypt(box, privateKey, 1, { output: "array" }),
  };
  if (!peer["sm2-verify"]() || open().length !== chunk.length || peer["box-open"]().length !== boxed.length) {
    throw new Error("sm-crypto-v2 does not do what is measured: its interface has changed");
  }
  return peer;
};

const repeat = (work, times) => { for (let i = 0; i < times; i++) work(); };
const ours = (name, times) => { if (!speed.run(name, times)) throw new Error(`${name} fails as wasm`); };
// Processor time: what else the machine does stands in line beside, not within. Nanoseconds.
const took = (work) => {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1e3;
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
// Doubled until a round is long enough to be measured, which warms the compilers up too.
const timesFor = (round) => {
  for (let times = 1; ; times *= 2) if (took(() => round(times)) > ROUND_MS * 5e5) return times;
};

const figures = {};
const works = only ? { [only]: null } : await beside();
for (const [name, work] of Object.entries(works)) {
  const rounds = { wasm: (times) => ours(name, times), ...(work && { peer: (times) => repeat(work, times) }) };
  const all = Object.entries(rounds).map(([who, round]) => ({ who, round, times: timesFor(round), took: [] }));
  for (let i = 0; i < ROUNDS; i++) for (const one of all) one.took.push(took(() => one.round(one.times)) / one.times);
  figures[name] = Object.fromEntries(all.map((one) => [one.who, median(one.took)]));
}
console.log(JSON.stringify(figures));
