// The frame: who is signed in, at which site, how old what is shown is; and the view within it.
import { For, Match, Show, Switch, createEffect, createMemo, createResource, createSignal, onCleanup, untrack, type JSX } from "solid-js";
import type { WhoAmIResponse } from "../gen/pegcount/v1/wallboard_pb";
import { localDate } from "../figures/zone";
import { forget, heard, hold, heldAt, serverNow, tick } from "../live/clock";
import { known as knownAt } from "../live/known";
import { isTokenRefused, wallboard, words } from "../live/rpc";
import { choose, language, languages, t, type Language } from "../text";
import { Agent } from "../views/Agent";
import { Agents } from "../views/Agents";
import { Explain } from "../views/Explain";
import { Overview } from "../views/Overview";
import { Queue } from "../views/Queue";
import { Rankings } from "../views/Rankings";
import { Tickets } from "../views/Tickets";
import { Trends } from "../views/Trends";
import { AsKnown } from "./AsKnown";
import { Connection } from "./Connection";
import { LOOKS, chooseLook, look, type Look } from "./look";
import { go, link, route, type ViewName } from "./route";
import { token, signOut } from "./session";
import { SignIn } from "./SignIn";
import { PlaceContext, type Place } from "./site";
import { Travel, goNow, toggleTravel } from "./Travel";

/** Views that one goes to with one key. */
const KEYS: Record<string, ViewName> = { "1": "overview", "2": "agents", "3": "tickets", "4": "trends", "5": "rankings" };
/** Views that stand in the header; the others are reached from a figure or a name. */
const TABS: ViewName[] = ["overview", "agents", "tickets", "trends", "rankings", "explain"];
/** So often it asks again while the server does not answer, or has no site yet. */
const RETRY_MS = 1_000;

export function App(): JSX.Element {
  createEffect(() => {
    document.documentElement.lang = language();
    document.title = `${t().nav[route().view]} · ${t().title}`;
  });
  return (
    <Show when={token()} fallback={<SignIn />} keyed>
      {(_) => <SignedIn />}
    </Show>
  );
}

function SignedIn(): JSX.Element {
  forget();
  const [who, { refetch }] = createResource(async (): Promise<WhoAmIResponse | undefined> => {
    try {
      const known = await wallboard.whoAmI({});
      heard(Number(known.nowUs), 1);
      if (known.sites.length) return known;
    } catch (error) {
      if (isTokenRefused(error)) return void signOut(words(error));
    }
    const later = setTimeout(() => void refetch(), RETRY_MS);
    onCleanup(() => clearTimeout(later));
    return undefined;
  });
  return (
    <Show when={who.latest} fallback={<Nobody asked={!who.loading} />}>
      {(known) => <Signed who={known()} />}
    </Show>
  );
}

/** Nothing to show yet: no site, or no answer. */
function Nobody(props: { asked: boolean }): JSX.Element {
  return (
    <>
      <header>
        <h1>{t().title}</h1>
        <Connection zone="UTC" />
        <button type="button" onClick={() => signOut()}>{t().frame.signOut}</button>
      </header>
      <main>
        <p class="note">{props.asked ? t().noSite : t().link.connecting}</p>
      </main>
    </>
  );
}

