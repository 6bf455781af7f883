// All agents who are there: what each does and for how long, beside today's figures; found, chosen and put in order.
import { For, Show, createMemo, createResource, type JSX } from "solid-js";
import { Dimension } from "../gen/pegcount/v1/kpi_pb";
import { count, quotient } from "../figures/format";
import { days, type Span } from "../figures/zone";
import { go, link, route } from "../frame/route";
import { usePlace } from "../frame/site";
import { watchView, type View } from "../live/stream";
import { Figure, value } from "../parts/Figure";
import { Refusal } from "../parts/Refusal";
import { Rows } from "../parts/Rows";
import { Tiles } from "../parts/Tiles";
import { t } from "../text";
import { Allowance, Lasts, Name, Tile } from "./AgentTile";
import { standing, type StateWord } from "./agent-state";
import { loadLimits, type Limits } from "./limits";

const FIGURES = ["handled", "contacts_per_hour", "aht", "occupancy", "talk_time", "acw_time", "away_clock"] as const;
type Order = "agent" | "team" | "state" | "since" | (typeof FIGURES)[number];
const ORDERS: Order[] = ["agent", "team", "state", "since", ...FIGURES];

export function Agents(): JSX.Element {
  const { who, today } = usePlace();
  return (
    <Show when={who.readsAgents} fallback={<Refusal kind={t().may.agents(who.role)} />}>
      <h2 class="unseen">{t().agents.title}</h2>
      <Show when={who.agent}>
        <p class="note">{t().may.own}</p>
      </Show>
      <Show when={today()} keyed>
        {(date) => <Floor date={date} />}
      </Show>
    </Show>
  );
}

/** What is chosen stands in the address, so that it can be sent and comes back. */
function choice(name: string): [() => string, (value: string) => void] {
  const read = () => route().what.get(name) ?? "";
  return [
    read,
    (value) => {
      const what = new URLSearchParams(route().what);
      if (value) what.set(name, value);
      else what.delete(name);
      go(link(route().site, "agents", what), true);
    },
  ];
}

/** Limits first: without an allowance nobody needs to hear of away times by reason. */
function Floor(props: { date: string }): JSX.Element {
  const { site, zone } = usePlace();
  const day = days(props.date, 1, zone);
  const [limits] = createResource(() => loadLimits(site, day.from).catch(() => undefined));
  return <Show when={!limits.loading}><Watched day={day} limits={limits()} /></Show>;
}

function Watched(props: { day: Span; limits: Limits | undefined }): JSX.Element {
  const { site, zone, who } = usePlace();
  const range = { fromUs: BigInt(props.day.from), toUs: BigInt(props.day.to), timeZone: zone };
  const figures = who.readsFigures ? [{ ...range, by: [Dimension.AGENT], columns: [...FIGURES] }] : [];
  const reasons = figures.length && props.limits?.allows ? [{ ...range, by: [Dimension.AGENT, Dimension.REASON], columns: ["away_clock"] }] : [];
  const view = watchView(site, [...figures, ...reasons], true);
  return (
    <Show when={!view.refused()} fallback={<Refusal kind={t().may.refused} words={view.refused()} />}>
      <List view={view} limits={props.limits} />
    </Show>
  );
}

function List(props: { view: View; limits: Limits | undefined }): JSX.Element {
  const { agents } = props.view;
  const [search, setSearch] = choice("search");
  const [team, setTeam] = choice("team");
  const [state, setState] = choice("state");
  const [queue, setQueue] = choice("queue");
  const [order, setOrder] = choice("order");
  const [as, setAs] = choice("as");
  const standings = createMemo(() => {
    agents.version();
    return new Map([...agents.states].map(([id, agent]) => [id, standing(agent)]));
  });
  const teams = createMemo(() => distinct([...(agents.version(), agents.states.values())].map((agent) => agent.team)));
  const queues = createMemo(() => distinct([...(agents.version(), agents.states.values())].flatMap((agent) => agent.slots.map((slot) => slot.queue))));
  const words = createMemo(() => distinct([...standings().values()].map((known) => known.word)) as StateWord[]);
  const everybody = () => (props.view.past ? distinct(props.view.tables.flatMap(({ version, table }) => (version(), table.keys()))) : (agents.version(), [...agents.states.keys()]));
  const found = createMemo(() => {
    agents.version();
    const wanted = search().toLowerCase();
    // Of the past there are figures, and no states.
    if (props.view.past) return everybody().filter((agent) => agent.toLowerCase().includes(wanted));
    return [...agents.states.values()].filter(
      (agent) =>
        (!wanted || agent.agent.toLowerCase().includes(wanted) || agent.team.toLowerCase().includes(wanted)) &&
        (!team() || agent.team === team()) &&
        (!state() || standings().get(agent.agent)?.word === state()) &&
        (!queue() || agent.slots.some((slot) => slot.queue === queue())),
    ).map((agent) => agent.agent);
  });
  const keys = createMemo(() => sorted(props.view, found(), standings(), (order() || "agent").split(" ") as [Order, string?]));
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span class="unseen">{t().agents.search}</span>
          <input type="search" placeholder={t().agents.search} value={search()} onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
        <Choice label={t().agents.team} value={team()} of={teams()} choose={setTeam} />
        <Choice label={t().agents.state} value={state()} of={words()} choose={setState} name={(word) => t().states[word as StateWord]} />
        <Choice label={t().agents.queue} value={queue()} of={queues()} choose={setQueue} />
        <Show when={as() === "grid"}>
          <Choice label={t().agent.order} value={order()} of={ORDERS.slice(1)} choose={setOrder} name={(word) => t().columns[word as Order]} any={t().columns.agent} />
        </Show>
        <fieldset class="either">
          <legend class="unseen">{t().agent.as}</legend>
          <For each={["list", "grid"] as const}>
            {(form) => (
              <button type="button" aria-pressed={(as() || "list") === form} onClick={() => setAs(form === "list" ? "" : form)}>
                {t().agent[form]}
              </button>
            )}
          </For>
        </fieldset>
        <output>{t().agents.shown(count(keys().length), count(everybody().length))}</output>
      </form>
      <Show when={keys().length} fallback={<p class="note">{everybody().length ? t().agents.noneFound : props.view.past ? t().travel.nobody : t().agents.none}</p>}>
        <Show
          when={as() !== "grid"}
          fallback={
            <Tiles
              keys={keys()}
              label={t().agents.title}
              tile={(key, place) => <Tile agent={key} place={place()} of={keys().length} view={props.view} limits={props.limits} standing={standings().get(key)} />}
            />
          }
        >
          <Rows
            keys={keys()}
            label={t().agents.title}
            columns={4 + FIGURES.length + (props.limits?.allows ? 1 : 0)}
            head={
              <tr>
                <For each={ORDERS.slice(0, props.view.tables.length ? undefined : 4)}>
                  {(column) => <Head column={column} order={order()} choose={setOrder} />}
                </For>
                <Show when={props.view.tables.length && props.limits?.allows}><th scope="col">{t().agent.allowance}</th></Show>
              </tr>
            }
            row={(key, place) => <Row agent={key} place={place()} view={props.view} limits={props.limits} standing={() => standings().get(key)} />}
          />
        </Show>
      </Show>
    </>
  );
}

