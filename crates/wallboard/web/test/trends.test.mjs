// Trends: any figure by anything over any days, equal to `pegcount kpi`; beside the days before, and by two formula versions.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { accessible, close, launch, open } from "./support/browser.mjs";
import { BINARY, Centre, SITE, ZONE } from "./support/centre.mjs";
import { rfc3339, shown } from "./support/expected.mjs";

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 600, seed: 23 }), launch()]);
  await define();
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

/** A second formula version, which is in force only in times to come: a handle is its talk. */
async function define() {
  const file = join(centre.dir, "site.toml");
  writeFileSync(
    file,
    `[site]\nname = "${SITE}"\ntime_zone = "${ZONE}"\n\n[[formula]]\nnumber = 2\nname = "talk"\nnotes = "only what the customer hears"\n` +
      `valid_from = "2099-01-01"\naht = "talk"\nservice_level = "answered_only"\n`,
  );
  await promisify(execFile)(BINARY, ["apply", file, "--yes", "--server", centre.url, "--token-file", centre.tokenFile]);
}

/** The trends with these choices, once they are answered. */
async function trends(choices, options) {
  const page = await open(browser, centre.page, options);
  await page.waitForSelector("header nav");
  await page.goto(`${centre.url}/#/${SITE}/trends?${new URLSearchParams(choices)}`);
  await page.waitForSelector("table.trend a.figure");
  return page;
}

/** Every figure of the table with its line, its key, and what its link says. */
const figures = (page) =>
  page.$$eval("table.trend a.figure", (all) =>
    all.map((link) => ({
      ...Object.fromEntries(new URLSearchParams(link.hash.split("?")[1])),
      text: link.textContent, key: link.dataset.key, source: link.dataset.source, place: link.closest("tr").dataset.place,
    })),
  );

/** What the command line says of a range as it was known at the position of a figure. */
const kpi = ({ column, as_of, position }, from, to, more = []) =>
  centre.ask([
    "kpi", "--site", SITE, "--time-zone", ZONE, "--columns", column, "--as-of", rfc3339(as_of), "--known-at", position,
    "--from", rfc3339(from), "--to", rfc3339(to), ...more,
  ]);

const least = (all) => all.reduce((a, b) => (BigInt(a) < BigInt(b) ? a : b));
const most = (all) => all.reduce((a, b) => (BigInt(a) > BigInt(b) ? a : b));

for (const [column, by, each] of [["aht", "queue", "hour"], ["offered", "", "interval30"], ["contacts_per_hour", "team", "hour"], ["away_clock", "reason", "day"], ["service_level", "channel", "interval15"]]) {
  test(`${column} by ${by || "nothing"} each ${each} equals pegcount kpi`, async () => {
    const page = await trends({ column, each, ...(by ? { by } : {}) });
    const all = await figures(page);
    const pieces = all.filter((one) => one.place !== "whole");
    assert.ok(pieces.length && all.length > pieces.length, "pieces, and the whole");
    for (const [group, dimensions] of [[pieces, [each, by]], [all.filter((one) => one.place === "whole"), [by]]]) {
      const cut = dimensions.filter((one) => one).join();
      const answer = await kpi(group[0], least(group.map((one) => one.from)), most(group.map((one) => one.to)), cut ? ["--by", cut] : []);
      for (const one of group) {
        const row = answer.rows.find((known) => Date.parse(known.from) === Number(one.from) / 1000 && (!by || (known[by] ?? "") === one.key));
        assert.ok(row, `${one.place} ${one.key} is a row of the command line too`);
        assert.equal(one.text, shown(column, row), `${one.place} ${one.key}`);
      }
    }
    await close(page);
  });
}

