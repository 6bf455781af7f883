// The honest connection: a server that is killed and comes back, a network that is gone, a tab that slept.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { close, figures, launch, open, picture } from "./support/browser.mjs";
import { Centre, SITE, freePort } from "./support/centre.mjs";

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 60, seed: 3 }), launch()]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

const link = (page) => page.getAttribute("body", "data-link");
const until = (page, state) => page.waitForFunction((wanted) => document.body.dataset.link === wanted, state, { timeout: 20_000 });
const offered = (page) => page.textContent('[data-table="queuesDay"][data-column="offered"]').then((text) => Number(text.replace(/\D/g, "")));
const GONE = [/ERR_|Failed to load resource/];

/** How many were offered, by the server's own word. */
async function known() {
  const { rows } = await centre.ask(["kpi", "--site", SITE, "--columns", "offered"]);
  return Number(rows[0].offered);
}

/** Waits until some more calls have come, whatever the page knows of them. */
const happened = (before) => waitFor(async () => (await known()) > before + 5);

/** A network of one wire, which can be cut: what was open goes dead, and nothing new gets through. */
class Wire {
  #pairs = new Set();
  cut = false;

  static async to(port) {
    const wire = new Wire();
    wire.port = await freePort();
    wire.server = createServer((near) => {
      if (wire.cut) return near.destroy();
      const far = connect(port, "127.0.0.1");
      const pair = [near, far];
      wire.#pairs.add(pair);
      near.on("data", (bytes) => wire.cut || far.write(bytes)).on("close", () => (far.destroy(), wire.#pairs.delete(pair))).on("error", () => {});
      far.on("data", (bytes) => wire.cut || near.write(bytes)).on("close", () => near.destroy()).on("error", () => {});
    });
    await new Promise((resolve) => wire.server.listen(wire.port, "127.0.0.1", resolve));
    return wire;
  }

  /** Bytes are lost from now on; nobody is told. */
  break() {
    this.cut = true;
  }

  mend() {
    this.cut = false;
  }

  end() {
    this.cut = true;
    for (const pair of this.#pairs) pair.forEach((end) => end.destroy());
    this.server.close();
  }
}

test("the age of what is shown is always there", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await until(page, "live");
  assert.match(await page.textContent(".link .age"), /heard \d+\.\d s ago/);
  await close(page);
});

test("a server that is killed in mid-stream: the page says so, greys, and goes on without reload", async () => {
  const page = await open(browser, centre.page, { expected: GONE });
  await figures(page);
  await page.evaluate(() => (window.sameDocument = true));
  const before = await offered(page);
  await centre.kill();
  await until(page, "cut");
  assert.match(await page.textContent(".link .age"), /NO CONTACT for \d+\.\d s. What you see is from \d\d:\d\d:\d\d/);
  assert.match(await page.evaluate(() => getComputedStyle(document.querySelector("main")).filter), /grayscale/);
  const frozen = await page.textContent("table.queues");
  await picture(page, "cut-off");
  await page.waitForFunction(() => Number(/for (\d+\.\d) s/.exec(document.querySelector(".link .age").textContent)?.[1]) >= 5);
  assert.equal(await page.textContent("table.queues"), frozen, "no time is made up meanwhile");
  await centre.begin();
  await until(page, "live");
  assert.ok(await page.evaluate(() => window.sameDocument), "it was not loaded again");
  await page.waitForFunction((known) => Number(document.querySelector('[data-table="queuesDay"][data-column="offered"]').textContent.replace(/\D/g, "")) > known, before);
  await close(page);
});

test("thirty seconds without a network, then the present at once, and nothing is missing", async () => {
  const wire = await Wire.to(centre.port);
  const page = await open(browser, centre.page.replace(String(centre.port), String(wire.port)), { expected: GONE });
  const beside = await open(browser, centre.page);
  await Promise.all([figures(page), figures(beside)]);
  wire.break();
  await until(page, "cut");
  await page.waitForFunction(() => /for (2[5-9]|3\d)\.\d s/.test(document.querySelector(".link .age").textContent), null, { timeout: 60_000, polling: 100 });
  wire.mend();
  await until(page, "live");
  // Both pages come to the same figures: the one that was away has no gap.
  const read = (one) => one.$$eval('[data-table="queuesDay"][data-column="offered"]', (all) => all.map((cell) => cell.textContent).join());
  await waitFor(async () => (await read(page)) === (await read(beside)));
  await close(page);
  await close(beside);
  wire.end();
});

async function waitFor(holds) {
  const end = Date.now() + 15_000;
  while (!(await holds())) assert.ok(Date.now() < end, "it did not come to hold in 15 s");
}

test("a tab that was frozen catches up at once when it is looked at", async () => {
  const page = await open(browser, centre.page, { expected: GONE });
  await figures(page);
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await happened(await known());
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await until(page, "live");
  await close(page);
});

test("held figures stand still, say so, and go on from where they were", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click("#hold");
  await until(page, "held");
  const [text, before] = [await page.textContent("main"), await offered(page)];
  await happened(await known());
  assert.equal(await page.textContent("main"), text);
  await page.click("#hold");
  await until(page, "live");
  await page.waitForFunction((known) => Number(document.querySelector('[data-table="queuesDay"][data-column="offered"]').textContent.replace(/\D/g, "")) > known, before);
  assert.equal(await link(page), "live");
  await close(page);
});
