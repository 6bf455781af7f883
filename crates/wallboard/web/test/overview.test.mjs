// The overview shows what `pegcount kpi` answers, cell by cell, and opens each figure.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, close, figures, launch, open } from "./support/browser.mjs";
import { Centre, SITE } from "./support/centre.mjs";
import { compare } from "./support/compare.mjs";

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 120 }), launch()]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

test("the address that the demo prints signs in, and the token leaves it at once", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  assert.ok(!page.url().includes(centre.token), page.url());
  assert.equal(new URL(page.url()).hash, `#/${SITE}/overview`);
  await close(page);
});

test("every figure equals what pegcount kpi answers at the same instant and position", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.waitForFunction(() => document.querySelectorAll("table.queues tbody tr").length >= 2);
  const first = await compare(page, centre);
  assert.ok(first >= 30, `${first} figures compared`);
  // Once more when much has changed.
  const offered = Number((await page.textContent('[data-table="queuesDay"][data-column="offered"]')).replace(/\D/g, ""));
  await page.waitForFunction((before) => {
    const now = document.querySelector('[data-table="queuesDay"][data-column="offered"]').textContent;
    return Number(now.replace(/\D/g, "")) > before + 3;
  }, offered);
  await compare(page, centre);
  await close(page);
});

test("the agents' figures equal what pegcount kpi answers, and states are told with their time", async () => {
  const page = await open(browser, `${centre.url}/#/${SITE}/agents`);
  await page.evaluate((token) => sessionStorage.setItem("pegcount-token", token), centre.token);
  await page.reload();
  await page.waitForSelector("tr.row a.figure");
  await page.waitForFunction(() => /[1-9]/.test(document.querySelector('[data-column="handled"]').textContent));
  const compared = await compare(page, centre);
  assert.ok(compared >= 10 * 7, `${compared} figures compared`);
  const states = await page.$$eval("tr.row td:nth-child(3)", (all) => all.map((one) => one.textContent));
  assert.ok(states.every((state) => /ready|away|talking|hold|work|ringing|dialing|consulting|conference|interrupted|occupied|lost/.test(state)), states.join());
  await close(page);
});

test("what stands still is still a figure of today: the curve has a table that says the same", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click("section.by-time summary");
  const rows = await page.$$eval("section.by-time tbody tr", (all) => all.map((row) => row.innerText));
  assert.equal(rows.length, 48, "half hours of a day of 24 hours");
  await page.waitForFunction(() => {
    const sum = [...document.querySelectorAll("section.by-time tbody tr td:nth-child(2)")].reduce((all, one) => all + (Number(one.textContent.replace(/\D/g, "")) || 0), 0);
    return sum > 0;
  });
  assert.ok(await page.$("canvas"), "and it is drawn");
  await accessible(page, "with the table open");
  await close(page);
});
