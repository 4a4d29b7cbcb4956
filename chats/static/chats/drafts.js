// Drafts: unsent text is kept for each user and form, until it is sent or discarded. session.js
// deletes it at sign-out.
(() => {
  "use strict";

  const PREFIX = "parley.draft.", LASTS = 30 * 24 * 3600_000, TAB = "parley.tab";
  const FIELDS = "textarea, select, input:not([type=hidden], [type=password], [type=search], [type=file], [type=submit])";
  // Hidden fields to keep: the version that an edit starts from, and the form's id, which makes it
  // idempotent.
  const HIDDEN = ["version", "form"];
  const user = document.body.dataset.user;
  const tab = tabName();
  const restored = new WeakSet(), adopted = new WeakMap(), keys = new WeakMap(), places = new WeakMap();

  // In private windows storage may throw; pages work without it.
  function storage(action) {
    try {
      return action(localStorage);
    } catch {
      return null;
    }
  }

  // A tab keeps its name when it is reloaded; a duplicated tab gets a new one.
  function tabName() {
    const name = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16)).join("");
    try {
      const known = sessionStorage.getItem(TAB) ?? name;
      sessionStorage.removeItem(TAB);
      addEventListener("pagehide", () => sessionStorage.setItem(TAB, known));
      return known;
    } catch {
      return name;
    }
  }

  const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.matches(FIELDS));
  const isKept = (form) => Boolean(user) && form.method === "post" && fieldsOf(form).length > 0;
  const ticks = (field) => field.type === "checkbox" || field.type === "radio";

  function isChanged(field) {
    if (field.matches("select")) return [...field.options].some((option) => option.selected !== option.defaultSelected && field.value !== firstOf(field));
    return ticks(field) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  }

  const firstOf = (select) => ([...select.options].find((option) => option.defaultSelected) ?? select.options[0])?.value;
  const isTouched = (form) => fieldsOf(form).some(isChanged);

  // The composer's key includes the message that is replied to, or the thread that it is in; the keys of two forms on one page
  // differ by kind, or by part.
  function keyOf(form) {
    const parent = form.elements.parent?.value, { thread } = form.dataset;
    if (thread) return `${form.getAttribute("action")}!${thread}`;
    if (form.id === "composer") return form.getAttribute("action") + (parent ? `@${parent}` : "");
    if (!keys.has(form)) {
      const { pathname } = new URL(form.getAttribute("action") || location.href, location.href);
      const part = (form.elements.kind ?? form.elements.part)?.value;
      keys.set(form, pathname + (part ? `!${part}` : ""));
    }
    return keys.get(form);
  }

  const slotOf = (form) => `${PREFIX}${user}.${keyOf(form)}#${tab}`;

  function read(slot) {
    try {
      return JSON.parse(storage((kept) => kept.getItem(slot)));
    } catch {
      return null;
    }
  }

  function remove(slot) {
    storage((kept) => kept.removeItem(slot));
  }

  // Each tab writes to a slot of its own, so that two tabs do not overwrite each other's drafts.
  function keep(form) {
    if (!isKept(form)) return;
    move(form);
    if (isTouched(form)) store(form);
    else forget(form);
  }

  function store(form) {
    const values = Object.fromEntries(fieldsOf(form).map((field) => [field.name, ticks(field) ? field.checked : field.value]));
    const hidden = Object.fromEntries(HIDDEN.map((name) => [name, form.elements[name]?.value]));
    const record = { values, hidden, parent: form.elements.parent?.value, at: Date.now(), from: adopted.get(form) };
    storage((kept) => kept.setItem(slotOf(form), JSON.stringify(record)));
  }

  // When the composer becomes a reply, or is none any more, its text moves to the new key, after
  // the text kept there.
  function move(form) {
    const from = places.get(form), slot = slotOf(form), there = read(slot);
    if (!from || from === slot) return;
    places.set(form, slot);
    if (!form.elements.parent) dropReply();
    if (isTouched(form)) remove(from);
    if (there && !holds(form, there)) append(form.elements.content, there.values.content);
    if (isTouched(form)) store(form);
  }

  // Change the address, so that a reload shows the composer as it is now.
  function dropReply() {
    const address = new URL(location.href);
    if (!address.searchParams.has("reply")) return;
    address.searchParams.delete("reply");
    history.replaceState(history.state, "", address);
  }

  function append(field, words) {
    field.value = [words, field.value].filter(Boolean).join("\n");
  }

  function forget(form) {
    for (const slot of [slotOf(form), places.get(form)]) if (slot) remove(slot);
    const from = adopted.get(form);
    if (from && read(from.slot)?.at === from.at) remove(from.slot);
    adopted.delete(form);
    form.querySelector(".restored")?.remove();
  }

  function slots(form) {
    const start = `${PREFIX}${user}.${keyOf(form)}`;
    const all = storage((kept) => Object.keys(kept)) ?? [];
    return all.filter((slot) => slot.startsWith(start) && "#@".includes(slot[start.length]));
  }

  // This tab's own draft, or else the newest draft of another tab that no tab has taken over.
  function found(form) {
    const records = slots(form).map((slot) => ({ slot, record: read(slot) })).filter(({ record }) => record);
    const taken = records.map(({ record }) => record.from).filter(Boolean);
    const left = records.filter(({ slot, record }) => !taken.some((from) => from.slot === slot && from.at === record.at));
    const newest = (some) => some.sort((one, other) => other.record.at - one.record.at)[0];
    return newest(left.filter(({ slot }) => slot.endsWith(`#${tab}`))) ?? newest(left);
  }

  async function restore(form) {
    if (restored.has(form) || !isKept(form)) return;
    restored.add(form);
    const draft = found(form);
    places.set(form, slotOf(form));
    if (!draft || isTouched(form)) return;
    if (draft.slot.endsWith(`#${tab}`)) places.set(form, draft.slot);
    else adopted.set(form, { slot: draft.slot, at: draft.record.at });
    // A refused form already has the text, and a newer version of the message.
    if (holds(form, draft.record)) return;
    fill(form, draft.record);
    const { parent } = draft.record, answers = form.elements.parent?.value;
    if (parent && (form.dataset.thread ? answers !== parent : !answers)) await answer(form, parent);
    setHidden(form, draft.record);
    if (form.id !== "composer") note(form);
  }

  const holds = (form, { values }) => fieldsOf(form).every((field) => (ticks(field) ? field.checked : field.value) === values[field.name]);

  function fill(form, { values }) {
    for (const field of fieldsOf(form)) {
      if (!(field.name in values)) continue;
      if (ticks(field)) field.checked = values[field.name];
      else field.value = values[field.name];
    }
  }

  function setHidden(form, { hidden }) {
    for (const name of HIDDEN) if (hidden?.[name] && form.elements[name]) form.elements[name].value = hidden[name];
  }

  // Turn the form into a reply, and keep its text.
  async function answer(form, parent) {
    const { thread } = form.dataset, query = new URLSearchParams({ reply: parent, ...(thread && { thread }) });
    const address = `${form.getAttribute("action").replace(/send$/, "composer")}?${query}`;
    const reply = await parleyRefresh.fetchFragment(address).catch(() => null);
    if (!form.isConnected || (form.elements.parent && !thread)) return;
    const fresh = reply && new DOMParser().parseFromString(reply, "text/html").querySelector("#composer");
    if (fresh) parleyMorph.change(form, fresh);
    else parley.complain("What you were replying to cannot be shown. Your words are in the field.");
  }

  function note(form) {
    if (form.querySelector(".restored")) return;
    const line = document.createElement("p");
    line.className = "restored quiet";
    line.setAttribute("role", "status");
    const discard = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Discard" });
    discard.addEventListener("click", () => {
      form.reset();
      forget(form);
      fieldsOf(form)[0].focus();
    });
    line.append("Not saved yet: what you had typed is back. ", discard);
    form.append(line);
  }

  // Mark messages with an unfinished edit, so that the user can continue it.
  function markEdits() {
    for (const old of document.querySelectorAll(".unsaved")) old.remove();
    const start = `${PREFIX}${user}./messages/`;
    for (const slot of storage((kept) => Object.keys(kept)) ?? []) {
      const id = slot.startsWith(start) && slot.slice(start.length).match(/^(\d+)\/edit#/)?.[1];
      if (id) markEdit(document.getElementById(`m${id}`));
    }
  }

  function markEdit(message) {
    const link = message?.querySelector('.menu a[href$="/edit"]')?.cloneNode();
    if (!link || message.querySelector(".unsaved")) return;
    link.textContent = "Go on with your edit";
    const line = Object.assign(document.createElement("p"), { className: "unsaved" });
    line.append("Not saved yet. ", link);
    message.querySelector(".says").append(line);
    htmx.process(line);
  }

  // What was begun in each conversation, by its id.
  function ofConversations() {
    const start = `${PREFIX}${user}./conversations/`, newest = new Map();
    for (const slot of storage((kept) => Object.keys(kept)) ?? []) {
      const id = slot.startsWith(start) && slot.slice(start.length).match(/^(\d+)\/send[@#!]/)?.[1];
      const record = id ? read(slot) : null;
      if (record?.values.content?.trim() && !(newest.get(id)?.at > record.at)) newest.set(id, record);
    }
    return new Map([...newest].map(([id, { values }]) => [id, values.content]));
  }

  function removeWhere(isGone) {
    for (const slot of storage((kept) => Object.keys(kept)) ?? []) {
      if (slot.startsWith(PREFIX) && isGone(slot)) remove(slot);
    }
  }

  const prune = () => removeWhere((slot) => slot.includes("#") && !(Date.now() - read(slot)?.at < LASTS));

  function restoreAll() {
    const composer = document.querySelector("#composer");
    if (restored.has(composer)) move(composer);
    for (const form of document.forms) restore(form);
    markEdits();
  }

  // The draft was sent in another tab, or the user signed out there: clear it here, too.
  function goneElsewhere({ key, oldValue, newValue }) {
    if (newValue || !key?.startsWith(PREFIX) || !key.includes("#")) return;
    for (const form of document.forms) {
      const isOf = isKept(form) && [slotOf(form), adopted.get(form)?.slot].includes(key);
      if (!isOf || !holds(form, JSON.parse(oldValue))) continue;
      form.reset();
      forget(form);
    }
    markEdits();
  }

  addEventListener("input", ({ target }) => target.form && keep(target.form));
  addEventListener("change", ({ target }) => target.form && keep(target.form));
  // The form is done, unless the response shows it again with errors.
  addEventListener("htmx:afterRequest", ({ detail: { requestConfig: { elt }, successful, xhr } }) => {
    const isForm = elt.matches?.("form[method=post]") && isKept(elt);
    if (isForm && successful && !/class="errorlist|role="alert"/.test(xhr.responseText)) forget(elt);
  });
  // Cancel discards the draft; Escape closes the form and keeps it.
  addEventListener("click", (event) => {
    const form = event.isTrusted && event.target.closest?.("[data-cancel]")?.closest("form");
    if (form) forget(form);
  }, true);
  addEventListener("parley:deleted", ({ detail: id }) => {
    removeWhere((slot) => slot.startsWith(`${PREFIX}${user}./messages/${id}/edit#`));
  });
  addEventListener("storage", goneElsewhere);
  addEventListener("DOMContentLoaded", () => {
    prune();
    restoreAll();
  });
  addEventListener("htmx:afterSettle", restoreAll);
  addEventListener("parley:changed", restoreAll);

  window.parleyDrafts = Object.freeze({ answer, forget, keep, move, ofConversations });
})();
