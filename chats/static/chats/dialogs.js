// Two dialogs. Ctrl+K leads to any person, group or command: its options are those of the page /go. "?" shows
// the keys: what the page of them shows.
(() => {
  "use strict";

  const PAUSE = 120;
  const MARKUP = `
    <label for="go-field">Go to a person, a group or a command</label>
    <input id="go-field" type="text" role="combobox" aria-expanded="false" aria-autocomplete="list" aria-controls="go-options"
      autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="64" placeholder="Any part of a name">
    <ul class="options" id="go-options" role="listbox" aria-label="Where to go" hidden></ul>
    <p class="quiet" role="status"></p>`;
  let dialog = null, field = null, box = null, timer = null, asked = null, isDue = false;

  function open() {
    if (document.querySelector("dialog[open]")) return;
    dialog = Object.assign(document.createElement("dialog"), { id: "go", className: "card", innerHTML: MARKUP });
    dialog.setAttribute("aria-label", "Go to");
    document.body.append(dialog);
    field = dialog.querySelector("input");
    const list = dialog.querySelector("ul");
    box = parleyListbox.make(field, list);
    field.addEventListener("input", askSoon);
    field.addEventListener("keydown", pressed);
    list.addEventListener("click", ({ target }) => follow(target.closest("[role=option]")));
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    dialog.addEventListener("close", ({ target }) => target.remove());
    dialog.showModal();
    isDue = false;
    ask();
  }

  function askSoon() {
    clearTimeout(timer);
    asked = {};
    timer = setTimeout(ask, PAUSE);
  }

  // Answers to what was typed before are not shown; Enter waits for the last one.
  async function ask() {
    const mine = (asked = {}), address = `${addressOfPage()}?q=${encodeURIComponent(field.value.trim())}`;
    const options = await parleyRefresh.fetchFragment(address).catch(() => null);
    if (mine !== asked || !dialog.open) return;
    const count = options === null ? 0 : box.fill(options);
    tell(options === null ? parley.UNREACHED : count ? "" : "Nothing is named like this.");
    asked = null;
    const follows = isDue && options !== null;
    isDue = false;
    if (follows) follow(box.active());
  }

  const addressOfPage = () => document.querySelector("a[data-go]").getAttribute("href");

  function tell(text) {
    dialog.querySelector("[role=status]").textContent = text;
  }

  function follow(option) {
    if (!option) return;
    dialog.close();
    if (option.dataset.form) document.querySelector(`form[action="${option.dataset.form}"]`).requestSubmit();
    else location.assign(option.dataset.href);
  }

  function enter() {
    if (asked) isDue = true;
    else follow(box.active());
  }

  const KEYS = { ArrowDown: () => box.move(1), ArrowUp: () => box.move(-1), Enter: enter };

  function pressed(event) {
    if (event.isComposing || event.keyCode === 229 || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  }

  // In layouts of other scripts, the key at the place of K.
  const isK = ({ key, code }) => key.toLowerCase() === "k" || (code === "KeyK" && !/[a-z]/i.test(key));

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.shiftKey || event.altKey || event.ctrlKey === event.metaKey || !isK(event)) return;
    if (!document.querySelector("a[data-go]")) return;
    event.preventDefault();
    open();
  });
  addEventListener("click", (event) => {
    if (!event.target.closest?.("a[data-go]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    open();
  }, true);

  const keysLink = () => document.querySelector("a[data-keys]");

  async function openKeys() {
    const keys = await parleyRefresh.fetchFragment(keysLink().getAttribute("href")).catch(() => null);
    if (keys === null) return parley.complain(parley.UNREACHED);
    if (document.querySelector("dialog[open]")) return;
    const dialog = Object.assign(document.createElement("dialog"), { id: "keys", className: "card", innerHTML: keys });
    dialog.setAttribute("aria-label", "Keys");
    const close = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Close", autofocus: true });
    close.addEventListener("click", () => dialog.close());
    // At its head: it has the focus, and one reads from there.
    dialog.prepend(Object.assign(document.createElement("p"), { className: "side-head" }));
    dialog.firstElementChild.append(close);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  }

  addEventListener("click", (event) => {
    if (!event.target.closest?.("a[data-keys]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    openKeys();
  }, true);

  window.parleyKeys = Object.freeze({ canOpen: () => Boolean(keysLink()), open: openKeys });
})();
