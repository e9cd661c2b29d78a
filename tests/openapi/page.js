// Opens a page as a browser does, runs its scripts, and prints as JSON what it asked for and what it shows.
//
// usage: node page.js URL TEXT        leaves when the page shows TEXT, or after a minute
const { JSDOM, ResourceLoader, VirtualConsole } = require("jsdom");

const [url, expected] = process.argv.slice(2);
const origin = new URL(url).origin;
const asked = [];
const errors = [];

// Elsewhere is not gone to, but written down.
function ask(target, options) {
  const absolute = new URL(target, url).href;
  asked.push(absolute);
  return absolute.startsWith(`${origin}/`) ? fetch(absolute, options) : Promise.reject(new Error(`elsewhere: ${absolute}`));
}

class Loader extends ResourceLoader {
  fetch(target) {
    return ask(target).then(async (answer) => Buffer.from(await answer.arrayBuffer()));
  }
}

// What jsdom does not have and the page's script expects of a browser.
function equip(window) {
  window.fetch = ask;
  window.URL.createObjectURL = () => "blob:own";
  window.scrollTo = () => {};
  window.Worker = class {
    constructor(target) {
      if (!String(target).startsWith("blob:")) asked.push(String(target));
    }
    addEventListener() {}
    postMessage() {}
    terminate() {}
  };
  window.IntersectionObserver = class {
    observe() {}
    disconnect() {}
  };
}

function leave(dom) {
  const { document } = dom.window;
  const sources = [...document.querySelectorAll("[src], link[href]")].map((element) => element.src || element.href);
  process.stdout.write(JSON.stringify({ asked, sources, errors, text: document.body.textContent }), () => process.exit(0));
}

const watched = new VirtualConsole();
watched.on("jsdomError", (error) => errors.push(String(error.message).slice(0, 300)));

fetch(url).then(async (answer) => {
  const dom = new JSDOM(await answer.text(), {
    url,
    runScripts: "dangerously",
    resources: new Loader(),
    pretendToBeVisual: true,
    virtualConsole: watched,
    beforeParse: equip,
  });
  const until = Date.now() + 60000;
  const timer = setInterval(() => {
    if (!dom.window.document.body.textContent.includes(expected) && Date.now() < until) return;
    clearInterval(timer);
    leave(dom);
  }, 100);
});
