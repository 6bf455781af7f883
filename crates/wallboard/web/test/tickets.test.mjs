// Tickets: what the page lists is what `pegcount ticket list` answers, live; and one ticket's whole history.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, close, launch, open, picture } from "./support/browser.mjs";
import { Centre, SITE, ZONE } from "./support/centre.mjs";
import { compare } from "./support/compare.mjs";

let centre, browser;
before(async () => {
  [centre, browser] = await Promise.all([Centre.start({ speed: 120, seed: 23, agents: 40 }), launch()]);
});
after(async () => {
  await browser?.close();
  await centre?.end();
});

async function tickets(options) {
  const page = await open(browser, centre.page, options);
  await page.waitForSelector("header nav a");
  await page.keyboard.press("3");
  await page.waitForSelector("section.due tr.row");
  return page;
}

const LIST = ["ticket", "list", "--site", SITE, "--time-zone", ZONE, "--open", "--limit", "2000"];
const due = ({ deadlines }) =>
  deadlines.filter((one) => !one.fulfilled && !one.withdrawn && one.due).map((one) => Date.parse(one.due)).sort((a, b) => a - b)[0];

test("the lists say what pegcount ticket list answers, of each ticket that stayed as it was meanwhile", async () => {
  const page = await tickets({ height: 4000 });
  await page.waitForFunction(() => document.querySelectorAll("section.due tr.row").length >= 20);
  const before = await centre.ask(LIST);
  await page.keyboard.press("p");
  await page.waitForSelector('[data-link="held"]');
  const shown = await page.evaluate(() => ({
    due: [...document.querySelectorAll("section.due tr.row")].map((row) => ({ ...row.dataset, text: row.innerText })),
    missed: [...document.querySelectorAll("section.missed tr.row")].map((row) => ({ ...row.dataset })),
    open: Number(document.querySelector("section.backlog h3 small").textContent.replace(/\D/g, "")),
  }));
  const after = new Map((await centre.ask(LIST)).map((one) => [one.ticket, one]));
  const same = before.filter((one) => after.get(one.ticket)?.version === one.version);
  assert.ok(same.length >= 5, `${same.length} tickets stayed as they were`);
  const rows = new Map(shown.due.map((row) => [row.ticket, row]));
  const last = Number(shown.due.at(-1).due) / 1000;
  const missing = same.filter((one) => due(one) < last && !rows.has(one.ticket)).map((one) => one.ticket);
  assert.deepEqual(missing, [], "none that is due before the last one in sight is left out");
  for (const ticket of same.filter((one) => rows.has(one.ticket))) {
    const row = rows.get(ticket.ticket);
    assert.equal(row.version, String(ticket.version), ticket.ticket);
    assert.equal(Math.floor(Number(row.due) / 1000), due(ticket), ticket.ticket);
    assert.match(row.text, new RegExp(ticket.kind), ticket.ticket);
  }
  assert.deepEqual(shown.due.map((row) => Number(row.due)), shown.due.map((row) => Number(row.due)).toSorted((a, b) => a - b), "the earliest due first");
  const missed = new Set(shown.missed.map((row) => row.ticket));
  for (const ticket of same.filter((one) => one.deadlines.some((each) => each.breached))) {
    if (before.find((one) => one.ticket === ticket.ticket).deadlines.some((each) => each.breached)) assert.ok(missed.has(ticket.ticket), `${ticket.ticket} missed a target`);
  }
  const figures = await page.evaluate(() => [...document.querySelectorAll("section.backlog tbody [data-open]")].reduce((all, one) => all + Number(one.textContent), 0));
  assert.equal(figures, shown.open, "the ages add up to all that are open");
  await close(page);
});

test("the figures of the backlog equal what pegcount kpi answers, and the open tickets are the backlog", async () => {
  const page = await tickets();
  await page.waitForSelector('[data-table="ticketsTotal"][data-column="backlog"] >> text=/[1-9]/');
  const compared = await compare(page, centre);
  assert.ok(compared >= 6, `${compared} figures compared`);
  // The list and the figures come on two streams: they meet whenever nothing happens for a moment.
  await page.waitForFunction(() => {
    const number = (one) => Number(one?.textContent.replace(/\D/g, ""));
    return number(document.querySelector("section.backlog h3 small")) === number(document.querySelector('[data-table="ticketsTotal"][data-column="backlog"]'));
  });
  await close(page);
});

test("a new ticket comes into the list by itself, and what is held stands still", async () => {
  const page = await tickets();
  const open = () => page.$eval("section.backlog h3 small", (one) => one.textContent);
  const before = await open();
  await page.waitForFunction((known) => document.querySelector("section.backlog h3 small").textContent !== known, before);
  await page.keyboard.press("p");
  await page.waitForSelector('[data-link="held"]');
  const held = await page.textContent("main");
  const version = (await centre.ask(LIST)).map((one) => `${one.ticket} ${one.version}`).join();
  for (let now = version; now === version; now = (await centre.ask(LIST)).map((one) => `${one.ticket} ${one.version}`).join());
  assert.equal(await page.textContent("main"), held);
  await page.keyboard.press("p");
  await page.waitForFunction((known) => document.querySelector("main").textContent !== known, held);
  await close(page);
});

