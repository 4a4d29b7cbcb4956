// What stands beside a page, where there is room: the list of conversations, what waits, and a side panel with
// a thread, a history or the people. Each is a part of another page, which is also there by itself.
(() => {
  "use strict";

  const ROOM = matchMedia("(min-width: 80rem)"), PLENTY = matchMedia("(min-width: 100rem)"), CLOSED = "parley.side";
  const side = () => document.querySelector("#side");
  const main = () => document.querySelector("#main");
  const parse = (page) => new DOMParser().parseFromString(page, "text/html");

  // `data-fill` says which parts of its source a place is filled with, once it is shown.
  function fill() {
    for (const place of document.querySelectorAll("[data-fill]")) {
      if (place.checkVisibility()) parleyRefresh.ask(`fill ${place.id}`, () => fetchInto(place), { quiet: 0, gap: 0 });
    }
  }

  async function fetchInto(place) {
    const heard = parleyLiveEvents.heard(), left = parleySession.leftCount();
    const page = place.isConnected && place.dataset.fill ? await parleyRefresh.fetchFragment(place.dataset.source) : null;
    if (page === null) return;
    if (left !== parleySession.leftCount()) return fill();
    put(place, parse(page).querySelectorAll(place.dataset.fill));
    delete place.dataset.fill;
    // What happened meanwhile may be missing in it.
    if (heard === parleyLiveEvents.heard()) return;
    for (const part of place.querySelectorAll("[data-live][id]")) parleyLiveEvents.renew(part.id);
  }

  function put(place, parts) {
    place.replaceChildren(...[...parts].map((part) => document.importNode(part, true)));
    htmx.process(place);
    dispatchEvent(new Event("parley:changed"));
  }

  // The list beside a page has no heading of the page, and changes no address; it shows which conversation is open.
  function arrange() {
    const list = document.querySelector("#list"), open = main()?.dataset.about;
    if (!list) return;
    list.querySelector(".search")?.setAttribute("hx-replace-url", String(main().contains(list)));
    for (const row of list.querySelectorAll(".row")) {
      const current = row.parentElement.id === `c${open}` && !main().contains(list);
      if (current) row.setAttribute("aria-current", "page");
      else row.removeAttribute("aria-current");
    }
  }

  // A search in the list is kept when the list is fetched anew.
  addEventListener("htmx:afterRequest", ({ detail: { elt, successful, pathInfo } }) => {
    const list = elt.closest?.("#list");
    if (list && successful && elt.matches(".search")) list.dataset.source = pathInfo.finalRequestPath;
  });

  // Beside a page, too: that one stays.
  addEventListener("click", (event) => {
    if (!event.target.closest?.("a[data-show-all]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const form = document.querySelector("#list .search");
    form.elements.q.value = "";
    form.requestSubmit();
    form.elements.q.focus();
  }, true);

  // The side panel. A message may be there and in the conversation: in the panel, ids begin with "side-".
  const PREFIX = "side-", REFERENCES = ["for", "aria-labelledby", "aria-describedby", "data-jump", "hx-target", "href"];

  function rename(root) {
    for (const each of [root, ...root.querySelectorAll("*")]) {
      if (each.id && !each.id.startsWith(PREFIX)) each.id = PREFIX + each.id;
      for (const name of REFERENCES) {
        const value = each.getAttribute(name), bare = name === "hx-target" || name === "href" ? /^#(?!side-|composer$)/ : /(?<!\S)(?!side-)(?=\S)/g;
        if (value && bare.test(value)) each.setAttribute(name, value.replace(bare, (mark) => mark + PREFIX));
      }
      each.removeAttribute("hx-push-url");
    }
    for (const link of root.querySelectorAll("a[data-reply]")) answerBeside(link);
    return root;
  }

  // A reply is written in the conversation that is open, not in the thread's own composer.
  function answerBeside(link) {
    const address = new URL(link.getAttribute("hx-get"), location.href);
    address.searchParams.delete("thread");
    link.setAttribute("hx-get", `${address.pathname}${address.search}`);
    link.removeAttribute("data-reply");
  }

  const isBeside = (place) => Boolean(place?.closest("#side"));

  // What replaces a place, with the ids that it has there.
  const asIn = (place, fresh) => (isBeside(place) ? rename(fresh) : fresh);

  // The part of a fresh page that stands for what has this id here.
  function freshOf(page, id) {
    const place = document.getElementById(id), found = page.getElementById(isBeside(place) ? id.slice(PREFIX.length) : id);
    return found && asIn(place, found);
  }

  // Of two that were asked for, the later one is shown, whichever is answered first.
  let asked = 0, opening = 0, opener = null;

  async function show(address) {
    const turn = ++asked, place = side(), page = await parleyRefresh.fetchFragment(address);
    if (page === null || turn !== asked || place !== side() || !place) return false;
    const fresh = parse(page).querySelector("main");
    for (const foot of fresh.querySelectorAll(".foot")) foot.remove();
    const content = rename(fresh);
    const parts = [...content.children].filter(({ id }) => id !== `${PREFIX}connection` && id !== `${PREFIX}flashes`);
    place.dataset.source = address;
    put(place, [closeButton(), ...parts]);
    place.hidden = false;
    return true;
  }

  function closeButton() {
    const head = Object.assign(document.createElement("p"), { className: "side-head" });
    head.append(Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Close", id: "side-close", ariaLabel: "Close the side panel" }));
    return head;
  }

  // What cannot be shown here is loaded as a page of its own, which says why.
  async function showOrLoad(address) {
    const turn = asked + 1;
    opening += 1;
    const isShown = await show(address).catch(() => false);
    opening -= 1;
    if (!isShown && turn === asked) location.assign(address);
    return isShown;
  }

  // The address is that of the page which is shown there: a reload shows it by itself, and Back closes it.
  async function open(address, link = null) {
    main().dataset.source ??= location.href;
    if (!(await showOrLoad(address))) return;
    const depth = (history.state?.parleySide ?? 0) + 1;
    history.pushState({ parleySide: depth, address }, "", address);
    keep("");
    if (link && !side().contains(link)) opener = link;
    parley.focusHeading(side());
  }

  function close() {
    const depth = history.state?.parleySide;
    if (depth) return history.go(-depth);
    keep("closed");
    leaving(() => (side().hidden = true));
  }

  // The focus goes back to what opened the panel, or to what opens it again.
  function leaving(action) {
    const isInside = side().contains(document.activeElement);
    action();
    if (!isInside) return;
    const ways = [opener, opener?.closest("details")?.querySelector("summary"), opener?.closest("[tabindex]"), main().querySelector("a[data-side]")];
    ways.find((each) => each?.isConnected && each.checkVisibility())?.focus({ preventScroll: true });
  }

  function keep(state) {
    try {
      localStorage.setItem(CLOSED, state);
    } catch {
      // There is no storage.
    }
  }

  function isClosed() {
    try {
      return localStorage.getItem(CLOSED) === "closed";
    } catch {
      return false;
    }
  }

  // With plenty of room, the people of the conversation.
  function rest() {
    const place = side();
    if (!place || opening || history.state?.parleySide) return;
    if (!PLENTY.matches || isClosed()) return void (place.hidden = true);
    if (place.hidden || place.dataset.source !== place.dataset.usual) parleyRefresh.ask("side", () => show(place.dataset.usual), { quiet: 0, gap: 0 });
  }

  addEventListener("click", (event) => {
    if (event.target.closest?.("#side-close")) return close();
    const link = event.target.closest?.("a[data-side]");
    if (!link || !side() || !ROOM.matches || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    for (const menu of document.querySelectorAll(".actions details[open]")) menu.open = false;
    if (link.href !== location.href) open(link.href, link);
  }, true);

  // To where one came from, if that is where the arrow leads: so that Back does not lead here again.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-back]"), entry = window.navigation?.currentEntry;
    const before = link && entry && navigation.entries()[entry.index - 1];
    if (!before || before.url !== link.href || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    history.back();
  }, true);

  // Before htmx, which would fetch the conversation anew.
  addEventListener("popstate", (event) => {
    const here = side() && main().dataset.source;
    if (!here) return;
    if (event.state?.parleySide) showOrLoad(event.state.address);
    else if (location.href === here) leaving(rest);
    else return;
    event.stopImmediatePropagation();
  });

  function look() {
    fill();
    arrange();
    rest();
  }

  addEventListener("DOMContentLoaded", look);
  addEventListener("htmx:afterSettle", ({ target }) => {
    if (target.closest?.("#side")) rename(target.closest("#side > *") ?? target);
    look();
  });
  addEventListener("parley:changed", arrange);
  addEventListener("resize", look);

  window.parleyPanes = Object.freeze({ asIn, freshOf, open: (address) => open(address) });
})();
