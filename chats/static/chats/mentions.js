// Completes "@" and any part of a name among those who can be mentioned.
(() => {
  "use strict";

  // As the server reads mentions: not within a word, an address or a path.
  const BEGUN = /(?<![\p{Lu}\p{Ll}\p{N}_@\uff20\\/])[@\uff20]([^\s@\uff20]{0,64})$/u;
  const LONGEST = 66, PAUSE = 150, LASTS = 30_000;
  const answers = new Map();
  let shown = null, left = null, timer = null;

  function begunIn(field) {
    const { selectionStart: caret, selectionEnd: end, value } = field;
    const found = caret === end && BEGUN.exec(value.slice(Math.max(0, caret - LONGEST), caret));
    return found ? { start: caret - found[0].length, typed: found[1] } : null;
  }

  const addressOf = (field, typed) => `${field.dataset.mentions}?q=${encodeURIComponent(typed)}`;

  function known(field, typed) {
    const answer = answers.get(addressOf(field, typed));
    return answer && Date.now() - answer.at < LASTS ? answer.options : undefined;
  }

  // Whoever has none of the first letters in their names has none of the longer text either.
  const hasNone = (field, typed) => [...typed].some((_, length) => known(field, typed.slice(0, length)) === "");

  function look() {
    clearTimeout(timer);
    const field = document.activeElement;
    const begun = field?.dataset?.mentions ? begunIn(field) : null;
    if (begun?.start !== left) left = null;
    if (!begun || left !== null || hasNone(field, begun.typed)) return close();
    const options = known(field, begun.typed);
    if (options === undefined) timer = setTimeout(() => ask(field, begun.typed), PAUSE);
    else if (options) show(field, begun, options);
    else close();
  }

  async function ask(field, typed) {
    const address = addressOf(field, typed);
    const options = await parleyRefresh.fetchFragment(address).catch(() => null);
    if (options === null) return;
    answers.set(address, { options: options.trim(), at: Date.now() });
    look();
  }

  function show(field, { start }, options) {
    if (shown?.field !== field || !shown.list.isConnected) open(field);
    shown.start = start;
    if (shown.options === options) return;
    shown.options = options;
    const count = shown.box.fill(options);
    parleyAnnouncer.announce(`${count} ${count === 1 ? "person" : "people"} to mention. Enter takes the chosen one.`);
  }

  function open(field) {
    close();
    const list = Object.assign(document.createElement("ul"), { className: "options", id: `${field.id}-mentions`, role: "listbox" });
    list.setAttribute("aria-label", "People to mention");
    list.addEventListener("click", ({ target }) => take(target.closest("[role=option]")));
    field.form.append(list);
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    shown = { field, list, box: parleyListbox.make(field, list), options: "", start: 0 };
  }

  function close() {
    if (!shown) return;
    shown.list.remove();
    for (const name of ["aria-autocomplete", "aria-controls", "aria-activedescendant"]) shown.field.removeAttribute(name);
    shown = null;
  }

  function take(option) {
    if (!option) return;
    const { field, start } = shown;
    field.setRangeText(`@${option.dataset.username} `, start, field.selectionEnd, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function leave() {
    left = shown.start;
    close();
  }

  const KEYS = {
    ArrowDown: () => shown.box.move(1),
    ArrowUp: () => shown.box.move(-1),
    Enter: () => take(shown.box.active()),
    Tab: () => take(shown.box.active()),
    Escape: leave,
  };

  addEventListener("keydown", (event) => {
    if (event.target !== shown?.field || !shown.list.isConnected || event.isComposing || event.keyCode === 229) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    KEYS[event.key]();
  }, true);
  addEventListener("input", look);
  document.addEventListener("selectionchange", () => shown && look());
  addEventListener("focusout", ({ target }) => target === shown?.field && close());
})();