test("one ticket has its whole history, its targets with their states, and a picture of its life", async () => {
  const page = await tickets();
  await page.waitForFunction(() => document.querySelectorAll("section.due tr.row").length >= 3);
  await page.click("section.due tr.row >> nth=0 >> a");
  await page.waitForSelector("article.ticket");
  const id = await page.getAttribute("article.ticket", "data-ticket");
  assert.match(page.url(), new RegExp(`tickets\\?ticket=${id}`));
  await page.keyboard.press("p");
  await page.waitForSelector('[data-link="held"]');
  const shown = await page.evaluate(() => ({
    version: Number(document.querySelector("article.ticket").dataset.version),
    events: [...document.querySelectorAll("table.history tbody tr")].map((row) => [row.dataset.type, Number(row.dataset.version)]),
    steps: [...document.querySelectorAll("table.moments tbody tr")].map((row) => row.dataset.step),
    fates: [...document.querySelectorAll("table.targets tbody tr")].map((row) => row.dataset.fate),
    drawn: document.querySelectorAll(".timeline rect.event").length,
    bars: document.querySelectorAll(".timeline rect.fill").length,
  }));
  const history = await centre.ask(["ticket", "history", id, "--site", SITE]);
  const known = history.events.filter((one) => one.version <= shown.version);
  assert.deepEqual(shown.events.slice(0, known.length), known.map((one) => [one.type, one.version]));
  assert.ok(shown.events.length >= known.length && shown.events[0][0] === "ticket.opened");
  assert.equal(shown.drawn, shown.events.length, "each event is in the picture");
  assert.deepEqual(shown.steps.slice(0, 2), history.moments.slice(0, 2).map((one) => one.step));
  assert.equal(shown.bars, shown.fates.length, "and each target");
  assert.ok(shown.fates.every((fate) => ["met", "late", "breached", "runs", "stands", "withdrawn"].includes(fate)));
  await accessible(page, "one ticket");
  await picture(page, "ticket");
  await close(page);
});

test("a ticket that is shown goes on by itself when something happens to it", async () => {
  const page = await tickets();
  const newest = (await centre.ask([...LIST, "--order", "newest"]))[0].ticket;
  await page.goto(`${centre.url}/#/${SITE}/tickets?ticket=${newest}`);
  await page.waitForSelector("article.ticket");
  const before = await page.locator("table.history tbody tr").count();
  await centre.tell(["ticket", "inform", newest, "--site", SITE]);
  await page.waitForFunction((known) => document.querySelectorAll("table.history tbody tr").length > known, before);
  await page.waitForFunction(() => [...document.querySelectorAll("table.history tbody tr")].some((row) => /customer told/.test(row.textContent)));
  await close(page);
});

test("a server that is killed and comes back has its tickets on the page again, without reload", async () => {
  const page = await tickets({ expected: [/ERR_|Failed to load resource/] });
  await page.evaluate(() => (window.sameDocument = true));
  await centre.kill();
  await page.waitForFunction(() => document.body.dataset.link === "cut");
  await centre.begin();
  await page.waitForFunction(() => document.body.dataset.link === "live");
  const newest = async () => (await centre.ask([...LIST, "--order", "newest"]))[0].ticket;
  for (const before = await newest(); before === (await newest()); );
  // What was opened since then is open on the page too.
  await page.waitForFunction(() => {
    const number = (one) => Number(one?.textContent.replace(/\D/g, ""));
    return number(document.querySelector("section.backlog h3 small")) === number(document.querySelector('[data-table="ticketsTotal"][data-column="backlog"]'));
  });
  assert.ok(await page.evaluate(() => window.sameDocument), "it was not loaded again");
  await close(page);
});

test("a ticket that there is not is refused in words", async () => {
  const page = await tickets({ expected: [/404|Failed to load/] });
  await page.goto(`${centre.url}/#/${SITE}/tickets?ticket=nonsense`);
  await page.waitForSelector("[role=alert]");
  assert.match(await page.textContent("[role=alert]"), /nonsense/);
  await close(page);
});

test("a role that may not see tickets is told so kindly, and is sent none", async () => {
  const asked = [];
  const page = await open(browser, `${centre.url}/#/${SITE}/tickets`);
  page.on("request", (request) => asked.push(request.url()));
  await page.fill("#token", await centre.tokenOf("analyst"));
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /The role analyst may not see tickets/.test(document.body.textContent));
  assert.deepEqual(await page.$$eval("nav a", (all) => all.map((one) => one.textContent).filter((text) => text === "Tickets")), []);
  assert.deepEqual(asked.filter((url) => /TicketService|WatchView/.test(url)), []);
  await accessible(page, "refused");
  await close(page);
});

test("a role that sees tickets and no figures has the lists without the figures", async () => {
  const page = await open(browser, `${centre.url}/#/${SITE}/tickets`);
  await page.fill("#token", await centre.tokenOf("ticket_owner"));
  await page.keyboard.press("Enter");
  await page.waitForSelector("section.due tr.row");
  assert.equal(await page.locator("a.figure").count(), 0);
  await close(page);
});
