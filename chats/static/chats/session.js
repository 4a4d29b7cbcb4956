// Shows the end of a session or of a membership at once in all open tabs.
(() => {
  "use strict";

  const PERSON = "parley.person", SIGNING_OUT = "parley.going", DRAFTS = "parley.draft.", MOMENT = 1_000;
  // Seconds that a page may have taken to arrive: `lasts` counts from its arrival.
  const SLACK = 10;
  const root = document.documentElement;
  // The id of the user for whom this document was made; 0 for nobody.
  const person = Number(root.dataset.person ?? 0);
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("parley-session") : null;
  const opened = Date.now();
  let over = false, leaving = false, left = 0;

  // Whether the session has expired. Nobody ended it then, so drafts are kept for their user. A
  // page that was made without a session has no time: that session was ended.
  function lapsed() {
    const lasts = Number(root.dataset.lasts);
    return lasts > 0 && (Date.now() - opened) / 1000 + SLACK >= lasts;
  }

  // In private windows storage may throw; pages work without it.
  function kept(action) {
    try {
      return action(localStorage);
    } catch {
      return null;
    }
  }

  const lastSeen = () => kept((store) => store.getItem(PERSON));

  // After sign-out nothing that the user wrote may be left on the machine.
  function forget() {
    for (const name of ["localStorage", "sessionStorage"]) {
      try {
        const store = window[name];
        for (const key of Object.keys(store)) if (key.startsWith(DRAFTS)) store.removeItem(key);
      } catch {
        // There is no storage.
      }
    }
  }

  function signedOutHere() {
    kept((store) => store.setItem(PERSON, ""));
    kept((store) => store.removeItem(SIGNING_OUT));
    forget();
  }

  // The sign-in or sign-up page, which is for people who are not signed in.
  const signedOutPage = () => document.querySelector("[data-signed-out]");

  // A user who signs out may leave before the response; a sign-in page then proves that it was
  // done.
  const wasSigningOut = () => Boolean(signedOutPage() && kept((store) => store.getItem(SIGNING_OUT)));

  function arrived() {
    const before = lastSeen();
    if (before && before !== String(person)) forget();
    kept((store) => store.setItem(PERSON, String(person)));
    kept((store) => store.removeItem(SIGNING_OUT));
    channel?.postMessage({ arrived: person });
  }

  // The sign-in page redirects a signed-in user to the page they wanted.
  function reloadIfSignedIn() {
    if (!person && signedOutPage()) location.replace(location.pathname + location.search);
  }

  // Signing out discards messages that are not sent yet: let the user decide.
  function confirmSignOut(form, count) {
    const what = count === 1 ? "1 message is not sent yet" : `${count} messages are not sent yet`;
    const dialog = Object.assign(document.createElement("dialog"), { className: "card", id: "unsent-question" });
    const title = Object.assign(document.createElement("h2"), { id: "unsent-title", textContent: what });
    const line = Object.assign(document.createElement("p"), { textContent: "Sign out all the same? What is not sent is then lost." });
    const buttons = Object.assign(document.createElement("p"), { className: "buttons" });
    const stay = Object.assign(document.createElement("button"), { type: "button", textContent: "Stay", autofocus: true });
    const go = Object.assign(document.createElement("button"), { type: "button", className: "danger", textContent: "Sign out all the same" });
    stay.addEventListener("click", () => dialog.close());
    go.addEventListener("click", () => {
      form.dataset.meant = "";
      form.requestSubmit();
      dialog.close();
    });
    dialog.addEventListener("close", () => dialog.remove());
    dialog.setAttribute("aria-labelledby", title.id);
    buttons.append(stay, go);
    dialog.append(title, line, buttons);
    document.body.append(dialog);
    dialog.showModal();
  }

  // Replace the content of the page by a heading, a line and a link.
  function notice(heading, line, address, label) {
    const section = document.createElement("section");
    section.className = "card notice";
    const title = Object.assign(document.createElement("h1"), { textContent: heading });
    const text = Object.assign(document.createElement("p"), { textContent: line });
    const link = Object.assign(document.createElement("a"), { className: "button", href: address, textContent: label });
    const buttons = Object.assign(document.createElement("p"), { className: "buttons" });
    buttons.append(link);
    section.append(title, text, buttons);
    const place = document.querySelector(".brand")?.textContent ?? "Parley";
    document.title = `${heading} · ${place}`;
    return section;
  }

  function end() {
    if (over) return;
    over = true;
    channel?.postMessage({ ended: person });
    if (lastSeen() !== String(person)) forget();
    const here = location.pathname + location.search;
    const signInUrl = `/sign-in?next=${encodeURIComponent(here)}&${lapsed() ? "lapsed" : "ended"}=1`;
    const main = document.createElement("main");
    main.append(notice("You are signed out", "What was shown here is no longer shown.", signInUrl, "Sign in"));
    const app = Object.assign(document.createElement("div"), { className: "app bare" });
    app.append(main);
    document.body.replaceChildren(app);
    // A session that only has a new key, as after a change of the password, comes back at once.
    if (!leaving) setTimeout(() => leaving || location.replace(signInUrl), MOMENT);
  }

  // Only the server knows whether the session has ended.
  async function check() {
    if (over || !person) return;
    const answer = await fetch("/api/v1/me", { cache: "no-store" }).catch(() => null);
    if (answer?.status === 401) return end();
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    if (found && found.id !== person) end();
  }

  const about = () => document.querySelector("main[data-about]");

  // Replace the page of a conversation that the user is no participant of any more. Its row, with what was
  // last said, goes at once; other parts are fetched again.
  function leftConversation(conversation, heading = "You are no longer in this conversation") {
    left += 1;
    for (const row of document.querySelectorAll(`#c${conversation}, #waiting-${conversation}`)) parleyMorph.remove(row);
    const main = about();
    if (Number(main?.dataset.about) !== conversation) return;
    // If this page's own form leaves the conversation, its response tells.
    if (document.querySelector('form[action$="/leave"].htmx-request')) return;
    delete main.dataset.about;
    main.closest(".app").classList.remove("talk");
    // Their responses would have no place any more.
    for (const requesting of main.querySelectorAll(".htmx-request")) htmx.trigger(requesting, "htmx:abort");
    document.querySelector("#side")?.remove();
    main.replaceChildren(notice(heading, "Its messages are no longer shown here.", "/conversations", "To your conversations"));
    parley.focusHeading(main);
    dispatchEvent(new Event("parley:left"));
  }

  async function checkMembership() {
    const conversation = Number(about()?.dataset.about ?? 0);
    if (!conversation) return;
    const answer = await fetch(`/api/v1/conversations/${conversation}`, { cache: "no-store" }).catch(() => null);
    if (answer?.status === 404) leftConversation(conversation);
  }

  const isPage = (text) => /^\s*<!doctype/i.test(text);

  // Do not swap in a response that was made for another user, or for nobody.
  addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, boosted } = event.detail;
    if (over) event.detail.shouldSwap = false;
    if (over || !person || xhr.status >= 500) return;
    if (xhr.status === 404) checkMembership();
    if (!isPage(xhr.responseText) || xhr.responseText.includes(`data-person="${person}"`)) return;
    event.detail.shouldSwap = false;
    if (boosted) location.assign(xhr.responseURL);
    else check();
  }, true);
  addEventListener("htmx:beforeRequest", (event) => {
    if (over) event.preventDefault();
  }, true);
  // A request of a script does not redirect the page: first find out how the session ended.
  addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, requestConfig: { elt } } = event.detail;
    if (!person || !xhr.getResponseHeader("HX-Redirect")?.startsWith("/sign-in") || elt.matches("form, button, a")) return;
    event.preventDefault();
    check();
  }, true);

  channel?.addEventListener("message", ({ data: { ended, look, arrived: came } }) => {
    if (came) reloadIfSignedIn();
    if (ended && ended === person) end();
    if (look) check();
  });
  addEventListener("storage", (event) => {
    if (event.key !== PERSON || event.newValue === String(person)) return;
    if (event.newValue) reloadIfSignedIn();
    check();
  });
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") check();
  });
  addEventListener("beforeunload", () => {
    leaving = true;
  });
  // The browser keeps a page for the back button, and may show it to the next person.
  addEventListener("pagehide", (event) => {
    if (event.persisted && person) root.hidden = true;
  });
  addEventListener("pageshow", (event) => {
    leaving = false;
    if (event.persisted && person) location.reload();
  });
  addEventListener("submit", (event) => {
    const form = event.target, count = window.parleyOutbox?.unsent();
    if (form.getAttribute("action") !== "/sign-out") return;
    if (!count || "meant" in form.dataset) return kept((store) => store.setItem(SIGNING_OUT, String(person)));
    event.preventDefault();
    event.stopImmediatePropagation();
    confirmSignOut(form, count);
  }, true);
  addEventListener("DOMContentLoaded", () => {
    if (document.querySelector("[data-forget]") || wasSigningOut()) signedOutHere();
    if (person) return arrived();
    if (document.querySelector("[data-ended]")) forget();
    channel?.postMessage({ look: true });
  });

  // How many conversations were left: what was fetched before that may still show them.
  const leftCount = () => left;

  window.parleySession = Object.freeze({ check, checkMembership, leftConversation, leftCount, person });
})();
