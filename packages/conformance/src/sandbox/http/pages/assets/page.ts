/**
 * Where the sections stand in one row that is wider than the window: the one that is shown is brought into sight. What was done is
 * said once: to read the page again does not say it again.
 */
export const PAGE: string = `(() => {
  'use strict';
  const row = document.querySelector('.side nav');
  const current = row?.querySelector('[aria-current]');
  if (current && row.scrollWidth > row.clientWidth)
    row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  const done = document.querySelector('[data-done]');
  if (done) {
    done.focus({ preventScroll: true });
    const url = new URL(location.href);
    url.searchParams.delete('done');
    history.replaceState(null, '', url);
  }
})();
`;
