// Rankings of agents and teams by any column, over today, the week, the month or any days; live, or as it was known then.
import { For, Show, createMemo, createResource, type JSX } from "solid-js";
import { Dimension } from "../gen/pegcount/v1/kpi_pb";
import { count } from "../figures/format";
import { period, span, type RangeName } from "../figures/periods";
import { route } from "../frame/route";
import { usePlace } from "../frame/site";
import { kpis } from "../live/rpc";
import { watchView, type LiveTable } from "../live/stream";
import { choose } from "../parts/address";
import { Figure, value } from "../parts/Figure";
import { Pick } from "../parts/Pick";
import { RangePick } from "../parts/Range";
import { Refusal } from "../parts/Refusal";
import { t } from "../text";
import { columnName } from "../text/columns";
import { ranking } from "./ranking";

/** What stands beside the figure that is ranked by. */
const BESIDE = ["handled", "contacts_per_hour", "aht", "after_call_average", "occupancy", "transfer_rate", "rona_rate", "fcr_rate", "away_compliance"];
/** Of these the lowest comes first unless it is chosen otherwise. */
const LOW_FIRST = /aht|after_call|hold_|_average|abandon|transfer|rona|missed|rejected|reopen|rework|away_clock|away_count|lost_|short_|repeat_complaint|breached|broken|ends_first|_mean|_p\d\d/;
const RANGES_HERE = ["today", "week", "month", "yesterday", "lastWeek", "lastMonth", "range"] as const satisfies readonly RangeName[];
const BY = ["agent", "team"] as const;

interface Chosen {
  by: (typeof BY)[number];
  column: string;
  highestFirst: boolean;
  range: RangeName;
  from: string;
  to: string;
}

function chosenOf(what: URLSearchParams): Chosen {
  const column = what.get("column") || "contacts_per_hour";
  const order = what.get("order");
  return {
    by: what.get("by") === "team" ? "team" : "agent",
    column,
    highestFirst: order ? order === "high" : !LOW_FIRST.test(column),
    range: RANGES_HERE.find((one) => one === what.get("range")) ?? "today",
    from: what.get("from") ?? "",
    to: what.get("to") ?? "",
  };
}

export function Rankings(): JSX.Element {
  const { who, today } = usePlace();
  const w = () => t().rankings;
  const chosen = createMemo(() => chosenOf(route().what));
  // Another question is another stream; another order is not.
  const asked = createMemo(() => {
    const { by, column, range, from, to } = chosen();
    return JSON.stringify({ by, column, ...period(range, today(), from, to) });
  });
  return (
    <Show when={who.readsFigures} fallback={<Refusal kind={t().may.figures(who.role)} />}>
      <h2>{w().title}</h2>
      <Controls chosen={chosen()} />
      <p class="note">
        <Show when={who.agent} fallback={w().ties}>{w().own}</Show> {w().samples}
        <Show when={chosen().column.startsWith("efficiency_share")}> {w().measured}</Show>
      </p>
      <Show when={asked()} keyed>
        {(_) => <Ranking chosen={chosen()} />}
      </Show>
    </Show>
  );
}

function Controls(props: { chosen: Chosen }): JSX.Element {
  const w = () => t().rankings;
  const [columns] = createResource(async () => (await kpis.describeKpis({})).columns.map((column) => column.name));
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <Pick id="by" label={w().who} value={props.chosen.by} of={BY} name={(one) => w().kinds[one]} choose={(by) => choose({ by })} />
      <Pick
        id="column"
        label={w().column}
        value={props.chosen.column}
        of={columns.latest ?? [props.chosen.column]}
        name={columnName}
        choose={(column) => choose({ column, order: "" })}
      />
      <Pick
        id="order"
        label={w().order}
        value={props.chosen.highestFirst ? "high" : "low"}
        of={["high", "low"] as const}
        name={(one) => w().orders[one]}
        choose={(order) => choose({ order })}
      />
      <RangePick range={props.chosen.range} from={props.chosen.from} to={props.chosen.to} of={RANGES_HERE} choose={choose} />
    </form>
  );
}

function Ranking(props: { chosen: Chosen }): JSX.Element {
  const { site, zone, today } = usePlace();
  const { by, column, range, from, to } = props.chosen;
  const days = span(period(range, today(), from, to), zone);
  const columns = [column, ...BESIDE.filter((one) => one !== column)];
  const view = watchView(
    site,
    [{ fromUs: BigInt(days.from), toUs: BigInt(days.to), timeZone: zone, by: [by === "team" ? Dimension.TEAM : Dimension.AGENT], columns }],
    false,
  );
  return (
    <Show when={!view.refused()} fallback={<Refusal kind={t().may.refused} words={view.refused()} />}>
      <Table live={view.tables[0]!} columns={columns} chosen={props.chosen} />
    </Show>
  );
}

function Table(props: { live: LiveTable; columns: string[]; chosen: Chosen }): JSX.Element {
  const { who } = usePlace();
  const w = () => t().rankings;
  const ranked = createMemo(() => {
    props.live.version();
    const keys = props.live.table.keys().filter((key) => key);
    return ranking(new Map(keys.map((key) => [key, value(props.live, key, props.columns[0]!)])), props.chosen.highestFirst);
  });
  const places = createMemo(() => new Map(ranked().map((one) => [one.key, one])));
  const keys = createMemo(() => ranked().map((one) => one.key));
  // Of one's own row alone there is no rank to be told.
  const rank = (key: string) => (who.agent ? null : (places().get(key)?.rank ?? null));
  return (
    <Show when={keys().length} fallback={<p class="note">{props.live.version() ? w().none : w().loading}</p>}>
      <div class="scroll tall" tabIndex={0} role="region" aria-label={w().title}>
        <table class="ranking">
          <thead>
            <tr>
              <th scope="col">{w().rank}</th>
              <th scope="col" class="left">{w().kinds[props.chosen.by]}</th>
              <For each={props.columns}>
                {(column) => (
                  <th scope="col" aria-sort={column !== props.chosen.column ? "none" : props.chosen.highestFirst ? "descending" : "ascending"}>
                    <button type="button" class="plain" onClick={() => choose({ column, order: column === props.chosen.column ? (props.chosen.highestFirst ? "low" : "high") : "" })}>
                      {columnName(column)}
                      <span aria-hidden="true">{column !== props.chosen.column ? "" : props.chosen.highestFirst ? " ▼" : " ▲"}</span>
                    </button>
                  </th>
                )}
              </For>
            </tr>
          </thead>
          <tbody>
            <For each={keys()}>
              {(key) => (
                <tr data-key={key} data-rank={rank(key) ?? ""}>
                  <td class="rank">
                    {rank(key) === null ? "–" : count(rank(key)!)}
                    <Show when={rank(key) !== null && places().get(key)?.shared}>
                      <span role="img" aria-label={w().shared} title={w().shared}>=</span>
                    </Show>
                  </td>
                  <th scope="row" class="left">{key}</th>
                  <For each={props.columns}>{(column) => <td><Figure live={props.live} table="ranking" row={key} column={column} /></td>}</For>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </Show>
  );
}
