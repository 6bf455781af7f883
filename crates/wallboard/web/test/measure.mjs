// Measures what benches/RESULTS.md says of the page: `source node.sh; AGENTS=1000 node test/measure.mjs`;
// GRID=1 for the agents as tiles. Not a test.
import { launch, open } from "./support/browser.mjs";
import { Centre, SITE } from "./support/centre.mjs";

const agents = Number(process.env.AGENTS ?? 1000);
const centre = await Centre.start({ speed: Number(process.env.SPEED ?? 30), agents });
const browser = await launch();
const seconds = (ms) => new Promise((resolve) => setTimeout(resolve, ms * 1000));
await seconds(Number(process.env.WAIT ?? 10));

/** When the first figures stand on the screen, milliseconds from the navigation on; a context of its own each time: nothing is kept. */
async function coldLoad() {
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const look = () => {
      if (/\d/.test(document.querySelector('[data-table="totalDay"][data-column="aht"]')?.textContent ?? "")) {
        requestAnimationFrame(() => (window.firstFigures = performance.now()));
      } else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(centre.page);
  await page.waitForFunction(() => window.firstFigures);
  const taken = await page.evaluate(() => window.firstFigures);
  await context.close();
  return taken;
}
const loads = [];
for (let run = 0; run < 9; run++) loads.push(await coldLoad());
console.log("first figures, ms, of 9 cold loads:", loads.map(Math.round).sort((a, b) => a - b).join(" "));

const page = await open(browser, centre.page, { width: 1920, height: 1080 });
await page.goto(`${centre.url}/#/${SITE}/agents?order=since+down${process.env.GRID ? "&as=grid" : ""}`);
await page.waitForSelector("[data-agent]");
await seconds(2);
await page.evaluate(() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
});
const position = async () => Number((await (await fetch(`${centre.url}/healthz`)).json()).end_position);
const before = await position();
const length = Number(process.env.LENGTH ?? 15);
await seconds(length);
const rate = ((await position()) - before) / length;
const tasks = await page.evaluate(() => window.tasks);
const rows = await page.textContent(".filters output");
console.log(`agents' view: ${rows}, ${Math.round(rate)} events/s, ${tasks.length} tasks over 50 ms, the longest ${Math.max(0, ...tasks)} ms`);
await browser.close();
await centre.end();
