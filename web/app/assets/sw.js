// Serves the page's own files offline, and only those of one listed release (DESIGN §6): /release.json names each file
// with its SHA-256, and a file that differs from its line is not taken. A newer release is fetched beside the old one
// and used after the person's tap ("take"), never by itself. Calls to the relay (/v1, /p2p) pass by untouched.
const LIST = "/release.json";
const PREFIX = "suishen-release-";

const WALLET = /^(patient|wallet)\d*\./.test(location.hostname);

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function fetchRelease() {
  const answer = await fetch(LIST, { cache: "no-store" });
  if (!answer.ok) throw new Error(`release list: ${answer.status}`);
  const text = await answer.text();
  const release = JSON.parse(text);
  const cache = await caches.open(PREFIX + release.release);
  for (const [path, digest] of Object.entries(release.files)) {
    // Samples are for a desk that demonstrates, and desks have code of their own; no wallet needs either offline.
    if (path.startsWith("/samples/") || (WALLET && path.startsWith("/pkg/desk")) || (await cache.match(path))) continue;
    const file = await fetch(path, { cache: "no-cache" });
    if (!file.ok) throw new Error(`${path}: ${file.status}`);
    const body = await file.arrayBuffer();
    if (hex(await crypto.subtle.digest("SHA-256", body)) !== digest) throw new Error(`${path} differs from the list`);
    await cache.put(path, new Response(body, { headers: file.headers }));
  }
  await cache.put(LIST, new Response(text, { headers: { "content-type": "application/json" } }));
  return release.release;
}

// The release that is served: the first one ever fetched, then whichever the person took.
async function chosen() {
  const cache = await caches.open("suishen-chosen");
  const answer = await cache.match("/chosen");
  return answer && answer.text();
}

async function choose(release) {
  const cache = await caches.open("suishen-chosen");
  await cache.put("/chosen", new Response(release));
}

self.addEventListener("install", (event) => {
  event.waitUntil(
    fetchRelease().then(async (release) => {
      if (!(await chosen())) await choose(release);
    }),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

async function current() {
  const release = await chosen();
  return release && (await caches.has(PREFIX + release)) ? PREFIX + release : null;
}

async function serve(request) {
  const name = await current();
  if (!name) return fetch(request);
  const cache = await caches.open(name);
  const path = new URL(request.url).pathname;
  const held = (await cache.match(path)) || (request.mode === "navigate" && (await cache.match("/index.html")));
  return held || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (/^\/(v1|p2p|healthz)(\/|$)/.test(url.pathname) || url.pathname === LIST) return;
  event.respondWith(serve(event.request));
});

async function take() {
  const release = await fetchRelease();
  await choose(release);
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== PREFIX + release) await caches.delete(name);
  }
}

self.addEventListener("message", (event) => {
  if (event.data === "take") event.waitUntil(take().then(() => event.ports[0]?.postMessage("taken")));
});