test("two formula versions stand side by side with their difference, as pegcount kpi --formula has them", async () => {
  const page = await trends({ column: "aht", by: "queue", each: "whole", with: "formula", formula: "v1,v2" });
  const all = await figures(page);
  assert.deepEqual([...new Set(all.map((one) => one.formula))].sort(), ["1", "2"]);
  assert.equal(new Set(all.map((one) => `${one.as_of} ${one.position}`)).size, 1, "both are of one instant and one position");
  for (const one of all) {
    const answer = await kpi(one, one.from, one.to, ["--by", "queue", "--formula", `v${one.formula}`]);
    assert.equal(one.text, shown("aht", answer.rows.find((row) => (row.queue ?? "") === one.key)), `${one.key} v${one.formula}`);
  }
  const differences = await page.$$eval("td.difference", (all) => all.map((cell) => [cell.dataset.key, Number(cell.dataset.difference)]));
  for (const [key, apart] of differences) {
    const [first, second] = ["1", "2"].map((version) => all.find((one) => one.key === key && one.formula === version));
    const exact = async (one) => (await kpi(one, one.from, one.to, ["--by", "queue", "--formula", `v${one.formula}`])).rows.find((row) => (row.queue ?? "") === key).aht_s;
    const expected = (await exact(second)) - (await exact(first));
    assert.ok(Math.abs(apart / 1e6 - expected) < 1e-5, `${key}: ${apart / 1e6} and ${expected}`);
    assert.ok(key === "chat" ? apart === 0 : apart < 0, "talk alone is less than the whole handle");
  }
  // And a figure by another formula is explained by it.
  await page.click('a.figure[data-formula="2"] >> text=/[1-9]/ >> nth=0');
  await page.waitForSelector("article .value");
  assert.match(await page.textContent("article"), /formula version 2/);
  await close(page);
});

test("today stands beside the same day a week earlier, hour by hour of the local clock", async () => {
  const page = await trends({ column: "offered", with: "week", each: "hour" });
  const heads = await page.$$eval("table.trend thead th small", (all) => all.map((one) => one.textContent));
  assert.equal(heads.length, 3, heads.join());
  const all = await figures(page);
  assert.ok(all.every((one) => one.source === "1" || one.text === "0"), "there was no centre a week ago");
  assert.equal((await page.textContent("tr[data-place='whole'] td.difference")).replace("+", ""), (await figures(page)).find((one) => one.place === "whole" && one.source === "1").text);
  await close(page);
});

test("without pieces of time each agent is a row, beside the period before, and equals pegcount kpi", async () => {
  const page = await trends({ column: "handled", by: "agent", each: "whole", with: "before" });
  const all = await figures(page);
  assert.equal(await page.locator("table.trend tbody tr").count(), new Set(all.map((one) => one.key)).size);
  for (const group of Map.groupBy(all, (one) => one.source).values()) {
    const answer = await kpi(group[0], group[0].from, group[0].to, ["--by", "agent"]);
    for (const one of group) assert.equal(one.text, shown("handled", answer.rows.find((row) => (row.agent ?? "") === one.key)), one.key);
  }
  assert.ok(all.some((one) => /[1-9]/.test(one.text)));
  await close(page);
});

test("what is chosen stands in the address, and opens the same for a colleague", async () => {
  const page = await trends({});
  await page.selectOption("#column", "abandon_rate");
  await page.selectOption("#by", "queue");
  await page.selectOption("#each", "day");
  await page.selectOption("#range", "week");
  await page.waitForFunction(() => /abandon_rate/.test(document.querySelector("table.trend a.figure")?.hash ?? "") && document.querySelectorAll("table.trend thead th").length > 3);
  assert.match(page.url(), /column=abandon_rate&by=queue&each=day&range=week/);
  await page.waitForSelector(".curve canvas, table.trend");
  const other = await open(browser, page.url());
  await other.fill("#token", centre.token);
  await other.keyboard.press("Enter");
  await other.waitForSelector("table.trend a.figure");
  const heads = (of) => of.$$eval("table.trend thead th", (all) => all.map((one) => one.textContent));
  assert.deepEqual(await heads(other), await heads(page));
  await page.selectOption("#range", "range");
  await page.fill("#to", "2026-01-01");
  await close(other);
  await close(page);
});

test("a figure that cannot be cut so is refused in words, and the choices stay", async () => {
  const page = await open(browser, centre.page, { expected: [/400|Failed to load/] });
  await page.waitForSelector("header nav");
  await page.goto(`${centre.url}/#/${SITE}/trends?column=nonsense`);
  await page.waitForSelector("[role=alert]");
  assert.match(await page.textContent("[role=alert]"), /nonsense/);
  await page.selectOption("#column", "offered");
  await page.waitForSelector("table.trend a.figure");
  await close(page);
});

for (const [name, width, height, colorScheme, locale] of [["a phone", 390, 844, "dark", "zh-CN"], ["a desk", 1280, 800, "light", "en-GB"], ["a wall", 3840, 2160, "dark", "en-GB"]]) {
  test(`on ${name} nothing sticks out, and axe finds nothing`, async () => {
    const page = await trends({ column: "aht", by: "queue", with: "week" }, { width, height, colorScheme, locale });
    await page.waitForSelector(".curve canvas");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "wider than the window");
    await accessible(page, name);
    await close(page);
  });
}
