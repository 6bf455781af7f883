// One queue: each figure equals what `pegcount kpi` answers, piece by piece too; who waits is told with a running time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, close, figures, launch, open } from "./support/browser.mjs";
import { Centre, SITE } from "./support/centre.mjs";
import { compare } from "./support/compare.mjs";

let centre, browser;
before(async () => {
  // Few agents for many calls: somebody always waits.
  [centre, browser] = await Promise.all([Centre.start({ speed: 120, seed: 21, agents: 12, callsPerHour: 240 }), launch()]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

/** The page of a queue, reached by its name in the overview. */
async function queue(name) {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click(`table.queues tbody th a >> text=${name}`);
  await page.waitForSelector("table.intervals tbody tr");
  return page;
}

test("a queue's name in the overview opens its day, and every figure of it equals what pegcount kpi answers", async () => {
  const page = await queue("service");
  assert.match(page.url(), /\/queue\?queue=service/);
  await page.waitForFunction(() => document.querySelectorAll("table.intervals tbody tr").length >= 2);
  const compared = await compare(page, centre);
  assert.ok(compared >= 10 + 2 * 7, `${compared} figures compared`);
  assert.ok((await page.locator("section.pieces canvas").count()) === 2, "and two curves are drawn");
  await close(page);
});

test("a figure of a piece opens the explanation of that piece in that queue", async () => {
  const page = await queue("service");
  const from = await page.getAttribute("table.intervals tbody tr", "data-from");
  await page.click('table.intervals tbody tr:first-child [data-column="offered"]');
  await page.waitForSelector("tr.item");
  const asked = new URLSearchParams(new URL(page.url()).hash.split("?")[1]);
  assert.deepEqual([asked.get("from"), asked.get("cell")], [from, "queue:service"]);
  assert.deepEqual(await page.$$eval("tr.item td:nth-child(6)", (all) => [...new Set(all.map((one) => one.textContent))]), ["service"]);
  await close(page);
});

test("pieces are as long as is chosen, and that stands in the address", async () => {
  const page = await queue("service");
  await page.selectOption("#length", "15");
  await page.waitForURL(/by=15/);
  await page.waitForFunction(() => {
    const from = [...document.querySelectorAll("table.intervals tbody tr")].map((row) => Number(row.dataset.from));
    return from.length >= 3 && from.some((one, place) => place && one - from[place - 1] === 900e6);
  });
  await compare(page, centre);
  await close(page);
});

const seconds = (text) => text.split(":").reduce((all, part) => all * 60 + Number(part.replace(/\D/g, "")), 0);

test("who waits is listed, the longest wait first, and the time runs by the server's clock", async () => {
  const page = await queue("service");
  await page.waitForSelector("table.waits tbody tr");
  await page.waitForFunction(() => {
    // The same contact, some seconds later.
    const row = document.querySelector("table.waits tbody tr");
    if (!row) return false;
    window.first ??= { contact: row.dataset.contact, text: row.cells[1].textContent };
    if (row.dataset.contact !== window.first.contact) window.first = undefined;
    return window.first && row.cells[1].textContent !== window.first.text;
  });
  await page.keyboard.press("p");
  await page.waitForSelector('[data-link="held"]');
  const rows = await page.$$eval("table.waits tbody tr", (all) => all.map((row) => [Number(row.dataset.since), row.cells[1].textContent]));
  assert.deepEqual(rows.map(([since]) => since), rows.map(([since]) => since).toSorted((a, b) => a - b));
  const waits = rows.map(([, text]) => seconds(text));
  assert.deepEqual(waits, waits.toSorted((a, b) => b - a));
  const past = await page.$$eval("table.waits tbody td.warn .mark", (all) => all.map((one) => one.getAttribute("aria-label")));
  assert.ok(past.every((words) => /longer than the service level's threshold: 0:20/.test(words)), past.join());
  assert.equal(past.length, waits.filter((wait) => wait > 20).length, "exactly those past the threshold are marked");
  await accessible(page, "queue with waiting contacts");
  await close(page);
});

test("a day without anything says so, and one without a name asks for one", async () => {
  const page = await queue("service");
  await page.goto(`${centre.url}/#/${SITE}/queue?queue=service&date=2020-01-01`);
  await page.waitForFunction(() => /Nothing was counted in this queue/.test(document.body.textContent));
  await page.goto(`${centre.url}/#/${SITE}/queue`);
  await page.waitForFunction(() => /No queue is named/.test(document.body.textContent));
  await close(page);
});

test("who may see figures and no contacts is told so kindly", async () => {
  const page = await open(browser, `${centre.url}/#/${SITE}/queue?queue=service`, { expected: [/403|Failed to load/] });
  await page.fill("#token", await centre.tokenOf("analyst"));
  await page.keyboard.press("Enter");
  await page.waitForSelector("section.waiting-now [role=alert]");
  assert.match(await page.textContent("section.waiting-now"), /may not see contacts/);
  assert.ok(await page.locator("table.intervals tbody tr").count(), "and sees the figures");
  await close(page);
});
