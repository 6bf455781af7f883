// One agent of the floor: what a row and a tile have in common, and the tile itself.
import { Show, createMemo, type JSX } from "solid-js";
import { Dynamic } from "solid-js/web";
import { duration, quotient } from "../figures/format";
import { link } from "../frame/route";
import { usePlace } from "../frame/site";
import { drawnAt } from "../live/clock";
import type { View } from "../live/stream";
import { Figure, value } from "../parts/Figure";
import { t } from "../text";
import type { Standing } from "./agent-state";
import { GRADE_MARKS, GRADE_STYLES, grade, type Grade, type Limit, type Limits } from "./limits";

/** An agent's name: it opens the agent's day, for whoever may see figures. */
export function Name(props: { agent: string; date?: string }): JSX.Element {
  const { site, who } = usePlace();
  const what = () => ({ agent: props.agent, ...(props.date ? { date: props.date } : {}) });
  return (
    <Show when={who.readsFigures} fallback={props.agent}>
      <a class="name" href={link(site, "agent", what())}>{props.agent}</a>
    </Show>
  );
}

/** In words, how a time stands to a limit. */
function graded(found: Grade, limit: Limit): string {
  const us = duration(limit.us);
  return { near: t().agent.near(us), target: t().agent.pastTarget(us), over: t().agent.over(us) }[found];
}

/** A mark with its words. */
function Mark(props: { grade: Grade; limit: Limit }): JSX.Element {
  return (
    <span class={`mark grade-${props.grade}`} role="img" title={graded(props.grade, props.limit)} aria-label={graded(props.grade, props.limit)}>
      {GRADE_MARKS[props.grade]}
    </span>
  );
}

/** For how long the agent has been so; past a limit it says so by mark and colour. */
export function Lasts(props: { standing: Standing | undefined; limit: Limit | undefined; cell?: boolean }): JSX.Element {
  const lasts = createMemo(() => (props.standing?.since ? Math.max(0, drawnAt() - props.standing.since) : null));
  const found = createMemo(() => grade(lasts(), props.limit));
  return (
    <Dynamic component={props.cell ? "td" : "span"} class={`lasts ${found() ? GRADE_STYLES[found()!] : ""}`} data-grade={found()}>
      {lasts() === null ? "–" : duration(lasts()!)}
      <Show when={found()}>{(known) => <> <Mark grade={known()} limit={props.limit!} /></>}</Show>
    </Dynamic>
  );
}

/** What counts against the allowance today, microseconds: away time, but for productive reasons. Tracked. */
function awayUsed(view: View, agent: string, limits: Limits): number {
  const table = view.tables[1];
  if (!table) return 0;
  table.version();
  const counted = table.table.rowsOf(agent).filter((row) => !limits.productive.has(row.keys[1] ?? ""));
  return counted.reduce((sum, row) => sum + (quotient(value(table, agent, "away_clock", row)) ?? 0), 0);
}

/** Away time used of what is allowed today. */
export function Allowance(props: { view: View; agent: string; team: string; limits: Limits | undefined; cell?: boolean }): JSX.Element {
  const total = () => {
    const us = props.limits?.allowance(props.team)?.totalUs;
    return us === undefined ? undefined : Number(us);
  };
  const used = createMemo(() => (props.limits && total() !== undefined ? awayUsed(props.view, props.agent, props.limits) : null));
  const limit = (): Limit | undefined => (total() === undefined ? undefined : { us: total()!, isTarget: false });
  const found = createMemo(() => grade(used(), limit()));
  return (
    <Dynamic component={props.cell ? "td" : "span"} class={`allowance ${found() ? GRADE_STYLES[found()!] : ""}`} data-grade={found()}>
      {used() === null ? (props.cell ? "–" : "") : t().agent.of(duration(used()!), duration(total()!))}
      <Show when={found()}>{(known) => <> <Mark grade={known()} limit={limit()!} /></>}</Show>
    </Dynamic>
  );
}

export function Tile(props: {
  agent: string;
  place: number;
  of: number;
  view: View;
  limits: Limits | undefined;
  standing: Standing | undefined;
}): JSX.Element {
  const team = () => (props.view.agents.version(), props.view.agents.states.get(props.agent)?.team ?? "");
  const limit = () => props.standing && props.limits?.limit(props.standing, props.agent, team());
  return (
    <li class={`agent-tile kind-${props.standing?.kind ?? "away"}`} data-agent={props.agent} aria-posinset={props.place + 1} aria-setsize={props.of}>
      <p class="who"><b><Name agent={props.agent} /></b> <small>{team()}</small></p>
      <p class="does">
        <span class={`mark state-${props.standing?.kind ?? "away"}`} aria-hidden="true">{props.standing?.mark}</span>{" "}
        <span class="state">{props.standing ? t().states[props.standing.word] : "–"} <small translate="no">{props.standing?.detail}</small></span>
        <Lasts standing={props.standing} limit={limit()} />
      </p>
      <Show when={props.view.tables[0]}>
        {(table) => (
          <>
            <p class="sums">
              <span>{t().columns.talk_time} <Figure live={table()} table="agentsDay" row={props.agent} column="talk_time" /></span>
              <span>{t().columns.acw_time} <Figure live={table()} table="agentsDay" row={props.agent} column="acw_time" /></span>
            </p>
            <p class="sums">
              <span>{t().columns.handled} <Figure live={table()} table="agentsDay" row={props.agent} column="handled" /></span>
              <span>{t().columns.away_clock} <Figure live={table()} table="agentsDay" row={props.agent} column="away_clock" /></span>
            </p>
            <Show when={props.limits?.allowance(team())?.totalUs !== undefined}>
              <p class="sums"><span>{t().agent.allowance} <Allowance view={props.view} agent={props.agent} team={team()} limits={props.limits} /></span></p>
            </Show>
          </>
        )}
      </Show>
    </li>
  );
}
