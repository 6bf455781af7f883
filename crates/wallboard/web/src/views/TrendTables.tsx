// The tables of a trend, to the last digit; each figure opens its explanation.
import { For, Index, Show, createMemo, type JSX } from "solid-js";
import { ABSENT, count, figure, signed } from "../figures/format";
import { link } from "../frame/route";
import { usePlace } from "../frame/site";
import { t } from "../text";
import type { Choices, Source } from "./trends-question";
import { pieceName, sourceName } from "./trend-names";
import { address, difference, type Line, type Trend } from "./trends-table";

/** More figures than these make a page slow. */
const CELLS_MAX = 6_000;

interface Shown {
  trend: Trend;
  chosen: Choices;
  sources: Source[];
  name: (key: string) => string;
  zone: string;
}

/** Pieces of time downwards. */
export function PiecesTable(props: Shown): JSX.Element {
  const w = () => t().trends;
  const compared = () => props.sources.length > 1;
  const keys = createMemo(() => {
    const most = Math.max(1, Math.floor(CELLS_MAX / props.trend.lines.length));
    return props.trend.keys.slice(0, most);
  });
  return (
    <>
      <Show when={keys().length < props.trend.keys.length}>
        <p class="note">{w().tabled(count(keys().length), count(props.trend.keys.length))}</p>
      </Show>
      <div class="scroll tall" tabIndex={0} role="region" aria-labelledby="trend">
        <table class="trend">
          <thead>
            <tr>
              <th scope="col">{w().piece}</th>
              <For each={keys()}>
                {(key) => (
                  <>
                    <For each={props.sources}>
                      {(source) => (
                        <th scope="col">
                          {props.name(key)}
                          <Show when={compared()}><small>{sourceName(source, props, props.zone)}</small></Show>
                        </th>
                      )}
                    </For>
                    <Show when={compared()}><th scope="col">{props.name(key)}<small>{w().difference}</small></th></Show>
                  </>
                )}
              </For>
            </tr>
          </thead>
          <tbody>
            <For each={props.trend.lines}>
              {(line) => (
                <tr classList={{ whole: !line.place }} data-place={line.place || "whole"}>
                  <th scope="row">{pieceName(line, props.chosen, props.zone, false)}</th>
                  <For each={keys()}>{(key) => <Cells {...props} line={line} key={key} />}</For>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </>
  );
}

/** The whole range at once: what it is cut by downwards. */
export function WholeTable(props: Shown): JSX.Element {
  const w = () => t().trends;
  const whole = () => props.trend.lines.find((line) => !line.place) ?? { place: "", at: [] };
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-labelledby="trend">
      <table class="trend">
        <thead>
          <tr>
            <th scope="col">{w().dimensions[(props.chosen.by || "nothing") as "nothing"]}</th>
            <For each={props.sources}>{(source) => <th scope="col">{sourceName(source, props, props.zone)}</th>}</For>
            <Show when={props.sources.length > 1}><th scope="col">{w().difference}</th></Show>
          </tr>
        </thead>
        <tbody>
          <For each={props.trend.keys}>
            {(key) => (
              <tr data-place="whole">
                <th scope="row">{props.name(key)}</th>
                <Cells {...props} line={whole()} key={key} />
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

function Cells(props: { trend: Trend; chosen: Choices; sources: Source[]; line: Line; key: string }): JSX.Element {
  const { site } = usePlace();
  const cell = (source: number) => props.trend.cell(source, props.line.place, props.key);
  const apart = () => difference(cell(0), cell(1));
  return (
    <>
        <Index each={props.sources}>
          {(source, place) => (
            <td>
              <Show when={cell(place)} fallback={ABSENT}>
                {(known) => (
                  <a
                    class="figure"
                    href={link(site, "explain", address(props.chosen, props.key, known()))}
                    data-key={props.key}
                    data-source={place}
                    data-formula={source().formula}
                    data-from={String(known().row.fromUs)}
                    data-to={String(known().row.toUs)}
                  >
                    {props.trend.column ? figure(props.trend.column, known().value) : ABSENT}
                  </a>
                )}
              </Show>
            </td>
          )}
        </Index>
        <Show when={props.sources.length > 1}>
          <td class="difference" data-key={props.key} data-difference={apart() ?? ""}>{props.trend.column ? signed(props.trend.column, apart()) : ABSENT}</td>
        </Show>
    </>
  );
}
