// For everyone: both languages, light and dark, a phone's width and a wall, the keyboard, and roles that may not.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { columnsEn } from "../src/text/columns-en.ts";
import { columnsZh } from "../src/text/columns-zh.ts";
import { en } from "../src/text/en.ts";
import { zh } from "../src/text/zh.ts";
import { accessible, close, figures, launch, open, picture } from "./support/browser.mjs";
import { Centre, SITE } from "./support/centre.mjs";

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 60, seed: 5, agents: 60 }), launch()]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

/** All strings of a catalogue by their path; those that take words are given some. */
function strings(of, path = "") {
  return Object.entries(of).flatMap(([key, value]) => {
    if (typeof value === "string") return [[`${path}${key}`, value]];
    if (typeof value === "function") return [[`${path}${key}`, value("«1»", "«2»", "«3»")]];
    return strings(value, `${path}${key}.`);
  });
}

test("no string is missing in either language, and none was left in English", () => {
  const [english, chinese] = [new Map(strings(en)), new Map(strings(zh))];
  assert.deepEqual([...chinese.keys()].sort(), [...english.keys()].sort());
  for (const [path, text] of chinese) {
    assert.ok(text.trim(), `${path} is empty`);
    if (["title", "explain.event", "frame.you"].includes(path)) continue; // values alone
    assert.match(text, /\p{Script=Han}/u, `${path} is not translated: ${text}`);
    const given = (words) => (words.match(/«\d»/g) ?? []).sort().join();
    assert.equal(given(text), given(english.get(path)), `${path} leaves a value out`);
  }
});

test("every column of the server has a name in both languages, and in Chinese its meaning too", async () => {
  const columns = await centre.list(["kpi", "--columns", "help"]);
  assert.ok(columns.length > 200);
  const read = (catalogue) => new Map(catalogue.trim().split("\n").map((line) => [line.split("|")[0], line.split("|").slice(1)]));
  const [english, chinese] = [read(columnsEn), read(columnsZh)];
  for (const { column, meaning } of columns) {
    assert.match(english.get(column)?.[0] ?? "", /^[A-Z]/, `${column} has an English name`);
    assert.match(chinese.get(column)?.[0] ?? "", /\p{Script=Han}/u, `${column} has a Chinese name`);
    if (meaning) assert.match(chinese.get(column)[1], /\p{Script=Han}.*[。）]/u, `${column} has a Chinese meaning`);
  }
  for (const catalogue of [english, chinese]) {
    const names = [...catalogue.values()].map(([name]) => name);
    assert.equal(new Set(names).size, names.length, "no two columns share a name");
  }
});

const visible = (page) => page.evaluate(() => document.body.innerText);

test("the page in Simplified Chinese has no English left, and numbers and times follow", async () => {
  const page = await open(browser, centre.page, { locale: "zh-CN" });
  await figures(page);
  assert.equal(await page.getAttribute("html", "lang"), "zh-Hans");
  const text = await visible(page);
  // Ids of queues and the product's name are nobody's language.
  const queues = await page.$$eval("table.queues tbody th", (all) => all.map((one) => one.textContent));
  const words = text.match(/[A-Za-z]{2,}/g) ?? [];
  const known = new Set(["Pegcount", SITE, ...queues.flatMap((queue) => queue.match(/[A-Za-z]{2,}/g) ?? [])]);
  assert.deepEqual(words.filter((word) => !known.has(word)), []);
  await accessible(page, "Chinese");
  await picture(page, "overview-zh");
  await page.click("button.menu");
  await page.selectOption("#language", "en");
  await page.waitForFunction(() => document.documentElement.lang === "en");
  assert.match(await visible(page), /Longest wait/);
  await close(page);
});