function Signed(props: { who: WhoAmIResponse }): JSX.Element {
  const site = createMemo(() => {
    const { sites } = props.who;
    return sites.find((known) => known.site === route().site) ?? sites[0];
  });
  const zone = createMemo(() => site()?.timeZone ?? "UTC");
  const today = createMemo(() => {
    tick();
    return localDate(knownAt() ?? serverNow(), zone());
  });
  createEffect(() => {
    const known = site()?.site ?? "";
    if (route().site !== known) go(link(known, untrack(route).view, untrack(route).what), true);
  });
  useKeys(() => site()?.site ?? "");
  return (
    <>
      <a class="skip" href="#figures" onClick={(event) => (event.preventDefault(), document.getElementById("figures")?.focus())}>
        {t().skip}
      </a>
      <Header who={props.who} site={site()?.site ?? ""} zone={zone()} />
      <Show when={site()?.site} keyed>
        {(name) => (
          <PlaceContext.Provider value={place(props.who, name, zone(), today)}>
            <main id="figures" tabIndex={-1}>
              {/* Another instant is another view: nothing of the one before stays. */}
              <Show when={`${route().view} ${knownAt() ?? ""}`} keyed>
                {(_) => (
                  <AsKnown>
                    <Switch>
                      <Match when={route().view === "overview"}><Overview /></Match>
                      <Match when={route().view === "agents"}><Agents /></Match>
                      <Match when={route().view === "explain"}><Explain /></Match>
                      <Match when={route().view === "tickets"}><Tickets /></Match>
                      <Match when={route().view === "agent"}><Agent /></Match>
                      <Match when={route().view === "queue"}><Queue /></Match>
                      <Match when={route().view === "trends"}><Trends /></Match>
                      <Match when={route().view === "rankings"}><Rankings /></Match>
                    </Switch>
                  </AsKnown>
                )}
              </Show>
            </main>
          </PlaceContext.Provider>
        )}
      </Show>
      <footer>{t().frame.keys}{t().travel.keys}</footer>
    </>
  );
}

function place(who: WhoAmIResponse, site: string, zone: string, today: () => string): Place {
  return { who, site, zone, today };
}

/** One key each, as the footer says; none while one writes. */
function useKeys(site: () => string): void {
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.target as HTMLElement).closest("input:not([type=range]), select, textarea")) return;
    const view: ViewName | undefined = KEYS[event.key];
    if (view) go(link(site(), view));
    else if (event.key.toLowerCase() === "p") hold(heldAt() === null && knownAt() === null);
    else if (event.key.toLowerCase() === "t") toggleTravel();
    else if (event.key.toLowerCase() === "n") goNow();
    else if (event.key === "/") document.querySelector<HTMLInputElement>("input[type=search]")?.focus();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", pressed);
  onCleanup(() => document.removeEventListener("keydown", pressed));
}

function Header(props: { who: WhoAmIResponse; site: string; zone: string }): JSX.Element {
  const [open, setOpen] = createSignal(false);
  const may: Record<ViewName, () => boolean> = {
    overview: () => props.who.readsFigures,
    agents: () => props.who.readsAgents,
    explain: () => props.who.readsFigures,
    trends: () => props.who.readsFigures,
    rankings: () => props.who.readsFigures,
    tickets: () => props.who.readsTickets,
    agent: () => props.who.readsFigures,
    queue: () => props.who.readsFigures,
  };
  return (
    <header>
      <h1>{t().title}</h1>
      <nav aria-label={t().nav.label}>
        <For each={TABS.filter((view) => may[view]())}>
          {(view) => (
            <a href={link(props.site, view)} aria-current={route().view === view ? "page" : undefined}>
              {t().nav[view]}
            </a>
          )}
        </For>
      </nav>
      <Connection zone={props.zone} />
      <button type="button" class="menu" aria-expanded={open()} aria-controls="choices" onClick={() => setOpen(!open())}>
        ☰ <span class="wide">{props.site}</span>
      </button>
      <div id="choices" hidden={!open()}>
        <label>
          {t().frame.site}
          <select onChange={(event) => go(link(event.currentTarget.value, route().view))}>
            <For each={props.who.sites}>
              {(known) => <option value={known.site} selected={known.site === props.site}>{known.site}</option>}
            </For>
          </select>
        </label>
        <label>
          {t().frame.language}
          <select id="language" onChange={(event) => choose(event.currentTarget.value as Language)}>
            <For each={Object.entries(languages)}>
              {([tag, known]) => <option value={tag} lang={tag} selected={tag === language()}>{known.name}</option>}
            </For>
          </select>
        </label>
        <label>
          {t().frame.look}
          <select id="look" onChange={(event) => chooseLook(event.currentTarget.value as Look)}>
            <For each={LOOKS}>
              {(known) => <option value={known} selected={known === look()}>{t().frame.looks[known]}</option>}
            </For>
          </select>
        </label>
        <a href="/assets/licences.txt" target="_blank" rel="noopener">{t().travel.licences}</a>
        <span>{t().frame.you(props.who.name, props.who.role)}</span>
        <button type="button" onClick={() => signOut()}>{t().frame.signOut}</button>
      </div>
      <Travel zone={props.zone} />
    </header>
  );
}
