// Days, weeks and months of a zone: found by its clock, also where that is put forward or back, and laid side by side by it.
import assert from "node:assert/strict";
import { test } from "node:test";
import "./support/sources.mjs";

const { before, period, pieces, places, span, weeksBefore } = await import("../src/figures/periods.ts");
const { atLocalTime, localTime } = await import("../src/figures/zone.ts");

const HOUR_US = 3_600_000_000;
const at = (text) => Date.parse(text) * 1000;

test("ranges are whole local days: weeks from Monday on, months as long as they are", () => {
  const today = "2026-03-04";
  assert.deepEqual(period("today", today), { first: "2026-03-04", count: 1 });
  assert.deepEqual(period("week", today), { first: "2026-03-02", count: 7 });
  assert.deepEqual(period("week", "2026-03-01"), { first: "2026-02-23", count: 7 });
  assert.deepEqual(period("lastWeek", today), { first: "2026-02-23", count: 7 });
  assert.deepEqual(period("month", "2024-02-29"), { first: "2024-02-01", count: 29 });
  assert.deepEqual(period("lastMonth", today), { first: "2026-02-01", count: 28 });
  assert.deepEqual(period("days30", today), { first: "2026-02-03", count: 30 });
  assert.deepEqual(period("range", today, "2026-02-27", "2026-03-01"), { first: "2026-02-27", count: 3 });
  assert.deepEqual(period("range", today, "nonsense", "2026-99-99"), { first: today, count: 1 });
  assert.deepEqual(period("range", today, "2026-03-02", "2026-02-01"), { first: "2026-03-02", count: 1 }, "an end before the begin is the begin");
});

test("the period before is the month before, or as many days", () => {
  assert.deepEqual(before("month", { first: "2026-03-01", count: 31 }), { first: "2026-02-01", count: 28 });
  assert.deepEqual(before("week", { first: "2026-03-02", count: 7 }), { first: "2026-02-23", count: 7 });
  assert.deepEqual(before("range", { first: "2026-03-02", count: 3 }), { first: "2026-02-27", count: 3 });
  assert.deepEqual(weeksBefore({ first: "2026-03-04", count: 1 }, 1), { first: "2026-02-25", count: 1 });
});

test("a day of 25 hours has 25 pieces, its second hour from two on a place of its own", () => {
  const [zone, day] = ["Europe/Berlin", { first: "2026-10-25", count: 1 }];
  const hours = pieces(day, "hour", zone, Infinity);
  assert.equal(hours.length, 25);
  const place = places(day, "hour", zone);
  const all = hours.map(place);
  assert.equal(new Set(all).size, 25);
  assert.ok(all[3].startsWith(all[2]), all.join());
  assert.equal(place(hours[3]), all[3], "asked again it is the same");
  assert.equal(span(day, zone).to - span(day, zone).from, 25 * HOUR_US);
});

test("the same hour of the local clock stands side by side over a change of the clock", () => {
  const zone = "Europe/Berlin";
  const [week, former] = [{ first: "2026-03-30", count: 7 }, { first: "2026-03-23", count: 7 }];
  assert.equal(places(week, "hour", zone)(at("2026-03-30T09:00:00+02:00")), places(former, "hour", zone)(at("2026-03-23T09:00:00+01:00")));
  assert.equal(places(week, "day", zone)(span(week, zone).from), places(former, "day", zone)(span(former, zone).from));
  const [march, february] = [{ first: "2026-03-01", count: 31 }, { first: "2026-02-01", count: 28 }];
  assert.equal(places(march, "month", zone)(span(march, zone).from), places(february, "month", zone)(span(february, zone).from));
});

test("pieces end where nothing is known yet", () => {
  const day = { first: "2026-03-04", count: 1 };
  assert.equal(pieces(day, "interval15", "UTC", at("2026-03-04T01:00:00Z")).length, 5);
  assert.deepEqual(pieces({ first: "2026-03-02", count: 7 }, "day", "UTC", at("2026-03-04T01:00:00Z")).length, 3);
});

test("a local time is found back in any zone, of an hour that is there twice as one of the two", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  let state = seed;
  const random = (below) => (state = (state * 48271 + 11) % 2147483647) % below;
  const zones = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"];
  for (let round = 0; round < 4_000; round++) {
    const zone = zones[random(zones.length)];
    const us = at("2026-01-01T00:00:00Z") + random(365 * 86_400) * 1_000_000;
    const text = localTime(us, zone);
    const found = atLocalTime(text, zone);
    assert.equal(localTime(found, zone), text, `seed ${seed}: ${zone} ${us}`);
    assert.ok(Math.abs(found - us) <= HOUR_US, `seed ${seed}: ${zone} ${us}`);
  }
  for (const nonsense of ["", "2026-13-01T00:00:00", "soon"]) assert.equal(atLocalTime(nonsense, "UTC"), null, nonsense);
  // A time that the clock leaps over is some instant of that night.
  assert.ok(Math.abs(atLocalTime("2026-03-29T02:30:00", "Europe/Berlin") - at("2026-03-29T01:30:00Z")) <= HOUR_US);
});
