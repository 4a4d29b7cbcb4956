// The keyboard: Ctrl+Enter sends, j and k or arrows move between messages, Escape goes back.
(() => {
  "use strict";

  const typing = (element) => element?.closest("input, textarea, select, [contenteditable]");
  const all = () => [...document.querySelectorAll("main .message")].filter((message) => message.offsetParent);

  function move(step) {
    const messages = all();
    if (!messages.length) return false;
    const here = messages.indexOf(document.activeElement?.closest(".message"));
    const next = here < 0 ? (step < 0 ? messages.length - 1 : 0) : here + step;
    const message = messages[Math.max(0, Math.min(messages.length - 1, next))];
    message.focus({ preventScroll: true });
    message.scrollIntoView({ block: "nearest" });
    return true;
  }

  function cancel() {
    const open = document.querySelector(".actions details[open]");
    const back = document.activeElement?.closest(".in-place, .composer")?.querySelector("[data-cancel], .answering a");
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
    const link = document.activeElement?.closest(".message")?.querySelector(selector);
    link?.click();
    return Boolean(link);
  };

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    r: () => act(".act"),
    c: () => Boolean(document.querySelector("#content")?.focus() ?? document.querySelector("#content")),
    "/": () => Boolean(document.querySelector("#q")?.focus() ?? document.querySelector("#q")),
  };
  const ARROWS = { ArrowDown: 1, ArrowUp: -1 };

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const modified = event.ctrlKey || event.metaKey || event.altKey;
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
    const done = Object.hasOwn(KEYS, event.key)
      ? KEYS[event.key]()
      : event.key in ARROWS && event.target.closest?.(".message") === event.target && move(ARROWS[event.key]);
    if (done) event.preventDefault();
  });

  // One menu at a time, and none once something else is pressed.
  addEventListener("click", (event) => {
    for (const open of document.querySelectorAll(".actions details[open]")) {
      if (!open.contains(event.target) || event.target.closest(".menu a")) open.open = false;
    }
  });

  // To a message that is here already, one need not travel.
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
    message.focus({ preventScroll: true });
    message.animate([{ boxShadow: "0 0 0 3px var(--accent)" }, { boxShadow: "none" }], 1600);
  }, true);
})();
