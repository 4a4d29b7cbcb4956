// Enter sends and Shift+Enter breaks the line, or the other way round, as the person has set it. On
// touch keyboards Enter breaks the line: they have no Shift+Enter.
(() => {
  "use strict";

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
