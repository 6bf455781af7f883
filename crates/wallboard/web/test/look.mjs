// Takes pictures of every view, to be looked at: `node test/look.mjs`. Not a test.
import { Centre, SITE } from "./support/centre.mjs";
import { figures, launch, open, picture } from "./support/browser.mjs";

const centre = await Centre.start({ speed: Number(process.env.SPEED ?? 300), agents: 40 });
const browser = await launch();
const sizes = { narrow: [390, 844], desk: [1280, 800], wall: [1920, 1080] };
await new Promise((resolve) => setTimeout(resolve, Number(process.env.WAIT ?? 15) * 1000));
// Three quarters of an hour ago, by the centre's own clock.
const { as_of } = await centre.ask(["kpi", "--site", SITE, "--columns", "offered"]);
const past = new Date(Date.parse(as_of) - 2_700_000).toISOString().replace(/\.\d+/, "");
for (const [name, [width, height]] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"]) {
    if (name === "narrow" && colorScheme === "dark") continue;
    const page = await open(browser, centre.page, { width, height, colorScheme });
    await figures(page);
    await page.waitForTimeout(800);
    await picture(page, `overview-${name}-${colorScheme}`);
    await page.goto(`${centre.url}/#/${SITE}/agents`);
    await page.waitForSelector("tr.row");
    await page.waitForTimeout(500);
    await picture(page, `agents-${name}-${colorScheme}`);
    const agent = await page.getAttribute("tr.row", "data-agent");
    const views = {
      grid: ["agents?as=grid", "li.agent-tile"],
      agent: [`agent?agent=${agent}`, "svg rect.fill"],
      queue: ["queue?queue=service", "table.intervals tbody tr"],
      tickets: ["tickets", "section.due tr.row"],
    };
    for (const [view, [address, filled]] of Object.entries(views)) {
      await page.goto(`${centre.url}/#/${SITE}/${address}`);
      await page.waitForSelector(filled);
      await page.waitForTimeout(500);
      await picture(page, `${view}-${name}-${colorScheme}`);
    }
    await page.click("section.due tr.row a");
    await page.waitForSelector("article.ticket");
    await picture(page, `ticket-${name}-${colorScheme}`);
    for (const [view, choices] of [["trends", "column=aht&by=queue"], ["trends", "column=offered&with=week&each=hour"], ["rankings", "column=aht"]]) {
      await page.goto(`${centre.url}/#/${SITE}/${view}?${choices}`);
      await page.waitForSelector("main table a.figure");
      await page.waitForTimeout(500);
      await picture(page, `${view}${/with/.test(choices) ? "-beside" : ""}-${name}-${colorScheme}`);
    }
    await page.goto(`${centre.url}/#/${SITE}/overview?known=${past}`);
    await page.waitForSelector('body[data-link="past"] main > div[aria-busy="false"]', { state: "attached" });
    await page.waitForTimeout(500);
    await picture(page, `past-${name}-${colorScheme}`);
    if (colorScheme === "light") {
      await page.goto(`${centre.url}/#/${SITE}/overview`);
      await figures(page);
      await page.click('[data-table="totalDay"][data-column="aht"]');
      await page.waitForSelector("tr.item");
      await picture(page, `explain-${name}`);
    }
    console.log(name, colorScheme, page.complaints());
    await page.context().close();
  }
}
await browser.close();
await centre.end();
