// A click on any figure opens its formula, its events and its sum; the address opens the same for a colleague.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, close, figures, launch, open } from "./support/browser.mjs";
import { Centre, SITE } from "./support/centre.mjs";

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 120, seed: 11 }), launch()]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

/** Shows every page of items, and gives them. */
async function allItems(page) {
  for (;;) {
    const more = await page.$("button.more");
    if (!more) break;
    const before = await page.locator("tr.item").count();
    await more.click();
    await page.waitForFunction((count) => document.querySelectorAll("tr.item").length > count, before);
  }
  return page.$$eval("tr.item", (rows) =>
    rows.map((row) => ({ measure: row.dataset.measure, amount: row.dataset.amount, events: row.querySelectorAll("li[data-position]").length })),
  );
}

test("the items of a figure add up to its terms, and its terms to the figure", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click('table.queues [data-column="aht"] >> text=/\\d/ >> nth=0');
  await page.waitForSelector("tr.item");
  assert.match(await page.textContent("article"), /handle_talk \+ handle_hold \+ handle_acw/);
  const terms = await page.$$eval(".terms tbody tr", (rows) => rows.map((row) => [row.dataset.measure, BigInt(row.dataset.amount)].map(String)));
  const items = await allItems(page);
  for (const [measure, amount] of terms) {
    const sum = items.filter((item) => item.measure === measure).reduce((all, item) => all + BigInt(item.amount), 0n);
    assert.equal(String(sum), amount, measure);
  }
  assert.ok(items.every((item) => item.events > 0), "each item names its events");
  const of = Object.fromEntries(terms.map(([measure, amount]) => [measure, BigInt(amount)]));
  const [numerator, denominator] = (await page.getAttribute("article .value", "data-value")).split("/").map(BigInt);
  assert.equal(numerator, of.handle_talk + of.handle_hold + of.handle_acw);
  assert.equal(denominator, of.handled);
  await accessible(page, "explain");
  await close(page);
});

test("a colleague who opens the address sees the same figure", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click('table.queues [data-column="service_level"][data-table="queuesDay"]');
  await page.waitForSelector("article .value");
  // As it was known then: late facts must not change what is sent around.
  await page.click(".links a");
  await page.waitForURL(/known=then/);
  await page.waitForSelector("article .value");
  const mine = await page.textContent("article");
  const other = await open(browser, page.url());
  await other.fill("#token", await centre.tokenOf("kpi_desk"));
  await other.keyboard.press("Enter");
  await other.waitForSelector("article .value");
  assert.equal(await other.textContent("article"), mine);
  await close(other);
  await close(page);
});

test("a window's figure is explained over the window, and a value at an instant by its meaning", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click('[data-table="totalWindow"]');
  await page.waitForSelector(".terms");
  assert.match(await page.textContent("article"), /the 30 minutes up to/);
  await page.goto(`${centre.url}/#/${SITE}/explain?column=waiting`);
  await page.waitForFunction(() => /Visits that wait/.test(document.body.textContent));
  assert.match(await page.textContent("article"), /value at an instant/);
  await close(page);
});

test("each figure in the words of a formula opens its own explanation, and its amount stands in the formula", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click('[data-table="totalDay"][data-column="aht"]');
  await page.waitForSelector(".formula a");
  assert.deepEqual(await page.$$eval(".formula a", (all) => all.map((link) => link.dataset.measure)), ["handle_talk", "handle_hold", "handle_acw", "handled"]);
  const amount = await page.getAttribute('.terms tr[data-measure="handle_acw"]', "data-amount");
  await page.click('.numbers a[data-measure="handle_acw"]');
  await page.waitForFunction(() => /column=handle_acw/.test(location.hash) && document.querySelector("article .value"));
  await page.waitForFunction((before) => document.querySelector("article .value")?.dataset.value === `${before}/0`, amount);
  await close(page);
});

/** The explanation of a value at an instant that is not 0, as it was seen in the overview. It is held, for at this pace nobody waits long;
 *  and explained as it was known then, for what comes in later may say that nobody waited. */
async function standing(page, column) {
  const figure = `[data-table="totalDay"][data-column="${column}"]`;
  const isThere = (selector) => /[1-9]/.test(document.querySelector(selector).textContent);
  do {
    await page.waitForFunction(isThere, figure);
    await page.keyboard.press("p");
    await page.waitForSelector('[data-link="held"]');
    // Else it was over before it could be held.
    if (await page.evaluate(isThere, figure)) break;
    await page.keyboard.press("p");
    await page.waitForSelector('[data-link="live"]');
  } while (true);
  await page.hover(figure);
  await page.goto(`${await page.$eval(figure, (link) => link.href)}&known=then`);
  await page.waitForSelector("article .value");
  await page.waitForSelector("tr.item");
  const [value] = (await page.getAttribute("article .value", "data-value")).split("/");
  return { value: Number(value), items: await page.$$eval("tr.item", (rows) => rows.map((row) => ({ agent: row.cells[4].textContent, queue: row.cells[5].textContent, events: row.querySelectorAll("li[data-position]").length }))) };
}

for (const [column, what] of [["agents_signed_in", "agent"], ["agents_ready", "agent"], ["waiting", "queue"]]) {
  test(`${column} lists each ${what} that stood so at the instant, with its events`, async () => {
    const page = await open(browser, centre.page);
    await figures(page);
    const { value, items } = await standing(page, column);
    assert.equal(items.length, value);
    assert.ok(items.every((item) => item[what] && item.events > 0), JSON.stringify(items));
    if (what === "agent") assert.equal(new Set(items.map((item) => item.agent)).size, value, "each agent once");
    await accessible(page, column);
    await close(page);
  });
}

test("in Chinese names, meanings and formulas are Chinese too", async () => {
  const page = await open(browser, centre.page, { locale: "zh-CN" });
  await figures(page);
  await page.click('[data-table="totalDay"][data-column="aht"]');
  await page.waitForSelector(".formula a");
  assert.equal((await page.textContent(".formula code")).replace(/\s/g, ""), "平均处理时长=(处理：通话+处理：保持+处理：话后)/处理量");
  await page.click('.formula a[data-measure="handled"]');
  await page.waitForFunction(() => /已完成的通话段/.test(document.querySelector("article")?.textContent ?? ""));
  await accessible(page, "an explanation in Chinese");
  await close(page);
});

test("a question that cannot be answered is refused in words, and the page goes on", async () => {
  const page = await open(browser, centre.page, { expected: [/400|Failed to load/] });
  await figures(page);
  await page.goto(`${centre.url}/#/${SITE}/explain?column=nonsense`);
  await page.waitForSelector("[role=alert]");
  assert.match(await page.textContent("[role=alert]"), /nonsense/);
  await page.keyboard.press("1");
  await figures(page);
  await close(page);
});