/** Every view by its address, and what stands there once it is filled. */
const VIEWS = {
  overview: ["overview", "table.queues tbody tr"],
  agents: ["agents", "tr.row"],
  "agents as tiles": ["agents?as=grid", "li.agent-tile"],
  "one agent": ["agent?agent=AGENT", "svg rect.fill"],
  "one queue": ["queue?queue=service", "table.intervals tbody tr"],
  tickets: ["tickets", "section.due tr.row"],
  "one ticket": ["tickets?ticket=TICKET", "article.ticket"],
  explain: ["explain?column=aht", ".terms"],
};

/** Shows a view, of an agent and a ticket that there are. */
async function show(page, view, of = {}) {
  const [address, filled] = VIEWS[view];
  await page.evaluate((hash) => (location.hash = hash), `#/${SITE}/${address.replace("AGENT", of.agent).replace("TICKET", of.ticket)}`);
  await page.waitForSelector(filled);
}

/** An agent who is there, and a ticket that is open. */
async function some(page) {
  await figures(page);
  await show(page, "agents");
  const agent = await page.getAttribute("tr.row", "data-agent");
  await show(page, "tickets");
  return { agent, ticket: await page.getAttribute("section.due tr.row", "data-ticket") };
}

for (const [name, width, height] of [["a phone", 390, 844], ["a desk", 1280, 800], ["a wall", 3840, 2160]]) {
  test(`on ${name}, light and dark, nothing sticks out, and axe finds nothing in any view`, async () => {
    const page = await open(browser, centre.page, { width, height });
    const of = await some(page);
    for (const view of Object.keys(VIEWS)) {
      await show(page, view, of);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${view} is wider than the window`);
      await page.emulateMedia({ colorScheme: "light" });
      await accessible(page, `${view}, light`);
      // In the dark only colours are others.
      await page.emulateMedia({ colorScheme: "dark" });
      await accessible(page, `${view}, dark`, ["color-contrast"]);
      if (width < 3000) continue;
      const size = await page.evaluate((filled) => parseFloat(getComputedStyle(document.querySelector(filled)).fontSize), VIEWS[view][1]);
      assert.ok(size >= 26, `${view}: letters of ${size} px cannot be read at 3 m on a wall`);
    }
    await close(page);
  });
}

test("each view in Simplified Chinese has no English left but names, and axe finds nothing", async () => {
  const page = await open(browser, centre.page, { locale: "zh-CN" });
  const of = await some(page);
  const [english, own] = [wordsOf(en), wordsOf(zh)];
  for (const view of Object.keys(VIEWS)) {
    await show(page, view, of);
    // What is marked as English (reasons of the log) or as nobody's language (queues, reasons of absence) is meant to be.
    const words = await page.evaluate(() => {
      const copy = document.querySelector("#page").cloneNode(true);
      for (const one of copy.querySelectorAll('[lang="en"], [translate="no"], code, [data-agent], td, th a, select, tbody th, h2, svg title, .facts dd')) one.remove();
      return copy.textContent.match(/[A-Za-z]{3,}/g) ?? [];
    });
    assert.deepEqual(words.filter((word) => english.has(word) && !own.has(word)), [], view);
    await accessible(page, `${view} in Chinese`);
  }
  await close(page);
});

/** All English words of a catalogue. */
function wordsOf(of) {
  return new Set(strings(of).flatMap(([, text]) => text.match(/[A-Za-z]{3,}/g) ?? []));
}

test("all of it can be done with the keyboard", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement.matches("main a.figure")), "the first figure is next");
  await page.keyboard.press("Enter");
  await page.waitForSelector("article");
  await page.keyboard.press("2");
  await page.waitForSelector("tr.row");
  await page.keyboard.press("/");
  await page.keyboard.type("agent-1");
  await page.waitForFunction(() => [...document.querySelectorAll("tr.row")].every((row) => row.dataset.agent.includes("1")));
  await close(page);
});

test("agents are put in order, chosen by state, and what is chosen is in the address", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.keyboard.press("2");
  await page.waitForSelector("tr.row");
  await page.click("thead button >> text=Handled");
  await page.click("thead button >> text=Handled");
  await page.waitForSelector('th[aria-sort="descending"]');
  await page.keyboard.press("p");
  const handled = await page.$$eval('tr.row [data-column="handled"]', (all) => all.map((one) => Number(one.textContent)));
  assert.deepEqual(handled, handled.toSorted((a, b) => b - a));
  // Held all the while: a centre at sixty times its pace leaves a state before it can be chosen.
  const state = await page.$eval("tr.row td:nth-child(3)", (cell) => cell.childNodes[2].textContent.trim());
  await page.locator(".filters select").nth(1).selectOption({ label: state });
  await page.waitForFunction((wanted) => [...document.querySelectorAll("tr.row td:nth-child(3)")].every((cell) => cell.textContent.includes(wanted)), state);
  assert.match(page.url(), /order=handled\+down/);
  assert.match(page.url(), /state=/);
  await page.keyboard.press("p");
  const chosen = await page.$eval(".filters label:nth-of-type(3) select", (select) => select.selectedOptions[0].textContent);
  assert.equal(chosen, state, "what is chosen stays chosen, whoever does it at the moment");
  await close(page);
});

/** A page with a token of another role. */
async function as(role, more, options) {
  const page = await open(browser, centre.url, options);
  await page.fill("#token", await centre.tokenOf(role, more));
  await page.keyboard.press("Enter");
  await page.waitForSelector("header nav", { state: "attached" });
  return page;
}

test("a role that may not see figures is told so kindly, and is sent none", async () => {
  const asked = [];
  const page = await as("ticket_owner");
  page.on("request", (request) => asked.push(request.url()));
  await page.waitForSelector("[role=alert]");
  assert.match(await page.textContent("[role=alert]"), /The role ticket_owner may not see figures/);
  const offered = await page.$$eval("header nav a", (all) => all.map((one) => one.textContent));
  assert.deepEqual(offered, ["Tickets"], "no view is offered that would be refused");
  await page.goto(`${centre.url}/#/${SITE}/agents`);
  await page.waitForFunction(() => /may not see agents/.test(document.body.textContent));
  assert.deepEqual(asked.filter((url) => /WatchView|QueryKpi|ListAgents/.test(url)), []);
  await accessible(page, "refused");
  await close(page);
});

test("an analyst sees figures and no agents, and an agent itself alone", async () => {
  const analyst = await as("analyst");
  await figures(analyst);
  assert.deepEqual(await analyst.$$eval("nav a", (all) => all.map((one) => one.textContent)), ["Overview", "Trends", "Rankings", "Explain"]);
  await close(analyst);
  const own = await open(browser, centre.page);
  await figures(own);
  await own.keyboard.press("2");
  const name = await own.getAttribute("tr.row", "data-agent");
  await close(own);
  const agent = await as("agent", ["--agent", name]);
  await agent.keyboard.press("2");
  await agent.waitForSelector("tr.row");
  assert.deepEqual(await agent.$$eval("tr.row", (all) => all.map((row) => row.dataset.agent)), [name]);
  assert.match(await agent.textContent("main"), /your own rows only/);
  await close(agent);
});

test("the menu leads to the licences of what the page is made of", async () => {
  const page = await open(browser, centre.page);
  await figures(page);
  await page.click("button.menu");
  const address = await page.getAttribute("#choices a", "href");
  const text = await page.evaluate((from) => fetch(from).then((answer) => answer.text()), address);
  for (const name of ["solid-js", "@bufbuild/protobuf", "@connectrpc/connect-web", "uplot"]) assert.match(text, new RegExp(`^${name} [0-9.]+, `, "m"));
  assert.match(text, /Permission is hereby granted/);
  assert.match(text, /Apache License/);
  await close(page);
});

test("a token that is none is refused in words, and is not kept", async () => {
  const page = await open(browser, centre.url, { expected: [/401|Failed to load/] });
  await accessible(page, "signing in");
  await page.fill("#token", "nonsense");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=alert]");
  assert.match(await page.textContent("[role=alert]"), /does not take this token/);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("pegcount-token")), null);
  await close(page);
});
