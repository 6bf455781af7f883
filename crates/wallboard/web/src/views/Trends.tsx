// Trends: any figure by anything over any days, as a chart and as a table; beside the days before, or by another formula.
import { Show, createMemo, createResource, type JSX } from "solid-js";
import { clock } from "../figures/format";
import { GRAINS } from "../figures/periods";
import { route } from "../frame/route";
import { usePlace } from "../frame/site";
import { known } from "../live/known";
import { definitions, kpis, words } from "../live/rpc";
import { watchView } from "../live/stream";
import { choose } from "../parts/address";
import { DIMENSIONS } from "../parts/Figure";
import { Pick } from "../parts/Pick";
import { RangePick } from "../parts/Range";
import { Refusal } from "../parts/Refusal";
import { t } from "../text";
import { columnName } from "../text/columns";
import { COMPARED, WHOLE, choices, sources, type Choices } from "./trends-question";
import { trend } from "./trends-table";
import { TrendShown } from "./TrendShown";

export function Trends(): JSX.Element {
  const { who, site } = usePlace();
  // Only to hear that the server is there.
  if (who.readsFigures) watchView(site, [], false);
  return (
    <Show when={who.readsFigures} fallback={<Refusal kind={t().may.figures(who.role)} />}>
      <h2>{t().trends.title}</h2>
      <Show when={who.agent}><p class="note">{t().may.own}</p></Show>
      <Chosen />
    </Show>
  );
}

/** All formula versions of a site; 1 is built in. */
async function versions(site: string): Promise<number[]> {
  const defined = await definitions.listDefinitions({ site });
  const numbers = defined.definitions.flatMap(({ definition }) => (definition.case === "formula" ? [definition.value.number] : []));
  return [...new Set([1, ...numbers])].sort((a, b) => a - b);
}

function Chosen(): JSX.Element {
  const { site, zone, today } = usePlace();
  const w = () => t().trends;
  const chosen = createMemo(() => choices(route().what), undefined, { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) });
  const asked = createMemo(() => ({ chosen: chosen(), sources: sources(chosen(), today(), zone) }), undefined, {
    equals: (a, b) => JSON.stringify(a) === JSON.stringify(b),
  });
  const [found, { refetch }] = createResource(asked, (question) => trend(site, zone, question.chosen, question.sources));
  const [formulas] = createResource(() => versions(site).catch(() => [1]));
  return (
    <>
      <Controls chosen={chosen()} formulas={formulas.latest ?? [1]} />
      <Show when={!found.error} fallback={<Refusal kind={t().failed} words={words(found.error)} />}>
        <Show when={found.latest} fallback={<p class="note" aria-busy="true">{w().loading}</p>}>
          {(answer) => (
            <div classList={{ stale: found.loading }} aria-busy={found.loading}>
              <p class="note" role="status">
                {found.loading ? w().loading : w().asOf(clock(answer().asOf, zone))}{" "}
                <Show when={known() === null}>
                  <button type="button" id="again" onClick={() => void refetch()}>{w().again}</button>
                </Show>
              </p>
              <TrendShown trend={answer()} chosen={asked().chosen} sources={asked().sources} />
            </div>
          )}
        </Show>
      </Show>
    </>
  );
}

function Controls(props: { chosen: Choices; formulas: number[] }): JSX.Element {
  const w = () => t().trends;
  const [columns] = createResource(async () => (await kpis.describeKpis({})).columns.map((column) => column.name));
  const offered = () => columns.latest ?? [props.chosen.column];
  const dimensions = ["", ...Object.values(DIMENSIONS)];
  const formula = (place: 0 | 1) => (version: string) => {
    const pair = [...props.chosen.formulas];
    pair[place] = Number(version);
    choose({ formula: pair.join() });
  };
  const versions = () => [...new Set([...props.formulas, ...props.chosen.formulas])].sort((a, b) => a - b).map(String);
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <Pick id="column" label={w().figure} value={props.chosen.column} of={offered()} name={columnName} choose={(column) => choose({ column })} />
      <Pick id="by" label={w().by} value={props.chosen.by} of={dimensions} name={(one) => w().dimensions[(one || "nothing") as "nothing"]} choose={(by) => choose({ by })} />
      <Pick id="each" label={w().each} value={props.chosen.each || WHOLE} of={[WHOLE, ...GRAINS]} name={(one) => w().grains[one as "whole"]} choose={(each) => choose({ each })} />
      <RangePick range={props.chosen.range} from={props.chosen.from} to={props.chosen.to} choose={choose} />
      <Pick
        id="with"
        label={w().with}
        value={props.chosen.compared}
        of={COMPARED}
        name={(one) => w().compared[one]}
        choose={(one) => choose({ with: one === "nothing" ? "" : one, formula: one === "formula" ? [props.formulas[0] ?? 1, props.formulas.at(-1) ?? 1].join() : "" })}
      />
      <Show when={props.chosen.compared === "formula"}>
        <Pick id="formula-1" label={w().formula} value={String(props.chosen.formulas[0])} of={versions()} name={w().version} choose={formula(0)} />
        <Pick id="formula-2" label={w().against} value={String(props.chosen.formulas[1])} of={versions()} name={w().version} choose={formula(1)} />
      </Show>
    </form>
  );
}
