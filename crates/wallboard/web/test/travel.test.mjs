// Travel in time: the whole page as it was known then, equal to `pegcount kpi --known-at`; and what has been corrected since.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { service } from "./support/api.mjs";
import { accessible, close, figures, launch, open } from "./support/browser.mjs";
import { Centre, SITE, ZONE } from "./support/centre.mjs";
import { compareAll } from "./support/compare.mjs";
import { rfc3339, shown } from "./support/expected.mjs";

const MINUTE_US = 60_000_000;
let centre, browser, then;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 240, seed: 17 }), launch()]);
  // An hour in which there was something to do, and what has come in since.
  const answered = async () => (await kpi(["--columns", "answered"])).rows[0].answered;
  await until(async () => (await answered()) > 40);
  then = (await now()).replace(/\.\d+/, "");
  const before = await answered();
  await until(async () => (await answered()) > before + 40);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

const kpi = (more) => centre.ask(["kpi", "--site", SITE, "--time-zone", ZONE, ...more]);
/** The centre's clock, RFC 3339 in UTC to the second. */
const now = async () => rfc3339(BigInt(Date.parse((await kpi(["--columns", "offered"])).as_of)) * 1000n);

async function until(holds) {
  for (;;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A page in the past; `view` with its own choices. */
async function past(view, options) {
  const page = await open(browser, centre.page, options);
  await page.waitForSelector("header nav");
  await page.goto(`${centre.url}/#/${SITE}/${view}${view.includes("?") ? "&" : "?"}known=${then}`);
  await settled(page);
  return page;
}

/** All of the past has been answered. */
const settled = (page) => page.waitForSelector('body[data-link="past"] main > div[aria-busy="false"]', { state: "attached" });

test("the overview of the past equals pegcount kpi --known-at, cell by cell", async () => {
  const page = await past("overview");
  await page.waitForSelector("table.queues tbody tr");
  const compared = await compareAll(centre, page);
  assert.ok(compared >= 40, `${compared} figures compared`);
  // And it stands still while the centre goes on.
  const before = await page.textContent("main");
  await until(async () => (await now()) > then);
  assert.equal(await page.textContent("main"), before);
  assert.match(await page.textContent("header"), /THE PAST, as it was known at/);
  await accessible(page, "the past");
  await close(page);
});

test("the agents of the past have figures, and no states that would be the present ones", async () => {
  const page = await past("agents");
  await page.waitForSelector("tr.row a.figure");
  assert.ok((await compareAll(centre, page)) >= 70);
  const states = await page.$$eval("tr.row td:nth-child(3)", (all) => all.map((one) => one.textContent.trim()));
  assert.ok(states.length && states.every((state) => /^–?$/.test(state)), states.join());
  assert.match(await page.textContent("#travel"), /only the present is known are left out/);
  await accessible(page, "agents of the past");
  await close(page);
});

test("all views stay in the past, rankings and trends too, and N is the way back", async () => {
  const page = await past("overview");
  await page.keyboard.press("5");
  await page.waitForSelector("table.ranking a.figure");
  await settled(page);
  assert.ok(page.url().includes(encodeURIComponent(then)), page.url());
  assert.ok((await compareAll(centre, page)) >= 70);
  await page.keyboard.press("4");
  await page.waitForSelector("table.trend a.figure");
  const [whole] = (await kpi(["--columns", "offered", "--known-at", then])).rows;
  await page.waitForFunction((text) => document.querySelector('tr[data-place="whole"] a.figure')?.textContent === text, shown("offered", whole));
  await page.keyboard.press("n");
  await page.waitForSelector('body[data-link="live"]');
  assert.ok(!page.url().includes("known"), page.url());
  await page.waitForFunction((text) => document.querySelector('tr[data-place="whole"] a.figure')?.textContent !== text, shown("offered", whole));
  await close(page);
});

test("a figure of the past is explained as it was known then, for a colleague too", async () => {
  const page = await past("overview");
  await page.click('[data-table="totalDay"][data-column="aht"]');
  await page.waitForSelector("article .value");
  await settled(page);
  const [row] = (await kpi(["--columns", "aht", "--known-at", then])).rows;
  assert.equal(await page.textContent("article .value"), shown("aht", row));
  const other = await open(browser, page.url());
  await other.fill("#token", await centre.tokenOf("kpi_desk"));
  await other.keyboard.press("Enter");
  await other.waitForSelector("article .value");
  assert.equal(await other.textContent("article"), await page.textContent("article"));
  await close(other);
  await close(page);
});

test("the slider asks once when it has come to rest, and says that it loads", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  const asked = [];
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route(/KpiService\/QueryKpi/, async (route) => {
    asked.push(route.request().url());
    await held;
    await route.continue();
  });
  await page.keyboard.press("t");
  assert.equal(await page.evaluate(() => document.activeElement.id), "travel-slider");
  for (let step = 0; step < 20; step++) await page.keyboard.press("ArrowLeft");
  await page.waitForSelector('body[data-link="past"] .loading');
  assert.equal(await page.locator("main .unread").evaluate((view) => getComputedStyle(view).visibility), "hidden", "nothing is shown that is not of then");
  release();
  await settled(page);
  // The overview's seven tables and the week before.
  assert.equal(asked.length, 8, asked.join("\n"));
  assert.match(page.url(), /known=\d{4}-\d\d-\d\dT/);
  await page.fill("#travel-time", local(then));
  await page.keyboard.press("Tab");
  await page.waitForFunction((known) => location.hash.includes(encodeURIComponent(known)), then);
  await page.focus("#travel-slider");
  await page.keyboard.press("n");
  await page.waitForSelector('body[data-link="live"]');
  await close(page);
});

test("one agent and one queue follow too, and tickets, which have no past here, say so instead", async () => {
  const [{ agent }] = (await kpi(["--by", "agent", "--columns", "handled", "--known-at", then])).rows.filter((row) => row.agent && row.handled);
  const page = await past(`agent?agent=${agent}`);
  await page.waitForSelector('[data-table="agentDay"]');
  assert.ok((await compareAll(centre, page)) >= 8);
  await page.goto(`${centre.url}/#/${SITE}/queue?queue=service&known=${then}`);
  await page.waitForSelector("table.intervals a.figure");
  await settled(page);
  assert.ok((await compareAll(centre, page)) >= 8);
  await page.goto(`${centre.url}/#/${SITE}/tickets?known=${then}`);
  await page.waitForFunction(() => /only the present is known/.test(document.querySelector("main")?.textContent ?? ""));
  assert.equal(await page.locator("main tr.row, [role=alert]").count(), 0);
  await accessible(page, "tickets in the past");
  await close(page);
});

test("before anything was known there is nothing, and no refusal", async () => {
  const page = await open(browser, centre.page);
  await page.waitForSelector("header nav");
  await page.goto(`${centre.url}/#/${SITE}/overview?known=2020-02-29T12:00:00Z`);
  await settled(page);
  assert.match(await page.textContent("header"), /Feb 29, 2020, 20:00:00/);
  assert.equal(await page.textContent('[data-table="totalDay"][data-column="aht"]'), "–");
  assert.equal(await page.locator("[role=alert]").count(), 0);
  await close(page);
});

test("an address that names no instant is about now", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.goto(`${centre.url}/#/${SITE}/overview?known=yesterday`);
  await page.waitForSelector('body[data-link="live"]');
  await figures(page);
  await close(page);
});

