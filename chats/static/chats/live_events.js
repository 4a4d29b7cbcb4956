// Live events: one tab holds the event stream and broadcasts to all tabs of the browser.
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
  const typingUsers = new Map();
  const sentAt = new Map();
  const due = new Set();
  let source = null, cursor = null, hiddenAt = null, leads = false, typedAt = 0, heard = 0;

  const isOpen = (conversation) => Number(parleyMessageList.list()?.dataset.conversation) === conversation;

  // Fetch fragments again that an event may have changed, all of a page by one request.
  // `data-live` names event types, or the part before the dot; an event of a message is one of its
  // conversation, too. `data-source` is the page of a part that stands beside another page.
  function refreshFragments(kind, conversation) {
    for (const fragment of document.querySelectorAll(`[data-live~="${kind}"][id]`)) {
      const about = Number(fragment.dataset.liveConversation ?? 0);
      if (!about || about === conversation) renewSoon(fragment.id);
    }
  }

  function renewSoon(id) {
    due.add(id);
    parleyRefresh.ask("fragments", renewFragments);
  }

  const sourceOf = (id) => document.getElementById(id)?.closest("[data-source]")?.dataset.source ?? location.href;

  async function renewFragments() {
    const sources = new Map();
    for (const id of ready()) sources.set(sourceOf(id), [...(sources.get(sourceOf(id)) ?? []), id]);
    await Promise.all([...sources].map(([source, ids]) => renewFrom(source, ids)));
  }

  async function renewFrom(source, ids) {
    const address = location.href, left = parleySession.leftCount();
    for (const id of ids) due.delete(id);
    try {
      const page = await parleyRefresh.fetchFragment(source);
      if (page === null || (source === address && address !== location.href)) return;
      if (left !== parleySession.leftCount()) return ids.forEach(renewSoon);
      const fresh = new DOMParser().parseFromString(page, "text/html");
      for (const id of ids) if (sourceOf(id) === source) renewFragment(document.getElementById(id), parleyPanes.freshOf(fresh, id));
      if (source === address) parley.retitle(fresh.title);
      dispatchEvent(new Event("parley:changed"));
    } catch (error) {
      for (const id of ids) due.add(id);
      throw error;
    }
  }

  // Do not replace a fragment in which a menu was opened or a button pressed during the request.
  function renewFragment(fragment, fresh) {
    if (!fragment || !fresh) return;
    if (fragment.querySelector(BUSY)) due.add(fragment.id);
    else parleyMessageList.announcingNew(fragment, () => parleyMorph.change(fragment, fresh));
  }

  // A fragment with an open menu is renewed when the menu closes. One with a running request is
  // renewed after it, since the response has to find its target.
  const MENUS = ".actions details[open], .confirm[open]", BUSY = `${MENUS}, .htmx-request`;
  const ready = () => [...due].filter((id) => !document.getElementById(id)?.querySelector(MENUS));

  function renewReady() {
    if (due.size && ready().length) parleyRefresh.ask("fragments", renewFragments);
  }

  addEventListener("toggle", renewReady, true);
  addEventListener("htmx:afterSettle", renewReady);
  addEventListener("htmx:afterRequest", () => setTimeout(renewReady));

  async function recount() {
    if (!document.querySelector("#unread")) return;
    const summary = await parleyRefresh.fetchFragment("/api/v1/inbox/summary");
    if (summary) parley.setUnread(JSON.parse(summary).badge_count);
  }

  function renewAll() {
    parleyMessageList.renew();
    for (const fragment of document.querySelectorAll("[data-live][id]")) renewSoon(fragment.id);
    parleyRefresh.ask("count", recount);
  }

  const handlers = {
    "message.created": ({ message }) => {
      typingUsers.delete(message.sender?.id);
      sentAt.set(message.sender?.id, Date.now());
      showTyping();
      if (isOpen(message.conversation_id)) {
        parleyMessageList.noteNew(message);
        parleyMessageList.fetchRange();
        parleyMessageList.answered(message.parent_message_id);
      }
      after(message.conversation_id);
    },
    "message.edited": ({ message }) => {
      if (isOpen(message.conversation_id)) parleyMessageList.changed(message.sequence);
      after(message.conversation_id);
    },
    "message.deleted": ({ conversation_id, message_id, sequence }) => {
      dispatchEvent(new CustomEvent("parley:deleted", { detail: message_id }));
      if (isOpen(conversation_id)) parleyMessageList.deleted(sequence);
      after(conversation_id);
    },
    "message.read": ({ conversation_id, from_sequence, up_to_sequence }) => {
      if (isOpen(conversation_id)) parleyMessageList.changed(from_sequence, up_to_sequence);
      after(conversation_id);
    },
    "conversation.reset": renewAll,
    "conversation.deleted": ({ conversation_id }) => {
      parleySession.leftConversation(conversation_id, "This conversation is gone");
      after(conversation_id);
    },
    "participant.removed": ({ conversation_id, user: { id } }) => {
      if (id === parleySession.person) parleySession.leftConversation(conversation_id, "You are no longer in this group");
      refreshFragments("participant", conversation_id);
      after(conversation_id);
    },
    "user.updated": renewAll,
    typing: ({ conversation_id, user: who, typing }) => {
      if (!isOpen(conversation_id)) return;
      typingUsers.delete(who.id);
      // A typing event may arrive after the message: ignore it.
      const sent = Date.now() - (sentAt.get(who.id) ?? 0) < TYPING_EVERY;
      if (typing && !sent) typingUsers.set(who.id, { name: nameOf(who), until: Date.now() + TYPING_LASTS });
      showTyping();
    },
    presence: ({ user: { id }, online }) => {
      for (const mark of document.querySelectorAll(`[data-presence="${id}"]`)) mark.hidden = !online;
    },
    ready: () => {},
    reset: renewAll,
    reconnect: () => {},
  };
  handlers["message.unread"] = (range) => {
    if (range.reader.id === parleySession.person) parleySeen.keepUnread(range.conversation_id, range.from_sequence, range.up_to_sequence);
    handlers["message.read"](range);
  };

  function after(conversation) {
    refreshFragments("message", conversation);
    refreshFragments("conversation", conversation);
    parleyRefresh.ask("count", recount);
  }

  function handle(type, data) {
    heard += 1;
    const handler = handlers[type];
    if (handler) return handler(data);
    const conversation = data.conversation?.id ?? data.conversation_id ?? 0;
    for (const kind of [type, type.split(".")[0]]) refreshFragments(kind, conversation);
    parleyRefresh.ask("count", recount);
  }

  // The page lists the users who share a display name; show their usernames, too.
  function nameOf({ id, username, display_name }) {
    const alike = [...document.querySelectorAll(".namesakes")].flatMap((each) => each.dataset.people.split(" "));
    return alike.includes(String(id)) ? `${display_name} @${username}` : display_name;
  }

  function showTyping() {
    const place = document.querySelector("#typing");
    if (!place) return;
    const now = Date.now();
    for (const [id, { until }] of typingUsers) if (until <= now) typingUsers.delete(id);
    const names = [...typingUsers.values()].map(({ name }) => name);
    const line =
      names.length === 0 ? "" :
      names.length === 1 ? `${names[0]} is writing …` :
      names.length === 2 ? `${names[0]} and ${names[1]} are writing …` : "Several people are writing …";
    if (place.textContent !== line) place.textContent = line;
    clearTimeout(showTyping.again);
    if (names.length) showTyping.again = setTimeout(showTyping, 1_000);
  }

  function received(event) {
    if (event.lastEventId) cursor = event.lastEventId;
    const data = JSON.parse(event.data || "{}");
    channel?.postMessage({ type: event.type, data, cursor });
    handle(event.type, data);
    if (event.type === "reconnect") connect();
  }

  function connect() {
    source?.close();
    source = new EventSource(cursor ? `${EVENTS}?after=${encodeURIComponent(cursor)}` : EVENTS);
    for (const type of TYPES) source.addEventListener(type, received);
    source.addEventListener("error", () => {
      parleySession.check();
      // Only if the server refused the stream: then the browser does not reconnect by itself.
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(connect.again);
      connect.again = setTimeout(connect, PATIENCE);
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
    // The connection may have broken unnoticed while the machine slept.
    if (slept && leads) connect();
    if (slept) parleyRefresh.ask("count", recount);
  }

  channel?.addEventListener("message", ({ data: { type, data, cursor: reached } }) => {
    cursor = reached ?? cursor;
    handle(type, data);
  });
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hiddenAt = Date.now();
    else woke();
  });
  addEventListener("online", () => {
    if (leads) connect();
    renewAll();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) renewAll();
  });
  addEventListener("input", (event) => {
    const place = parleyMessageList.list();
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

  // Whether this page receives events from now on (the tests wait for it), and how many it received.
  window.parleyLiveEvents = Object.freeze({ heard: () => heard, isConnected: () => Boolean(cursor), renew: renewSoon });
})();