const distinct = (words: string[]): string[] => [...new Set(words)].filter((word) => word).sort((a, b) => a.localeCompare(b));

/** What is chosen can be seen, and stays, also while no agent is of that kind. */
function Choice(props: { label: string; value: string; of: string[]; choose: (value: string) => void; name?: (word: string) => string; any?: string }): JSX.Element {
  const offered = createMemo(() => (props.any ? props.of : distinct([...props.of, props.value])), undefined, { equals: (one, other) => one.join("\n") === other.join("\n") });
  return (
    <label>
      {props.label}{" "}
      <select onChange={(event) => props.choose(event.currentTarget.value)}>
        <option value="" selected={!props.value}>{props.any ?? t().agents.all}</option>
        <For each={offered()}>
          {(word) => <option value={word} selected={word === props.value}>{props.name?.(word) ?? word}</option>}
        </For>
      </select>
    </label>
  );
}

function Head(props: { column: Order; order: string; choose: (order: string) => void }): JSX.Element {
  const [by, down] = [() => props.order.split(" ")[0] || "agent", () => props.order.endsWith(" down")];
  const direction = () => (by() !== props.column ? "none" : down() ? "descending" : "ascending");
  const turn = () => props.choose(direction() === "ascending" ? `${props.column} down` : props.column);
  return (
    <th scope="col" aria-sort={direction()} classList={{ left: ["team", "state"].includes(props.column) }}>
      <button type="button" class="plain" title={t().agents.sortBy(t().columns[props.column])} onClick={turn}>
        {t().columns[props.column]} <span aria-hidden="true">{{ none: "", ascending: "▲", descending: "▼" }[direction()]}</span>
      </button>
    </th>
  );
}

/** Puts agents in order; those without a value come last, whichever way. */
function sorted(view: View, keys: string[], standings: Map<string, { word: string; since: number }>, [by, down]: [Order, string?]): string[] {
  const { states } = view.agents;
  const table = view.tables[0];
  const figure = (key: string): number | string | null => {
    switch (by) {
      case "agent": return key;
      case "team": return states.get(key)?.team || null;
      case "state": return standings.get(key)?.word ?? null;
      case "since": return -(standings.get(key)?.since ?? 0);
      default: return table ? quotient(value(table, key, by)) : null;
    }
  };
  const collator = new Intl.Collator("en", { numeric: true });
  const sign = down === "down" ? -1 : 1;
  const worth = new Map(keys.map((key) => [key, figure(key)]));
  return keys.toSorted((a, b) => {
    const [one, other] = [worth.get(a) ?? null, worth.get(b) ?? null];
    if (one === null || other === null) return (one === null ? 1 : 0) - (other === null ? 1 : 0) || collator.compare(a, b);
    const compared = typeof one === "number" && typeof other === "number" ? one - other : collator.compare(String(one), String(other));
    return compared * sign || collator.compare(a, b);
  });
}

function Row(props: {
  agent: string;
  place: number;
  view: View;
  limits: Limits | undefined;
  standing: () => ReturnType<typeof standing> | undefined;
}): JSX.Element {
  const known = () => props.standing();
  const team = () => (props.view.agents.version(), props.view.agents.states.get(props.agent)?.team ?? "");
  return (
    <tr class="row" aria-rowindex={props.place + 2} data-agent={props.agent}>
      <th scope="row"><Name agent={props.agent} /></th>
      <td class="left">{team() || "–"}</td>
      <td class="left">
        <span class={`mark state-${known()?.kind ?? "away"}`} aria-hidden="true">{known()?.mark}</span>{" "}
        {known() ? t().states[known()!.word] : "–"}
        <Show when={known()?.detail}> <small>{known()?.detail}</small></Show>
      </td>
      <Lasts standing={known()} limit={known() && props.limits?.limit(known()!, props.agent, team())} cell />
      <Show when={props.view.tables[0]}>
        {(table) => (
          <>
            <For each={FIGURES}>
              {(column) => <td><Figure live={table()} table="agentsDay" row={props.agent} column={column} /></td>}
            </For>
            <Show when={props.limits?.allows}><Allowance view={props.view} agent={props.agent} team={team()} limits={props.limits} cell /></Show>
          </>
        )}
      </Show>
    </tr>
  );
}
