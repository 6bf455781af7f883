// Rankings: equal to `pegcount kpi`, ties handled and said, live, and one's own row for an agent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, close, launch, open } from "./support/browser.mjs";
import { Centre, SITE } from "./support/centre.mjs";
import { compareAll } from "./support/compare.mjs";
import { compared, ranking } from "../src/views/ranking.ts";

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 120, seed: 29 }), launch()]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

const ratio = (amount, denominator) => ({ absent: false, amount: BigInt(amount), denominator: BigInt(denominator) });
const none = { absent: true, amount: 0n, denominator: 0n };

test("equal figures share a rank, the next one counts all before it, and who has no figure has none", () => {
  const values = new Map([["d", ratio(1, 2)], ["b", ratio(2, 3)], ["c", ratio(4, 6)], ["a", none], ["e", ratio(0, 5)]]);
  const told = ranking(values, true).map(({ key, rank, shared }) => `${key}${rank}${shared ? "=" : ""}`);
  assert.deepEqual(told, ["b1=", "c1=", "d3", "e4", "anull"]);
  assert.deepEqual(ranking(values, false).map((one) => one.key), ["e", "d", "b", "c", "a"]);
});

test("ratios are compared exactly where their decimals are the same", () => {
  const huge = 2n ** 61n;
  assert.equal(compared(ratio(huge, huge - 1n), ratio(huge - 1n, huge - 2n)), -1);
});

async function rankings(choices, options) {
  const page = await open(browser, centre.page, options);
  await page.waitForSelector("header nav");
  await page.goto(`${centre.url}/#/${SITE}/rankings?${new URLSearchParams(choices)}`);
  await page.waitForSelector("table.ranking a.figure");
  return page;
}

const rows = (page) =>
  page.$$eval("table.ranking tbody tr", (all) => all.map((row) => ({ key: row.dataset.key, rank: row.dataset.rank, text: row.querySelector("a.figure").textContent, shared: /=/.test(row.querySelector(".rank").textContent) })));

for (const by of ["agent", "team"]) {
  test(`the ranking of each ${by} equals pegcount kpi, and its order is that of its figures`, async () => {
    const page = await rankings({ by, column: "handled" });
    await page.waitForFunction(() => /[1-9]/.test(document.querySelector('[data-column="handled"]').textContent));
    await page.keyboard.press("p");
    await page.waitForSelector('body[data-link="held"]');
    assert.ok((await compareAll(centre, page)) >= 3 * 9);
    const all = (await rows(page)).filter((row) => row.rank);
    const amounts = all.map((row) => Number(row.text.replace(/\D/g, "")));
    all.forEach((row, place) => {
      assert.equal(Number(row.rank), amounts.filter((amount) => amount > amounts[place]).length + 1, row.key);
      assert.equal(row.shared, amounts.filter((amount) => amount === amounts[place]).length > 1, row.key);
    });
    await accessible(page, by);
    await close(page);
  });
}

test("another column, another order and another range are one click each, and stand in the address", async () => {
  const page = await rankings({});
  await page.click("thead button >> text=Average handle time");
  await page.waitForSelector('th[aria-sort="ascending"] >> text=Average handle time');
  assert.match(page.url(), /column=aht/);
  await page.selectOption("#order", "high");
  await page.waitForSelector('th[aria-sort="descending"] >> text=Average handle time');
  await page.selectOption("#range", "month");
  await page.waitForFunction(() => /range=month/.test(location.hash));
  await page.waitForSelector("table.ranking a.figure");
  assert.match(await page.textContent("main"), /Equal figures share a rank/);
  await page.selectOption("#column", "efficiency_share");
  await page.waitForFunction(() => /at least 1 hour available/.test(document.querySelector("main").textContent));
  await close(page);
});

test("an agent sees its own row, and is told why it has no rank", async () => {
  const all = await rankings({ column: "handled" });
  const name = await all.getAttribute("table.ranking tbody tr", "data-key");
  await close(all);
  const page = await open(browser, centre.url);
  await page.fill("#token", await centre.tokenOf("agent", ["--agent", name]));
  await page.keyboard.press("Enter");
  await page.waitForSelector("header nav a");
  await page.keyboard.press("5");
  await page.waitForSelector("table.ranking a.figure");
  const own = await rows(page);
  assert.deepEqual(own.map(({ key, rank }) => [key, rank]), [[name, ""]]);
  assert.match(await page.textContent("main"), /no rank among them can be told/);
  await close(page);
});

for (const [name, width, height, colorScheme, locale] of [["a phone", 390, 844, "light", "zh-CN"], ["a wall", 3840, 2160, "dark", "en-GB"]]) {
  test(`on ${name} nothing sticks out, and axe finds nothing`, async () => {
    const page = await rankings({}, { width, height, colorScheme, locale });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "wider than the window");
    await accessible(page, name);
    await close(page);
  });
}
