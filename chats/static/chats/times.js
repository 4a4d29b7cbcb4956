// Times relative, the exact one in the reader's zone on hover; date lines in that zone too.
(() => {
  "use strict";

  const MINUTE = 60, HOUR = 3600, DAY = 86400;
  const language = document.documentElement.lang || undefined;
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const thisYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const otherYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
  const longDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

  function ago(when, now) {
    const seconds = (when - now) / 1000, past = -seconds;
    if (Math.abs(past) < 45) return "now";
    if (past > 0 && past < HOUR) return relative.format(Math.round(seconds / MINUTE), "minute");
    if (past > 0 && past < 12 * HOUR) return relative.format(Math.round(seconds / HOUR), "hour");
    if (past > 0 && past < 6 * DAY) return relative.format(-daysBetween(when, now), "day");
    return (when.getFullYear() === now.getFullYear() ? thisYear : otherYear).format(when);
  }

  function midnight(when) {
    return new Date(when.getFullYear(), when.getMonth(), when.getDate());
  }

  function daysBetween(when, now) {
    return Math.round((midnight(now) - midnight(when)) / (DAY * 1000));
  }

  function show(time, now) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) return;
    const text = time.closest("[data-clock]") ? clock.format(when) : ago(when, now);
    if (time.textContent !== text) time.textContent = text;
    if (!time.title) time.title = exact.format(when);
  }

  function dayName(when, now) {
    const days = daysBetween(when, now);
    return days === 0 ? "Today" : days === 1 ? "Yesterday" : longDay.format(when);
  }

  // The server draws date lines by UTC, which is all it knows.
  function drawDays(list, now) {
    for (const line of list.querySelectorAll(".day")) line.remove();
    let last = null;
    for (const message of list.querySelectorAll(".message")) {
      const time = message.querySelector("time");
      if (!time) continue;
      const when = new Date(time.dateTime);
      const day = midnight(when).getTime();
      if (day === last) continue;
      last = day;
      const line = document.createElement("li");
      line.className = "day";
      line.append(Object.assign(document.createElement("span"), { textContent: dayName(when, now) }));
      message.before(line);
    }
  }

  function refresh() {
    const now = new Date();
    for (const list of document.querySelectorAll("[data-days]")) drawDays(list, now);
    for (const time of document.querySelectorAll("time[datetime]")) show(time, now);
  }

  addEventListener("DOMContentLoaded", refresh);
  addEventListener("htmx:afterSettle", refresh);
  addEventListener("parley:changed", refresh);
  setInterval(refresh, 30_000);
})();
