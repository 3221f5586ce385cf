/**
 * Follows what comes: at each change the page is fetched again, and what is marked as data-live is put in the place of
 * what was there. A page that is not seen follows nothing: a browser has but six connections to one server.
 */
export const LIVE: string = `(() => {
  'use strict';
  const regions = () => [...document.querySelectorAll('[data-live]')];
  if (regions().length === 0 || !('EventSource' in window)) return;
  const said = document.querySelector('[data-live-said]');
  let source, timer, busy = false, again = false, opened = false, pause = 200;

  const restore = (region, key) => {
    if (!key) return;
    for (const element of region.querySelectorAll('a[href], button, [tabindex]'))
      if (keyOf(element) === key) return element.focus({ preventScroll: true });
  };
  const keyOf = (element) => element.id || element.getAttribute('href') || element.getAttribute('aria-label');

  const swap = (next) => {
    for (const region of regions()) {
      const fresh = next.querySelector('[data-live="' + region.dataset.live + '"]');
      if (!fresh || fresh.innerHTML === region.innerHTML) continue;
      const focused = region.contains(document.activeElement) ? keyOf(document.activeElement) : undefined;
      const open = [...region.querySelectorAll('details[open][id]')].map(({ id }) => id);
      const before = region.dataset.liveCount;
      for (const { name, value } of fresh.attributes) region.setAttribute(name, value);
      region.replaceChildren(...fresh.childNodes);
      for (const id of open) {
        const details = document.getElementById(id);
        if (details) details.open = true;
      }
      restore(region, focused);
      if (said && region.dataset.liveCount !== before) said.textContent = region.dataset.liveCount;
      region.dispatchEvent(new CustomEvent('live', { bubbles: true }));
    }
  };

  const refresh = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const begun = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      else if (answer.status === 404) stop();
    } catch {
      // The sandbox is gone, or comes back: EventSource finds that out.
    }
    busy = false;
    // What takes long is not asked for all the time.
    pause = Math.max(200, 3 * (performance.now() - begun));
    if (again) later();
  };
  let late;
  const changed = () => {
    later();
    // What follows from it without being told of: an answer to a callback.
    clearTimeout(late);
    late = setTimeout(refresh, 1500);
  };
  const later = () => {
    again = false;
    timer ??= setTimeout(() => {
      timer = undefined;
      refresh();
    }, pause);
  };

  const start = () => {
    if (source) return;
    source = new EventSource('/api/stream');
    source.addEventListener('open', () => {
      // What happened while nobody listened.
      if (opened) later();
      opened = true;
      document.documentElement.dataset.following = 'yes';
    });
    for (const kind of ['message', 'event', 'refused', 'trouble', 'forgotten', 'reset']) source.addEventListener(kind, changed);
  };
  const stop = () => {
    source?.close();
    source = undefined;
  };
  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
  addEventListener('pagehide', stop);
  addEventListener('pageshow', ({ persisted }) => persisted && start());
  if (!document.hidden) start();
})();
`;
