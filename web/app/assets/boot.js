// Starts the interface. Before anything else it takes the fragment, which may carry a secret (a report's ticket, a
// consent, an invitation), and strips it from the address bar and the history; only then is code fetched.
const taken = location.hash.slice(1);
if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);

// The language that the person chose last, whose texts are fetched beside the code.
const language = (() => {
  try {
    return localStorage.getItem("suishen-language")?.startsWith("en") ? "en" : "zh-CN";
  } catch {
    return "zh-CN";
  }
})();

// Wallet and desks have code of their own. Which one this is: by the host's first label, else by the path's first part.
const named = (part, roles) => new RegExp(`^(${roles})\\d*$`).test(part);
const [host, path] = [location.hostname.split(".")[0], location.pathname.split("/")[1]];
const desk = named(host, "hospital|doctor|insurer|fund|auditor");
const wallet = named(host, "patient|wallet") || (!desk && named(path, "patient|wallet"));

async function texts() {
  const answer = await fetch(`/text/${language}.ftl`);
  if (!answer.ok) throw new Error(`texts: ${answer.status}`);
  return answer.text();
}

const note = document.getElementById("opening-note");
const missing = ["WebAssembly" in self, "HTMLDialogElement" in self, "Worker" in self, "crypto" in self && "subtle" in crypto];

if (missing.includes(false)) {
  note.textContent =
    "这个浏览器太旧，打不开随身。请用 Chrome 109、Edge 109、Safari 16 或更新的浏览器。 This browser is too old: " +
    "please use Chrome or Edge 109, Safari 16, or newer.";
} else {
  try {
    const [app, words] = await Promise.all([wallet ? import("/app.js") : import("/desk.js"), texts()]);
    await app.default();
    app.start(taken, language, words);
  } catch (cause) {
    console.error(cause);
    note.textContent =
      "没有打开：页面的文件没有收全。连上网再试一次，病历没有受影响。 Could not open: a file of this page did not " +
      "arrive. Try again online; your records are not affected.";
  }
}
