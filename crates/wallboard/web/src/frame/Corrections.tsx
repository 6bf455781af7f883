// What has become known since: every correction with its figure, interval, before, after and cause.
import { For, Show, createEffect, createResource, onCleanup, type JSX } from "solid-js";
import { Unit } from "../gen/pegcount/v1/kpi_pb";
import { ABSENT, count, duration, moment } from "../figures/format";
import { correctionsSince, type Corrected } from "../live/corrections";
import { words } from "../live/rpc";
import { Refusal } from "../parts/Refusal";
import { columnName } from "../text/columns";
import { t } from "../text";
import { link } from "./route";
import { usePlace } from "./site";

/** So long until it asks whether there are more. */
const AGAIN_MS = 5_000;

export function Corrections(props: { since: number }): JSX.Element {
  const { who, site, zone } = usePlace();
  const w = () => t().travel;
  const [found, { refetch }] = createResource(async () => (who.readsCorrections ? correctionsSince(site, props.since) : undefined));
  createEffect(() => {
    if (found.loading || found.error || !found.latest?.short) return;
    const later = setTimeout(() => void refetch(), AGAIN_MS);
    onCleanup(() => clearTimeout(later));
  });
  return (
    <section class="corrections">
      <h2 id="corrections">{w().corrections}</h2>
      <Show when={who.readsCorrections} fallback={<p class="note">{w().notForRole(who.role)}</p>}>
        <Show when={!found.error} fallback={<Refusal kind={t().failed} words={words(found.error)} />}>
          <Show when={found.latest} fallback={<p class="note" aria-busy="true">{w().loading}</p>}>
            {(known) => (
              <Show when={known().count} fallback={<p class="note">{w().none}</p>}>
                <p class="note">{w().listed(count(known().list.length), count(known().count))}</p>
                <div class="scroll tall" tabIndex={0} role="region" aria-labelledby="corrections">
                  <table>
                    <thead>
                      <tr>
                        <th scope="col">{w().figure}</th><th scope="col" class="left">{w().interval}</th><th scope="col">{w().before}</th>
                        <th scope="col">{w().after}</th><th scope="col">{w().difference}</th><th scope="col" class="left">{w().cause}</th>
                      </tr>
                    </thead>
                    <tbody><For each={known().list}>{(one) => <Row of={one} site={site} zone={zone} />}</For></tbody>
                  </table>
                </div>
              </Show>
            )}
          </Show>
        </Show>
      </Show>
    </section>
  );
}

function Row(props: { of: Corrected; site: string; zone: string }): JSX.Element {
  const { correction, before, after } = props.of;
  const shown = (amount: bigint | undefined) =>
    amount === undefined ? ABSENT : correction.unit === Unit.MICROSECONDS ? duration(Number(amount)) : count(amount);
  const range = { column: correction.measure, from: String(correction.fromUs), to: String(correction.toUs) };
  const then = (position: bigint) => link(props.site, "explain", { ...range, position: String(position), known: "then" });
  return (
    <tr class="correction" data-measure={correction.measure} data-position={String(correction.position)} data-difference={String(correction.difference)}>
      <th scope="row"><a href={link(props.site, "explain", { ...range, known: "" })}>{columnName(correction.measure)}</a></th>
      <td class="left">{moment(Number(correction.fromUs), props.zone)}</td>
      <td data-amount={String(before ?? "")}><a class="figure" href={then(correction.position - 1n)}>{shown(before)}</a></td>
      <td data-amount={String(after ?? "")}><a class="figure" href={then(correction.position)}>{shown(after)}</a></td>
      <td>{correction.difference > 0n ? "+" : ""}{shown(correction.difference)}</td>
      <td class="left">{t().travel.by(count(correction.position), moment(Number(correction.recordedAtUs), props.zone))}</td>
    </tr>
  );
}
