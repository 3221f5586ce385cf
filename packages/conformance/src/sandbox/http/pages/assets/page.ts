/** Where the sections stand in one row that is wider than the window: the one that is shown is brought into sight. */
export const PAGE: string = `(() => {
  'use strict';
  const row = document.querySelector('.side nav');
  const current = row?.querySelector('[aria-current]');
  if (current && row.scrollWidth > row.clientWidth)
    row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
})();
`;
