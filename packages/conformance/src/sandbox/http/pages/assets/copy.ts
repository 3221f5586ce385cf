/** Buttons that copy a program. Without this script they are hidden, and the text can be selected. */
export const COPY: string = `(() => {
  'use strict';
  const said = document.querySelector('[data-copy-said]');
  for (const button of document.querySelectorAll('[data-copy]')) {
    const code = document.getElementById(button.dataset.copy);
    if (!code) continue;
    const text = button.firstChild;
    const before = text.data;
    let timer;
    button.hidden = false;
    button.addEventListener('click', async () => {
      let done = button.dataset.copied;
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        // Not allowed, or not there: an address that is neither https nor this machine's.
        getSelection().selectAllChildren(code);
        done = button.dataset.selected;
      }
      text.data = done;
      if (said) said.textContent = done;
      clearTimeout(timer);
      timer = setTimeout(() => {
        text.data = before;
        if (said) said.textContent = '';
      }, 2000);
    });
  }
})();
`;
