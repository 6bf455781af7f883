// Agents as tiles, with limits and allowances; and one agent's day, whose spans add up to its figures.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, close, figures, launch, open, picture } from "./support/browser.mjs";
import { Centre, SITE, ZONE } from "./support/centre.mjs";
import { compare } from "./support/compare.mjs";
import { rfc3339 } from "./support/expected.mjs";

/** The reasons that the simulated centre defines as productive. */
const PRODUCTIVE = new Set(["training", "meeting"]);

/** Little enough that it is soon used up, and a target that half of the calls go past. */
const DEFINED = `
[site]
name = "${SITE}"
time_zone = "${ZONE}"

[[allowance]]
total = "20s"

[[target]]
target = "talk"
column = "aht_talk"
comparison = "<="
value = 60
scope = "queue"
`;

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 60, seed: 22, agents: 40 }), launch()]);
  const file = join(centre.dir, "site.toml");
  writeFileSync(file, DEFINED);
  await centre.tell(["apply", file, "--yes"]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

async function agents(what = "", options) {
  const page = await open(browser, centre.page, options);
  await figures(page);
  await page.goto(`${centre.url}/#/${SITE}/agents${what}`);
  await page.waitForSelector("[data-agent] a.figure");
  return page;
}

test("the grid is a choice in the address, and its figures equal what pegcount kpi answers", async () => {
  const page = await agents();
  await page.click("fieldset.either >> text=Grid");
  await page.waitForSelector("li.agent-tile");
  assert.match(page.url(), /as=grid/);
  const compared = await compare(page, centre);
  assert.ok(compared >= 10 * 4, `${compared} figures compared`);
  await picture(page, "agents-grid");
  await page.click("fieldset.either >> text=List");
  await page.waitForSelector("tr.row");
  assert.doesNotMatch(page.url(), /as=/);
  await close(page);
});

test("of the tiles only those in sight are in the page, and the last one comes by scrolling", async () => {
  const page = await agents("?as=grid", { width: 390, height: 500 });
  const all = Number(/of (\d+)/.exec(await page.textContent(".filters output"))[1]);
  const here = await page.locator("li.agent-tile").count();
  assert.ok(here < all, `${here} of ${all} tiles are in the page`);
  await page.$eval(".floor", (box) => (box.scrollTop = box.scrollHeight));
  await page.waitForFunction(() => {
    const last = [...document.querySelectorAll("li.agent-tile")].at(-1);
    return last?.getAttribute("aria-posinset") === last?.getAttribute("aria-setsize");
  });
  assert.ok((await page.locator("li.agent-tile").count()) < all);
  await close(page);
});

test("past a target or a limit a time says so by a mark and in words, in the list and in the grid", async () => {
  const page = await agents("?order=since+down");
  for (const form of ["List", "Grid"]) {
    await page.click(`fieldset.either >> text=${form}`);
    await page.waitForFunction(() => document.querySelector('.lasts[data-grade="target"]'));
    await page.keyboard.press("p");
    await page.waitForSelector('[data-link="held"]');
    const found = await page.$$eval(".lasts[data-grade]", (all) =>
      all.map((one) => ({ grade: one.dataset.grade, words: one.querySelector(".mark").getAttribute("aria-label"), of: one.closest("[data-agent]").innerText })),
    );
    for (const { grade, words } of found) {
      const expected = { near: /^nearly as long as is allowed: \d/, target: /^longer than the target for the average: 1:00$/, over: /^longer than is allowed: \d/ };
      assert.match(words, expected[grade]);
    }
    assert.ok(found.filter((one) => one.grade === "target").every((one) => /talking|hold|consult|conference|interrupted/.test(one.of)), JSON.stringify(found));
    await page.keyboard.press("p");
  }
  await close(page);
});

test("away time stands against the day's allowance, without the reasons that are productive", async () => {
  const page = await agents();
  const wanted = 'td.allowance[data-grade="over"]';
  await page.waitForSelector(wanted);
  await page.keyboard.press("p");
  await page.waitForSelector('[data-link="held"]');
  const rows = await page.$$eval("tr.row", (all) =>
    all.map((row) => {
      const figure = row.querySelector('[data-column="away_clock"]');
      figure.dispatchEvent(new MouseEvent("mouseenter"));
      return { agent: row.dataset.agent, said: row.querySelector(".allowance").textContent.trim(), what: figure.hash.split("?")[1] };
    }),
  );
  const what = new URLSearchParams(rows[0].what);
  const answer = await centre.ask([
    "kpi", "--site", SITE, "--time-zone", ZONE, "--columns", "away_clock", "--by", "agent,reason", "--as-of", rfc3339(what.get("as_of")),
    "--known-at", what.get("position"), "--from", rfc3339(what.get("from")), "--to", rfc3339(what.get("to")),
  ]);
  let compared = 0;
  for (const { agent, said } of rows) {
    const of = answer.rows.filter((row) => row.agent === agent && !PRODUCTIVE.has(row.reason));
    const used = Math.floor(of.reduce((sum, row) => sum + row.away_clock_s, 0) + 0.5);
    const text = `${Math.floor(used / 60)}:${String(used % 60).padStart(2, "0")}`;
    assert.ok(said.startsWith(`${text} of 0:20`), `${agent} ${said}, and by the command line ${text}`);
    assert.equal(said.includes("⚠"), used > 20, `${agent} ${said}`);
    compared += 1;
  }
  assert.ok(compared >= 10, `${compared} agents compared`);
  await close(page);
});

test("a name opens the agent's day: its figures equal pegcount kpi, and its spans add up to them", async () => {
  const page = await agents("?order=handled+down");
  const name = await page.getAttribute("tr.row", "data-agent");
  await page.click(`tr.row[data-agent="${name}"] th a`);
  await page.waitForSelector("svg rect.fill");
  assert.match(page.url(), new RegExp(`/agent\\?agent=${name}`));
  const compared = await compare(page, centre);
  assert.ok(compared >= 13, `${compared} figures compared`);
  await page.keyboard.press("p");
  await page.waitForSelector('[data-link="held"]');
  const shown = await page.evaluate(() => ({
    asOf: document.querySelector("table.handled")?.dataset.asOf,
    spans: [...document.querySelectorAll("table.spans tbody tr")].map((row) => [row.dataset.state, row.dataset.amount]),
    pieces: document.querySelectorAll("svg rect.fill").length,
    contacts: [...document.querySelectorAll("table.handled tbody tr")].map((row) => ({ ...row.dataset })),
  }));
  assert.equal(shown.pieces, shown.spans.length, "the picture and the table show the same");
  const states = ["occupied", "ready", "ringing", "dialing", "away", "lost"];
  const columns = ["signed_in_clock", "handled", "handle_talk", "handle_hold", "handle_acw", ...states.map((state) => `${state}_clock`)];
  const answer = await centre.ask(["kpi", "--site", SITE, "--time-zone", ZONE, "--by", "agent", "--columns", columns.join(), "--as-of", rfc3339(shown.asOf)]);
  const row = answer.rows.find((known) => known.agent === name);
  const micros = (seconds) => Math.round(seconds * 1e6);
  const sum = (of) => of.reduce((all, one) => all + Number(one), 0);
  for (const state of states) {
    assert.equal(sum(shown.spans.filter(([known]) => known === state).map(([, amount]) => amount)), micros(row[`${state}_clock_s`]), state);
  }
  assert.equal(sum(shown.spans.map(([, amount]) => amount)), micros(row.signed_in_clock_s), "all of them are the signed-in time");
  assert.equal(shown.contacts.length, row.handled);
  assert.equal(sum(shown.contacts.map((one) => one.talk)), micros(row.handle_talk_s));
  assert.equal(sum(shown.contacts.map((one) => one.hold)), micros(row.handle_hold_s));
  assert.equal(sum(shown.contacts.map((one) => one.desk)), micros(row.handle_acw_s));
  assert.ok(shown.contacts.every((one) => one.contact), "each contact is named");
  await close(page);
});

test("the day follows what the agent does", async () => {
  const page = await agents("?state=talking");
  await page.click("tr.row th a");
  await page.waitForSelector("svg rect.fill");
  const before = await page.locator("svg rect.fill").count();
  await page.waitForFunction((known) => document.querySelectorAll("svg rect.fill").length > known, before);
  await close(page);
});

test("another day is one click away, and a day without the agent says so", async () => {
  const page = await agents();
  await page.click("tr.row th a");
  await page.waitForSelector("svg rect.fill");
  await page.click("nav.day a >> nth=0");
  await page.waitForURL(/date=/);
  await page.waitForFunction(() => /Nothing was recorded of this agent/.test(document.body.textContent));
  await accessible(page, "an empty day");
  await close(page);
});

test("an agent sees its own day alone, whoever the address names", async () => {
  const own = await agents();
  const [name, stranger] = await own.$$eval("tr.row", (all) => all.map((row) => row.dataset.agent));
  await close(own);
  const page = await open(browser, `${centre.url}/#/${SITE}/agent?agent=${stranger}`);
  await page.fill("#token", await centre.tokenOf("agent", ["--agent", name]));
  await page.keyboard.press("Enter");
  await page.waitForSelector("main h2");
  assert.match(await page.textContent("main h2"), new RegExp(name));
  assert.doesNotMatch(await page.textContent("main"), new RegExp(stranger));
  await close(page);
});
