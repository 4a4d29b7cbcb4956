// Live events: one tab listens, all tabs of the browser hear it.
(() => {
  "use strict";

  const EVENTS = "/api/v1/events";
  const TYPES = [
    "message.created", "message.edited", "message.deleted", "message.read", "message.unread",
    "notification.created", "conversation.created", "conversation.updated", "conversation.deleted",
    "conversation.reset", "participant.added", "participant.removed", "user.updated",
    "typing", "presence", "ready", "reset", "reconnect",
  ];
  const SLEEP = 45_000, PATIENCE = 60_000, TYPING_EVERY = 3_000, TYPING_LASTS = 6_500;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("parley-events") : null;
  const typists = new Map();
  const spoke = new Map();
  const timers = new Map();
  let source = null, cursor = null, hiddenAt = null, leads = false, typedAt = 0;

  const user = () => Number(parleyTimeline.list()?.dataset.user ?? 0);
  const isOpen = (conversation) => Number(parleyTimeline.list()?.dataset.conversation) === conversation;

  function soon(name, deed, wait = 300) {
    clearTimeout(timers.get(name));
    timers.set(name, setTimeout(deed, wait));
  }

  // Parts that show what may have changed are fetched again, in place.
  function refreshParts(kind, conversation) {
    for (const part of document.querySelectorAll(`[data-live~="${kind}"]`)) {
      const about = Number(part.dataset.liveConversation ?? 0);
      if (!part.id || (about && about !== conversation)) continue;
      soon(part.id, () => renewPart(part.id));
    }
  }

  function renewPart(id) {
    const part = document.getElementById(id);
    if (!part || part.querySelector(".editing") || part.querySelector("details.actions[open]")) return;
    htmx.ajax("GET", location.href, { source: part, target: `#${id}`, select: `#${id}`, swap: "outerHTML" });
  }

  // What a button in it, just pressed, is answered with must still find its place.
  addEventListener("htmx:beforeSwap", (event) => {
    const { target: part, requestConfig } = event.detail;
    const renews = requestConfig.elt === part && "live" in part.dataset;
    if (!renews || !part.querySelector(".htmx-request")) return;
    event.detail.shouldSwap = false;
    soon(part.id, () => renewPart(part.id));
  });

  async function recount() {
    if (!document.querySelector("#unread")) return;
    const answer = await fetch("/api/v1/inbox/summary").catch(() => null);
    if (answer?.ok) parley.setUnread((await answer.json()).unread_count);
  }

  function everything() {
    parleyTimeline.renew();
    for (const part of document.querySelectorAll("[data-live][id]")) soon(part.id, () => renewPart(part.id));
    soon("count", recount);
  }

  const handlers = {
    "message.created": ({ message }) => {
      typists.delete(message.sender?.id);
      spoke.set(message.sender?.id, Date.now());
      showTypists();
      if (isOpen(message.conversation_id)) {
        if (message.sender?.id !== user()) parleyTimeline.unreadCame();
        parleyTimeline.take();
      }
      after(message.conversation_id);
    },
    "message.edited": ({ message }) => {
      if (isOpen(message.conversation_id)) parleyTimeline.changed(message.sequence);
      after(message.conversation_id);
    },
    "message.deleted": ({ conversation_id, sequence }) => {
      if (isOpen(conversation_id)) parleyTimeline.changed(sequence);
      after(conversation_id);
    },
    "message.read": ({ conversation_id, from_sequence, up_to_sequence }) => {
      if (isOpen(conversation_id)) parleyTimeline.changed(from_sequence, up_to_sequence);
      after(conversation_id);
    },
    "conversation.reset": everything,
    "conversation.deleted": ({ conversation_id }) => {
      if (isOpen(conversation_id)) location.assign("/conversations");
      refreshParts("conversation", conversation_id);
    },
    "user.updated": everything,
    typing: ({ conversation_id, user: who, typing }) => {
      if (!isOpen(conversation_id)) return;
      typists.delete(who.id);
      // What was typed may be told after it was sent.
      const sent = Date.now() - (spoke.get(who.id) ?? 0) < TYPING_EVERY;
      if (typing && !sent) typists.set(who.id, { name: who.display_name, until: Date.now() + TYPING_LASTS });
      showTypists();
    },
    presence: () => {},
    ready: () => {},
    reset: everything,
    reconnect: () => {},
  };
  handlers["message.unread"] = handlers["message.read"];

  function after(conversation) {
    refreshParts("message", conversation);
    refreshParts("conversation", conversation);
    soon("count", recount);
  }

  function hear(type, data) {
    const handler = handlers[type];
    if (handler) return handler(data);
    refreshParts(type.split(".")[0], data.conversation?.id ?? data.conversation_id ?? 0);
    soon("count", recount);
  }

  function showTypists() {
    const place = document.querySelector("#typing");
    if (!place) return;
    const now = Date.now();
    for (const [id, { until }] of typists) if (until <= now) typists.delete(id);
    const names = [...typists.values()].map(({ name }) => name);
    const line =
      names.length === 0 ? "" :
      names.length === 1 ? `${names[0]} is writing …` :
      names.length === 2 ? `${names[0]} and ${names[1]} are writing …` : "Several people are writing …";
    if (place.textContent !== line) place.textContent = line;
    if (names.length) soon("typists", showTypists, 1_000);
  }

  function received(event) {
    if (event.lastEventId) cursor = event.lastEventId;
    const data = JSON.parse(event.data || "{}");
    channel?.postMessage({ type: event.type, data, cursor });
    hear(event.type, data);
    if (event.type === "reconnect") connect();
  }

  function connect() {
    source?.close();
    source = new EventSource(cursor ? `${EVENTS}?after=${encodeURIComponent(cursor)}` : EVENTS);
    for (const type of TYPES) source.addEventListener(type, received);
    source.addEventListener("error", () => {
      // Refused, and not just broken off: the browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) soon("connect", connect, PATIENCE);
    });
  }

  function lead() {
    leads = true;
    connect();
    return new Promise(() => {});
  }

  function woke() {
    const slept = hiddenAt !== null && Date.now() - hiddenAt > SLEEP;
    hiddenAt = null;
    // A connection may have died unnoticed meanwhile.
    if (slept && leads) connect();
    if (slept) soon("count", recount);
  }

  channel?.addEventListener("message", ({ data: { type, data, cursor: reached } }) => {
    cursor = reached ?? cursor;
    hear(type, data);
  });
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hiddenAt = Date.now();
    else woke();
  });
  addEventListener("online", () => {
    if (leads) connect();
    everything();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) everything();
  });
  addEventListener("input", (event) => {
    const place = parleyTimeline.list();
    if (!place || !cursor) return;
    if (event.target.id !== "content" || !event.target.value || Date.now() - typedAt < TYPING_EVERY) return;
    typedAt = Date.now();
    const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
    fetch(place.dataset.typing, { method: "PUT", headers: { "X-CSRFToken": token } }).catch(() => {});
  });
  addEventListener("DOMContentLoaded", () => {
    if (navigator.locks) navigator.locks.request("parley-events", lead);
    else lead();
  });
})();
