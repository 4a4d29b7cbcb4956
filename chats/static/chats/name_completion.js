// Completes any part of a name: after "@" in a text, among those who can be mentioned; and in a field for
// usernames, among everybody. Without scripts usernames are typed.
(() => {
  "use strict";

  const LONGEST = 66, PAUSE = 150, LASTS = 30_000;
  const KINDS = {
    // As the server reads mentions: not within a word, an address or a path.
    mentions: {
      begun: /(?<![\p{Lu}\p{Ll}\p{N}_@\uff20\\/])[@\uff20]([^\s@\uff20]{0,64})$/u,
      label: "People to mention",
      write: (username) => `@${username} `,
    },
    person: { begun: /^\s*@?(\S.{0,63})$/u, label: "People with this name", write: (username) => username },
    people: { begun: /(?<=^|,)\s*@?([^\s,][^,]{0,63})$/u, label: "People with this name", write: (username, start) => `${start ? " " : ""}${username}, ` },
  };
  const answers = new Map();
  let shown = null, left = null, timer = null;

  const kindOf = (field) => field.matches?.("input, textarea") && Object.keys(KINDS).find((kind) => kind in field.dataset);

  function begunIn(field) {
    const { selectionStart: caret, selectionEnd: end, value } = field, kind = KINDS[kindOf(field)];
    const found = kind && caret === end && kind.begun.exec(value.slice(Math.max(0, caret - LONGEST), caret));
    return found ? { start: caret - found[0].length, typed: found[1] } : null;
  }

  const addressOf = (field, typed) => `${field.dataset[kindOf(field)]}?q=${encodeURIComponent(typed)}`;

  function known(field, typed) {
    const answer = answers.get(addressOf(field, typed));
    return answer && Date.now() - answer.at < LASTS ? answer.options : undefined;
  }

  // Whoever has none of the first letters in their names has none of the longer text either.
  const hasNone = (field, typed) => [...typed].some((_, length) => known(field, typed.slice(0, length)) === "");

  // A whole username needs no completion, and a list would lie over what comes next.
  const isWhole = (field, typed, options) => kindOf(field) !== "mentions" && options.toLowerCase().includes(`data-username="${typed.toLowerCase()}"`);

  function look() {
    clearTimeout(timer);
    const field = document.activeElement;
    const begun = begunIn(field ?? {});
    if (begun?.start !== left || !field.value) left = null;
    if (!begun || left !== null || hasNone(field, begun.typed)) return close();
    const options = known(field, begun.typed);
    if (options === undefined) timer = setTimeout(() => ask(field, begun.typed), PAUSE);
    else if (options && !isWhole(field, begun.typed, options)) show(field, begun, options);
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
    parleyAnnouncer.announce(`${count} ${count === 1 ? "person" : "people"} found. Enter takes the chosen one.`);
  }

  function open(field) {
    close();
    const list = Object.assign(document.createElement("ul"), { className: "options", id: `${field.id}-names`, role: "listbox" });
    list.setAttribute("aria-label", KINDS[kindOf(field)].label);
    list.addEventListener("click", ({ target }) => take(target.closest("[role=option]")));
    (field.closest(".field") ?? field.form).append(list);
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    shown = { field, list, box: parleyListbox.make(field, list), options: "", start: 0 };
  }

  function close() {
    if (!shown) return;
    shown.list.remove();
    if (shown.field.role === "combobox") shown.field.ariaExpanded = "false";
    for (const name of ["aria-autocomplete", "aria-controls", "aria-activedescendant"]) shown.field.removeAttribute(name);
    shown = null;
  }

  function take(option) {
    if (!option) return;
    const { field, start } = shown;
    field.setRangeText(KINDS[kindOf(field)].write(option.dataset.username, start), start, field.selectionEnd, "end");
    left = start;
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
  // Without scripts the whole username has to be typed. A text of several lines can be no combobox.
  function hint() {
    for (const field of document.querySelectorAll("input[data-person], input[data-people]")) {
      Object.assign(field, { placeholder: "Any part of a name", role: "combobox", ariaExpanded: String(field === shown?.field) });
    }
  }

  for (const type of ["DOMContentLoaded", "htmx:afterSettle", "parley:changed"]) addEventListener(type, hint);
  addEventListener("input", look);
  document.addEventListener("selectionchange", () => shown && look());
  addEventListener("focusout", ({ target }) => target === shown?.field && close());
})();
