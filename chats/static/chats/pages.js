// What every page does: tells of being offline, counts in the title, says what failed.
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);

  function tellConnection() {
    const banner = $("#offline");
    if (banner) banner.hidden = navigator.onLine;
  }

  // "(3) Inbox · Parley": the count in front follows the badge of the navigation.
  function titleCount() {
    const count = Number($("#unread")?.dataset.count ?? 0);
    const plain = document.title.replace(/^\(\d+\) /, "");
    const title = count ? `(${count}) ${plain}` : plain;
    if (title !== document.title) document.title = title;
  }

  function setUnread(count) {
    const badge = $("#unread");
    if (!badge) return;
    badge.dataset.count = String(count);
    badge.firstChild.textContent = String(count);
    badge.hidden = count === 0;
    titleCount();
  }

  function announce(text) {
    const place = $("#announcer");
    if (place) place.textContent = text;
  }

  function complain(text) {
    const flash = document.createElement("p");
    flash.className = "flash error";
    flash.textContent = text;
    $("#flashes")?.replaceChildren(flash);
  }

  addEventListener("online", tellConnection);
  addEventListener("offline", tellConnection);
  // What the page fetches by itself wipes nothing away, and nobody can try it again.
  const onAsked = (type, deed) =>
    addEventListener(type, ({ detail }) => detail.requestConfig.triggeringEvent && deed());

  // Told again only by what is wrong now.
  onAsked("htmx:beforeRequest", () => $("#flashes")?.replaceChildren());
  onAsked("htmx:sendError", () => complain("The server cannot be reached. Nothing is lost; try again."));
  onAsked("htmx:timeout", () => complain("The server did not answer. Nothing is lost; try again."));
  // A whole page of an error, where a part was asked for, becomes a line above.
  addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, boosted } = event.detail;
    if (xhr.status < 400 || (boosted && xhr.status < 500)) return;
    if (xhr.status < 500 && !/^\s*<!doctype/i.test(xhr.responseText)) return;
    event.detail.shouldSwap = false;
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const said = [...page.querySelectorAll("main h1, main h1 ~ p:not(.buttons)")].map((each) => each.textContent.trim());
    complain(said.length ? said.join(". ") : "The server could not do this. Nothing is lost; try again.");
  });
  addEventListener("htmx:afterSettle", () => {
    tellConnection();
    titleCount();
  });
  addEventListener("DOMContentLoaded", tellConnection);

  window.parley = Object.freeze({ announce, complain, setUnread });
})();
