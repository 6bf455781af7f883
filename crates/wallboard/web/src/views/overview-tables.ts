// What the overview asks: seven tables in one stream. The tests read the same list, to compare each cell with `pegcount kpi`.
import { Dimension } from "../gen/pegcount/v1/kpi_pb";
import { addDays, days } from "../figures/zone";
import { watchView, type View } from "../live/stream";

const HALF_HOUR_US = 30n * 60n * 1_000_000n;
/** First-contact resolution is told for so many local days, today included. */
const FCR_DAYS = 7;

const QUEUE_NOW = ["waiting", "longest_waiting", "offered", "answered", "abandoned", "abandon_rate", "service_level", "asa", "aht"];
const FCR = ["fcr_eligible", "fcr_rate", "fcr_final_share", "repeat_eligible", "fcr_repeat_form", "repeat_final_share"];
export const AGENT_STATES = ["ready", "occupied", "ringing", "dialing", "away", "lost"] as const;

export interface OverviewTables {
  view: View;
  /** The piece of the day of each table. */
  day: { from: number; to: number };
}

const names = ["queuesDay", "queuesWindow", "queuesWeek", "totalDay", "totalWindow", "totalWeek", "curve"] as const;
export type TableName = (typeof names)[number];

export function overviewTables(site: string, date: string, zone: string): OverviewTables & Record<TableName, View["tables"][number]> {
  const day = days(date, 1, zone);
  const week = days(addDays(date, 1 - FCR_DAYS), FCR_DAYS, zone);
  const range = (span: { from: number; to: number }) => ({ fromUs: BigInt(span.from), toUs: BigInt(span.to), timeZone: zone });
  const window = { lastUs: HALF_HOUR_US, timeZone: zone };
  const [today, seven, byQueue] = [range(day), range(week), { by: [Dimension.QUEUE] }];
  const columns = ["service_level", "offered", "answered"];
  const view = watchView(
    site,
    [
      { ...today, ...byQueue, columns: QUEUE_NOW },
      { ...window, ...byQueue, columns },
      { ...seven, ...byQueue, columns: FCR },
      { ...today, columns: [...QUEUE_NOW, "agents_signed_in", ...AGENT_STATES.map((state) => `agents_${state}`)] },
      { ...window, columns },
      { ...seven, columns: FCR },
      { ...today, by: [Dimension.INTERVAL30], columns: ["offered"] },
    ],
    false,
  );
  const named = Object.fromEntries(names.map((name, place) => [name, view.tables[place]]));
  return { view, day, ...(named as Record<TableName, View["tables"][number]>) };
}