test("what has only a present is not asked for while the page is in the past", async () => {
  const page = await past("overview");
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.keyboard.press("2");
  await settled(page);
  assert.deepEqual(asked.filter((url) => /ListAgents|ListOpenContacts|GetAgent/.test(url)), []);
  await close(page);
});

/** An instant as the date-time input has it. */
const local = (instant) => new Date(instant).toLocaleString("sv-SE", { timeZone: ZONE }).replace(" ", "T");

test("on a phone the way into the past fits, in Chinese and in the dark", async () => {
  const page = await past("overview", { width: 390, height: 844, colorScheme: "dark", locale: "zh-CN" });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "wider than the window");
  assert.match(await page.textContent("header"), /过去：按/);
  await accessible(page, "the past on a phone");
  await close(page);
});

test("what was corrected since is listed with before, after and cause, and each opens its explanation", async () => {
  // A hold in a quarter of an hour that has long closed never happened.
  const found = await centre.ask(["explain", "--site", SITE, "--time-zone", ZONE, "--column", "holds", "--limit", "1"]);
  const [item] = found.items;
  // Softphone and exchange both report it; the exchange is believed.
  const event = item.events.find((one) => one.type === "leg held" && one.source === "exchange");
  // It counts when its handle is complete.
  const quarter = (us) => us - (us % (15 * MINUTE_US));
  const from = quarter(Date.parse(item.to) * 1000);
  await until(async () => Date.parse(await now()) * 1000 > from + 31 * MINUTE_US);
  const known = (await now()).replace(/\.\d+/, "");
  const commandId = randomBytes(16);
  const { position } = await service(centre, "IngestService").annulFact({ site: SITE, position: BigInt(event.position), reason: "it never happened", commandId });
  const page = await past("overview");
  await page.goto(`${centre.url}/#/${SITE}/overview?known=${known}`);
  const row = page.locator(`tr.correction[data-measure="holds"][data-position="${position}"]`);
  await row.waitFor();
  const range = ["--columns", "holds", "--from", rfc3339(from), "--to", rfc3339(from + 15 * MINUTE_US)];
  const amount = async (at) => (await kpi([...range, "--known-at", String(at)])).rows[0].holds;
  const told = await row.locator("td[data-amount]").evaluateAll((all) => all.map((cell) => Number(cell.dataset.amount)));
  assert.deepEqual(told, [await amount(position - 1n), await amount(position)]);
  assert.equal(Number(await row.getAttribute("data-difference")), -1);
  assert.match(await row.textContent(), /event #/);
  await accessible(page, "corrections");
  await row.locator("td:nth-child(3) a").click();
  await page.waitForSelector("article.then .value");
  assert.equal(Number(await page.textContent("article .value")), told[0], "the explanation of before");
  assert.match(await page.textContent("article"), /THE PAST, as it was known at log position/);
  await close(page);
});

test("who may not list corrections is told so, and sees its own past", async () => {
  const [{ agent }] = (await kpi(["--by", "agent", "--columns", "handled", "--known-at", then])).rows.filter((row) => row.agent && row.handled);
  const page = await open(browser, centre.url);
  await page.fill("#token", await centre.tokenOf("agent", ["--agent", agent]));
  await page.keyboard.press("Enter");
  await page.waitForSelector("header nav a");
  await page.goto(`${centre.url}/#/${SITE}/agents?known=${then}`);
  await settled(page);
  assert.deepEqual(await page.$$eval("tr.row", (all) => all.map((row) => row.dataset.agent)), [agent]);
  assert.match(await page.textContent("section.corrections"), /The role agent may not list corrections/);
  await close(page);
});
