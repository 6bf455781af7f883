// Signing in with a token. It is sent in a header with each question, and kept in this tab only.
import { Show, onMount, type JSX } from "solid-js";
import { choose, language, languages, t, type Language } from "../text";
import { reason, signIn } from "./session";

export function SignIn(): JSX.Element {
  let field!: HTMLInputElement;
  onMount(() => field.focus());
  document.body.dataset.link = "none";
  return (
    <main class="signin">
      <h1>{t().title}</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const given = field.value.trim();
          if (given) signIn(given);
        }}
      >
        <h2>{t().sign.title}</h2>
        <p id="how">{t().sign.how}</p>
        <label for="token">{t().sign.token}</label>
        <input ref={field} id="token" type="password" autocomplete="off" spellcheck={false} required aria-describedby="how" />
        <button type="submit">{t().sign.enter}</button>
        <Show when={reason()}>
          <p class="refusal" role="alert">
            {t().sign.refused} <q lang="en">{reason()}</q>
          </p>
        </Show>
      </form>
      <label>
        {t().frame.language}
        <select id="language" onChange={(event) => choose(event.currentTarget.value as Language)}>
          {Object.entries(languages).map(([tag, known]) => (
            <option value={tag} lang={tag} selected={tag === language()}>{known.name}</option>
          ))}
        </select>
      </label>
    </main>
  );
}
