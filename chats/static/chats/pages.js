// For every page: where its focus begins, that the browser is offline, the unread count in the title, and errors.
(() => {
  "use strict";

  const UNREACHED = "The server cannot be reached. Nothing is lost; try again.";
  const KNOWN = 100, MOST_IN_BADGE = 999;
  const $ = (selector, root = document) => root.querySelector(selector);

  let begun = null;

  // A page that htmx brings has no focus yet, and nobody reads it out: it begins at its heading, unless it
  // has a field to begin with.
  function begin() {
    const app = $(".app"), isFirst = !begun;
    if (app === begun) return;
    begun = app;
    if (isFirst) return;
    const main = $("main", app);
    const flashes = $("#flashes", main);
    // A live region that arrives with its words is not read out: they are put in anew once it is known.
    if (flashes?.children.length) setTimeout(() => flashes.append(...flashes.children), KNOWN);
    if (!main.contains(document.activeElement)) focusHeading(main);
  }

  function focusHeading(part) {
    const heading = $("h1", part) ?? part;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  function showConnection() {
    const banner = $("#offline");
    if (banner) banner.hidden = navigator.onLine;
  }

  const badgeOf = (count) => (count > MOST_IN_BADGE ? `${MOST_IN_BADGE}+` : String(count));

  // "(3) Inbox · Parley": the number is that of the navigation's badge.
  function titleCount() {
    const count = Number($("#unread")?.dataset.count ?? 0);
    const plain = document.title.replace(/^\(\d+\+?\) /, "");
    const title = count ? `(${badgeOf(count)}) ${plain}` : plain;
    if (title !== document.title) document.title = title;
  }

  function retitle(title) {
    document.title = title;
    titleCount();
  }

  function setUnread(count) {
    const badge = $("#unread");
    if (!badge) return;
    badge.dataset.count = String(count);
    badge.firstChild.textContent = badgeOf(count);
    badge.hidden = count === 0;
    titleCount();
  }

  function complain(text) {
    const flash = document.createElement("p");
    flash.className = "flash error";
    flash.textContent = text;
    $("#flashes")?.replaceChildren(flash);
  }

  // The sentence of an error response, which is a line or a whole page.
  function errorTextOf(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const places = page.querySelectorAll(".flash.error, main h1, main h1 ~ p:not(.buttons)");
    const sentences = [...places].map((each) => each.textContent.trim()).filter(Boolean);
    return sentences.length ? sentences.join(". ") : "The server could not do this. Nothing is lost; try again.";
  }

  addEventListener("online", () => {
    showConnection();
    window.parleyAnnouncer?.announce("You are online again.");
  });
  addEventListener("offline", showConnection);
  // Only for requests that a user made: those of scripts show no errors.
  const onAsked = (type, action) =>
    addEventListener(type, ({ detail }) => detail.requestConfig.triggeringEvent && action());

  // The last click wins, as without scripts: a slower page that was asked for before does not replace the newer one.
  let opening = null;

  addEventListener("htmx:beforeRequest", ({ detail: { boosted, xhr } }) => {
    if (boosted) opening = xhr;
  });
  addEventListener("htmx:beforeOnLoad", (event) => {
    const { boosted, requestConfig: { verb }, xhr } = event.detail;
    if (boosted && verb === "get" && xhr !== opening) event.preventDefault();
  });
  // Remove the messages of the previous request.
  onAsked("htmx:beforeRequest", () => $("#flashes")?.replaceChildren());
  onAsked("htmx:sendError", () => complain(UNREACHED));
  onAsked("htmx:timeout", () => complain("The server did not answer. Nothing is lost; try again."));
  // Show a whole error page, in place of a fragment, as a flash message.
  addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, boosted } = event.detail;
    if (xhr.status < 400 || (boosted && xhr.status < 500)) return;
    if (xhr.status < 500 && !/^\s*<!doctype/i.test(xhr.responseText)) return;
    event.detail.shouldSwap = false;
    complain(errorTextOf(xhr.responseText));
  });
  addEventListener("htmx:afterSettle", () => {
    begin();
    showConnection();
    titleCount();
  });
  addEventListener("DOMContentLoaded", () => {
    begin();
    showConnection();
  });

  // A secret that is shown once: the button names the element whose text it copies.
  // Without HTTPS, browsers give no clipboard: the text can still be selected.
  function showCopying() {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copies]")) button.hidden = false;
  }

  addEventListener("click", async ({ target }) => {
    const button = target.closest?.("[data-copies]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = "Copied";
    } catch {
      complain("The browser did not let it be copied. Select it instead.");
    }
  });
  addEventListener("DOMContentLoaded", showCopying);
  addEventListener("htmx:afterSettle", showCopying);

  window.parley = Object.freeze({ UNREACHED, complain, focusHeading, retitle, errorTextOf, setUnread });
})();
