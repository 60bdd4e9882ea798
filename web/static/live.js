// What a page does beyond plain HTML: focus on what is wrong, and updates that come by themselves.
"use strict";

document.querySelector("[data-focus]")?.focus();

// An element with data-live="/address" is told of changes by server-sent events, and asks every 30 s where they do not come.
for (const part of document.querySelectorAll("[data-live]")) {
  const changed = () => htmx.trigger(part, "changed");
  let asking = null;
  const ask = () => { asking ??= setInterval(changed, 30000); };
  if (!("EventSource" in window)) {
    ask();
    continue;
  }
  const events = new EventSource(part.dataset.live);
  events.addEventListener("open", () => { clearInterval(asking); asking = null; });
  events.addEventListener("changed", changed);
  events.addEventListener("error", ask);
}
