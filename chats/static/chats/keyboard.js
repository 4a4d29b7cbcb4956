// The keyboard: Enter or Shift+Enter sends, Ctrl+Enter submits a text, j and k or arrows move between messages (or cards of what
// waits), Escape goes back.
(() => {
  "use strict";

  const STILL = matchMedia("(prefers-reduced-motion: reduce)");
  const typing = (element) => element?.closest("input, textarea, select, [contenteditable]");
  const ROW = ".message, .waiting-card";
  const rowOf = (element) => element?.closest?.(ROW) ?? null;
  const all = () => [...document.querySelector("main").querySelectorAll(ROW)].filter((row) => row.offsetParent);

  // Where one reads, the keys begin: at the top of the screen, or at its bottom.
  function firstOnScreen(messages, step) {
    const screen = document.querySelector("#scroll")?.getBoundingClientRect() ?? { top: 0, bottom: innerHeight };
    const isShown = (message) => {
      const { top, bottom } = message.getBoundingClientRect();
      return bottom > screen.top && top < screen.bottom;
    };
    return step < 0 ? messages.findLast(isShown) : messages.find(isShown);
  }

  function move(step) {
    const messages = all();
    if (!messages.length) return false;
    const here = messages.indexOf(rowOf(document.activeElement));
    const next = here < 0 ? messages.indexOf(firstOnScreen(messages, step)) : here + step;
    const message = messages[Math.max(0, Math.min(messages.length - 1, next))];
    message.focus({ preventScroll: true });
    message.scrollIntoView({ block: "nearest" });
    return true;
  }

  function cancel() {
    const open = document.querySelector(".actions details[open]");
    const here = document.activeElement;
    const back = here?.closest(".in-place, .composer")?.querySelector("[data-cancel], .answering a") ?? here?.closest("#side")?.querySelector("#side-close");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (back) {
      back.click();
    } else {
      return false;
    }
    return true;
  }

  const act = (selector) => {
    const link = rowOf(document.activeElement)?.querySelector(selector);
    link?.click();
    return Boolean(link);
  };

  // What the page searches, or else the list beside it.
  function search() {
    const field = document.querySelector("#q") ?? document.querySelector("#list-q");
    field?.focus();
    return Boolean(field);
  }

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    r: () => act(".act:not([data-jump]), .reply > summary"),
    e: () => act(".done"),
    n: () => act(".skip-card"),
    u: () => Boolean(window.parleyThread?.nextUnread()),
    c: () => Boolean(document.querySelector("#content")?.focus() ?? document.querySelector("#content")),
    "?": () => Boolean(window.parleyKeys?.canOpen()) && Boolean(parleyKeys.open()),
    "/": () => search(),
  };
  const ARROWS = { ArrowDown: 1, ArrowUp: -1 };

  // The letter that the key has in a Latin layout, with Caps Lock too. In layouts of other
  // scripts, the letter at the same place on the keyboard.
  const OTHER_SCRIPT = /^(?!.*\p{Script=Latin})[\p{L}\p{M}]+$/u;

  function keyOf({ key, code, shiftKey }) {
    if (OTHER_SCRIPT.test(key)) {
      const place = code === "Slash" ? "/" : /^Key([A-Z])$/.exec(code)?.[1].toLowerCase();
      return shiftKey ? null : place;
    }
    const letter = key.toLowerCase();
    return shiftKey && /^[a-z]$/.test(letter) ? null : letter;
  }

  addEventListener("keydown", (event) => {
    // 229: an input method handles this key.
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || document.querySelector("dialog[open]")) return;
    const modified = event.ctrlKey || event.metaKey || event.altKey || event.getModifierState("AltGraph");
    const key = keyOf(event);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest?.("form:has(textarea)");
      if (form) {
        event.preventDefault();
        form.requestSubmit();
      }
      return;
    }
    if (event.key === "Escape" && cancel()) return event.preventDefault();
    if (modified || typing(event.target)) return;
    const done = Object.hasOwn(KEYS, key)
      ? KEYS[key]()
      : event.key in ARROWS && rowOf(event.target) === event.target && move(ARROWS[event.key]);
    if (done) event.preventDefault();
  });

  // Close open menus when the user clicks elsewhere; a key (a click of no button) leaves the focus at the menu.
  addEventListener("click", (event) => {
    for (const open of document.querySelectorAll(".actions details[open]")) {
      const chosen = open.contains(event.target) && event.target.closest(".menu a");
      if (open.contains(event.target) && !chosen) continue;
      open.open = false;
      if (chosen && !event.detail) open.querySelector("summary").focus({ preventScroll: true });
    }
  });

  // If the message is on this page, scroll to it instead of loading a page.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-jump]");
    const message = link && document.getElementById(link.dataset.jump);
    if (!message || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    for (let above = message.parentElement; above; above = above.parentElement) {
      if (above.tagName === "DETAILS") above.open = true;
    }
    message.scrollIntoView({ block: "center" });
    message.focus({ preventScroll: true, focusVisible: STILL.matches });
    if (!STILL.matches) message.animate([{ outline: "3px solid var(--accent)" }, { outline: "3px solid transparent" }], 1600);
  }, true);

  // Enter sends and Shift+Enter breaks the line, or the other way round, as the person has set it. On touch
  // keyboards Enter breaks the line: they have no Shift+Enter.
  const touch = matchMedia("(hover: none) and (pointer: coarse)");

  addEventListener("keydown", (event) => {
    const { key, target, shiftKey } = event, sends = target.dataset?.sendKey;
    // 229: an input method handles this key.
    if (key !== "Enter" || !sends || event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    if (touch.matches || event.ctrlKey || event.metaKey || event.altKey) return;
    if (shiftKey !== (sends === "shift_enter")) return;
    event.preventDefault();
    if (!event.repeat) target.form.requestSubmit();
  });
})();
