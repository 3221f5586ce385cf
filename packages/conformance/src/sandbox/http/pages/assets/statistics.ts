/** The chart: drawn from the table beside it, in the colours of the style, by Chart.js. */
export const CHART: string = `(() => {
  'use strict';
  const canvas = document.getElementById('chart');
  if (!canvas || !window.Chart) return;
  const figure = canvas.closest('figure');
  const states = ['NotSent', 'Sent', 'Delivered', 'Read', 'Clicked', 'Bounced', 'Rejected'];
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let chart;
  const draw = () => {
    const rows = states.map((state) => document.querySelector('#statistics [data-state="' + state + '"]')).filter(Boolean);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const animate = !chart && !calm.matches;
    chart?.destroy();
    figure.hidden = false;
    chart = new window.Chart(canvas, {
      type: 'bar',
      data: {
        labels: rows.map((row) => row.cells[0].textContent.trim()),
        datasets: [{
          // Nothing has no bar, not even the shortest.
          data: rows.map((row) => Number(row.dataset.count) || null),
          backgroundColor: rows.map((row) => colour('--chart-' + row.dataset.state)),
          borderRadius: 4,
          maxBarThickness: 28,
          minBarLength: 2,
        }],
      },
      options: {
        indexAxis: 'y',
        responsive: true,
        maintainAspectRatio: false,
        animation: animate ? { duration: 400 } : false,
        plugins: {
          legend: { display: false },
          tooltip: { callbacks: { label: ({ dataIndex }) => rows[dataIndex].cells[1].textContent + ' · ' + rows[dataIndex].cells[2].textContent } },
        },
        scales: {
          x: { beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 6, color: colour('--soft') }, grid: { color: colour('--line') }, border: { display: false } },
          y: { ticks: { color: colour('--fg'), autoSkip: false }, grid: { display: false }, border: { display: false } },
        },
      },
    });
  };
  draw();
  dark.addEventListener('change', draw);
  document.addEventListener('live', ({ target }) => target.dataset.live === 'table' && draw());
})();
`;
