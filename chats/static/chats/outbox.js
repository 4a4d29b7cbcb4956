// The outbox: messages are sent one at a time per conversation, in order, and idempotently.
(() => {
  "use strict";

  // The server remembers a form's id (`name`) for a day: until then, a retry is idempotent.
  const NAME_LASTS = 20 * 3600_000, PATIENCE = 60_000, PAUSE = 5_000, LONGEST = 120_000;
  const user = document.body.dataset.user;
  const KEY = `parley.draft.${user}.outbox`;
  const draining = new Set(), again = new Set(), waiting = new Map(), settling = new Set();
  let inMemory = null, leaving = false, replyRequest = null;

  const composer = () => document.querySelector("#composer");
  const open = () => composer()?.dataset.conversation;

  function outbox() {
    if (inMemory) return inMemory;
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? [];
    } catch {
      return (inMemory = []);
    }
  }

  function keep(entries) {
    try {
      if (!inMemory && entries.length) localStorage.setItem(KEY, JSON.stringify(entries));
      else if (!inMemory) localStorage.removeItem(KEY);
    } catch {
      inMemory = entries;
    }
    if (inMemory) inMemory = entries;
    draw();
  }

  const isOffline = () => !navigator.onLine;
  const entriesOf = (conversation) => outbox().filter((entry) => entry.conversation === conversation);
  const change = (name, changes) => keep(outbox().map((each) => (each.name === name ? { ...each, ...changes } : each)));
  const drop = (names) => keep(outbox().filter(({ name }) => !names.includes(name)));

  function newName() {
    return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Clear the field as soon as its message is being sent: further text is the next message.
  function post(form) {
    const { content, form: name, parent } = form.elements;
    if (!content.value.trim()) return;
    const entry = {
      name: name.value, conversation: form.dataset.conversation, address: form.getAttribute("action"),
      parent: parent?.value ?? "", thread: form.dataset.thread ?? "", text: content.value, at: Date.now(), failed: "",
    };
    replyRequest = null;
    keep([...outbox(), entry]);
    parleyDrafts.forget(form);
    clear(form);
    parleyDrafts.move(form);
    parleyScroll.toEnd().catch(() => {});
    drain(entry.conversation);
  }

  function clear(form) {
    form.elements.content.value = "";
    form.elements.form.value = newName();
    if (form.dataset.thread) return stayInThread(form);
    form.elements.parent?.remove();
    form.querySelector(".answering")?.remove();
    form.querySelector("label").textContent = "Your message";
    form.elements.content.placeholder = "Write a message";
    form.elements.content.focus();
  }

  // The composer of a thread always answers something: see thread.js.
  function stayInThread(form) {
    delete form.dataset.chosen;
    form.querySelector("[data-follow]")?.remove();
    form.elements.content.focus();
  }

  // Note the reply at once: the response that shows it may take long.
  function startReply({ detail: { target, requestConfig: { verb, path }, xhr } }) {
    if (target.id !== "composer" || verb !== "get") return;
    replyRequest = { xhr, before: replyRequest ? replyRequest.before : parentOf(target) };
    answerTo(target, new URL(path, location.href).searchParams.get("reply"));
    if (target.elements.content.value) parleyDrafts.keep(target);
  }

  // Ignore the response to an earlier click, and one that arrives after the message was sent.
  function isLate({ target, requestConfig: { verb }, xhr }) {
    return target.id === "composer" && verb === "get" && xhr !== replyRequest?.xhr;
  }

  function endReply({ detail: { successful, xhr } }) {
    if (xhr !== replyRequest?.xhr) return;
    if (!successful && composer()) answerTo(composer(), replyRequest.before);
    replyRequest = null;
  }

  const parentOf = (form) => form.elements.parent?.value ?? null;

  function answerTo(form, parent) {
    form.elements.parent?.remove();
    if (parent) form.elements.form.after(make("input", { type: "hidden", name: "parent", value: parent }));
  }

  async function drain(conversation) {
    if (draining.has(conversation)) return void again.add(conversation);
    draining.add(conversation);
    const alone = (action) => navigator.locks?.request(`parley-send-${user}-${conversation}`, action) ?? action();
    while (await alone(() => sendFirst(conversation)));
    draining.delete(conversation);
    draw();
    // Asked for meanwhile, perhaps after the last look.
    if (again.delete(conversation)) await drain(conversation);
  }

  // Send the first message of a conversation; return whether the next one may follow.
  async function sendFirst(conversation) {
    const [entry] = entriesOf(conversation);
    if (!entry || entry.failed || waiting.has(conversation) || isOffline()) return false;
    try {
      return await answered(entry, await ask(entry));
    } catch {
      // Sent again when the browser is back: `online` below.
      return leaving || isOffline() ? false : failed(entry, parley.UNREACHED, 0);
    }
  }

  function ask({ address, name, text, parent }) {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
    return fetch(address, {
      method: "POST",
      headers: { "HX-Request": "true", "X-CSRFToken": token },
      body: new URLSearchParams({ form: name, content: text, ...(parent && { parent }) }),
      signal: AbortSignal.timeout?.(PATIENCE),
    });
  }

  async function answered(entry, answer) {
    const signInUrl = answer.headers.get("HX-Redirect");
    if (signInUrl) {
      location.assign(signInUrl);
      return false;
    }
    if (answer.ok) return sent(entry, answer.headers.get("Parley-Message"));
    if (answer.status === 429 || answer.status === 503) return wait(entry, parleyRefresh.pauseOf(answer));
    return failed(entry, parley.errorTextOf(await answer.text()), answer.status);
  }

  function sent(entry, id) {
    const { name, thread } = entry;
    settling.add(name);
    if (thread && id) goOn(entry, id);
    drop([name]);
    shown(entry, id).then(() => {
      settling.delete(name);
      draw();
    });
    return true;
  }

  function shown({ conversation, thread }, id) {
    if (conversation !== open()) return Promise.resolve();
    return thread && thread === composer().dataset.thread && id ? parleyThread.showSent(id) : parleyMessageList.showSent();
  }

  // What was written after it in the same thread answers it, and not what it answered: no fork.
  function goOn({ thread, parent }, id) {
    keep(outbox().map((each) => (each.thread === thread && each.parent === parent ? { ...each, parent: id } : each)));
    const form = composer(), isOpen = form?.dataset.thread === thread && !("chosen" in form.dataset);
    if (isOpen && form.elements.parent?.value === parent) form.elements.parent.value = id;
  }

  function wait({ conversation }, seconds) {
    const pause = Math.min(LONGEST, seconds * 1000 || PAUSE);
    const timer = setTimeout(() => {
      waiting.delete(conversation);
      drain(conversation);
    }, pause);
    waiting.set(conversation, timer);
    draw();
    return false;
  }

  // A message that was certainly not sent goes back into its field. One that may have been sent
  // keeps its id, unless the field has other text, so that a retry is idempotent.
  function failed(entry, reason, status) {
    const refused = status >= 400 && status < 500, gone = status === 404;
    const isOpen = entry.conversation === open() && !gone;
    const empty = !composer()?.elements.content.value;
    if (isOpen) parley.complain(reason);
    if (isOpen && entriesOf(entry.conversation).length === 1 && (refused || empty)) putBack([entry]);
    else change(entry.name, { failed: reason, refused, gone });
    if (gone) parleySession.checkMembership();
    return false;
  }

  async function putBack(entries) {
    const form = composer(), { content } = form.elements;
    const same = entries.length === 1 && !content.value;
    drop(entries.map(({ name }) => name));
    content.value = [...entries.map(({ text }) => text), content.value].filter(Boolean).join("\n");
    const parent = entries.map((entry) => entry.parent).find(Boolean);
    const answers = form.elements.parent?.value;
    if (parent && (form.dataset.thread ? answers !== parent : !answers)) await parleyDrafts.answer(form, parent);
    if (same) form.elements.form.value = entries[0].name;
    parleyDrafts.keep(form);
    if (document.activeElement === document.body) content.focus();
  }

  function tryAgain(conversation) {
    keep(outbox().map((each) => (each.conversation === conversation ? { ...each, failed: "", refused: false } : each)));
    drain(conversation);
  }

  function discard({ name, conversation }) {
    drop([name]);
    drain(conversation);
  }

  // The page was not left (a download began, for example): send again what was interrupted.
  function stayed() {
    leaving = false;
    drainAll();
  }

  function drainAll() {
    for (const conversation of new Set(outbox().map((each) => each.conversation))) drain(conversation);
  }

  // After an absence: send again, except messages that were refused or are too old for their ids.
  function resume() {
    const isOld = ({ at }) => Date.now() - at >= NAME_LASTS;
    const resumed = (each) => (isOld(each) ? { ...each, failed: "It is from another day.", refused: true } : { ...each, failed: "" });
    keep(outbox().map((each) => (each.refused ? each : resumed(each))));
    drainAll();
  }

  function draw() {
    drawRows();
    drawLost();
    dispatchEvent(new Event("parley:unsent"));
  }

  // The first unsent text in each conversation, by its id.
  function ofConversations() {
    return new Map([...outbox()].reverse().map(({ conversation, text }) => [conversation, text]));
  }

  // Refused messages whose conversation is not open: show them on every page until they are
  // discarded.
  function drawLost() {
    const lost = outbox().filter(({ conversation, refused, gone }) => refused && (gone || conversation !== open()));
    const key = lost.map(({ name }) => name).join();
    const shown = document.querySelector("#lost");
    if (shown?.dataset.key === key) return;
    shown?.remove();
    if (!lost.length) return;
    const section = make("section", { id: "lost", className: "card" });
    section.dataset.key = key;
    section.setAttribute("aria-label", lost.length === 1 ? "A message was not sent" : `${lost.length} messages were not sent`);
    section.append(make("h2", { textContent: section.ariaLabel }), ...lost.flatMap(lostEntry));
    document.querySelector("#main, main")?.prepend(section);
  }

  function lostEntry(entry) {
    const body = make("div", { className: "body", dir: "auto", textContent: entry.text });
    const buttons = make("p", { className: "buttons small" });
    if (navigator.clipboard) buttons.append(button("Copy", () => navigator.clipboard.writeText(entry.text)));
    if (!entry.gone) buttons.append(make("a", { className: "button plain", href: `/conversations/${entry.conversation}`, textContent: "Open its conversation" }));
    buttons.append(button("Discard", () => discard(entry)));
    return [make("p", { className: "quiet", textContent: entry.failed }), body, buttons];
  }

  // Show the unsent messages of the open conversation below its messages.
  function drawRows() {
    const list = document.querySelector("#messages[data-conversation], #unsent[data-conversation]");
    if (!list) return;
    const entries = entriesOf(list.dataset.conversation).filter(({ gone }) => !gone), names = new Set(entries.map(({ name }) => name));
    for (const row of list.querySelectorAll(".unsent")) {
      if (!names.has(row.dataset.name) && !settling.has(row.dataset.name)) row.remove();
    }
    entries.forEach((entry, place) => drawRow(rowOf(list, entry), entry, place === 0));
  }

  function rowOf(list, { name, text }) {
    const known = list.querySelector(`.unsent[data-name="${CSS.escape(name)}"]`);
    if (known) return known;
    const row = make("li", { className: "unsent" });
    row.dataset.name = name;
    const body = make("div", { className: "body", dir: "auto", textContent: text });
    row.append(body, make("p", { className: "under quiet" }));
    list.querySelector(".none-yet")?.remove();
    list.append(row);
    return row;
  }

  function stateOf({ conversation, failed: reason }, isFirst) {
    if (reason) return "Not sent";
    if (isFirst && draining.has(conversation)) return "Sending …";
    if (isOffline()) return "Waiting until you are online";
    if (waiting.has(conversation)) return "Waiting for the server …";
    return isFirst ? "Sending …" : "Waiting …";
  }

  function drawRow(row, entry, isFirst) {
    const { conversation, failed: reason } = entry, state = stateOf(entry, isFirst);
    const under = row.lastElementChild;
    if (under.dataset.state === state) return;
    under.dataset.state = state;
    if (state !== "Sending …") parleyAnnouncer.announce(`${state}: ${entry.text}`);
    row.classList.toggle("failed", Boolean(reason));
    under.replaceChildren(make("span", { textContent: state }));
    if (reason) under.append(...retries(conversation));
    else if (state !== "Sending …") under.append(button("Put back", () => putBack([entry])));
    // No "Discard" while a message is being sent: it may have arrived.
    if (state !== "Sending …") under.append(button("Discard", () => discard(entry)));
  }

  function retries(conversation) {
    const entries = () => entriesOf(conversation);
    return [
      button("Try again", () => tryAgain(conversation)),
      button(entries().length > 1 ? "Put back all" : "Put back", () => putBack(entries())),
    ];
  }

  const make = (name, properties) => Object.assign(document.createElement(name), properties);

  function button(textContent, action) {
    const made = make("button", { type: "button", className: "plain", textContent });
    made.addEventListener("click", action);
    return made;
  }

  addEventListener("submit", (event) => {
    if (event.target.id !== "composer") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    post(event.target);
  }, true);
  // After a double press the field is empty, which is no error.
  addEventListener("invalid", (event) => {
    if (event.target.form?.id !== "composer" || event.target.value) return;
    event.preventDefault();
    event.target.focus();
  }, true);
  addEventListener("htmx:beforeRequest", startReply);
  addEventListener("htmx:beforeSwap", ({ detail }) => isLate(detail) && (detail.shouldSwap = false));
  addEventListener("htmx:afterRequest", endReply);
  addEventListener("storage", ({ key }) => (key === KEY || key === null) && draw());
  addEventListener("htmx:afterSettle", draw);
  addEventListener("parley:left", draw);
  addEventListener("online", resume);
  addEventListener("offline", draw);
  addEventListener("pageshow", () => {
    leaving = false;
    resume();
  });
  // A request that leaving the page interrupts has not failed: the next page sends the message
  // again.
  addEventListener("pagehide", () => (leaving = true));
  addEventListener("beforeunload", (event) => {
    // Without storage, leaving would lose the messages.
    if (inMemory?.length) return event.preventDefault();
    leaving = true;
    setTimeout(stayed, PAUSE);
  });

  window.parleyOutbox = Object.freeze({ ofConversations, unsent: () => outbox().length });
})();
