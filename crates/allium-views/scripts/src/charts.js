// Makes the charts of a page interactive. Pages say everything without it: this replaces a picture by one that answers to pointer and
// keyboard. It loads the drawing code only once a chart is in sight (`data-auto`) or its button is pressed.

const saving = navigator.connection?.saveData ?? false;

/** Replaces the picture of a figure. */
async function start(figure, button) {
  button.disabled = true;
  button.textContent = 'Loading';
  try {
    const [{ draw }, response] = await Promise.all([import('./draw.js'), fetch(figure.dataset.chart)]);
    if (!response.ok) throw new Error(`the values answer ${response.status}`);
    await draw(figure, await response.json());
    button.remove();
  } catch (error) {
    button.disabled = false;
    button.textContent = 'Interactive chart';
    figure.querySelector('.said')?.remove();
    const said = Object.assign(document.createElement('p'), { className: 'said small', textContent: `Not loaded: ${error.message}` });
    said.setAttribute('role', 'status');
    button.after(said);
  }
}

for (const figure of document.querySelectorAll('figure[data-chart]')) {
  const view = figure.querySelector('.view');
  if (!view) continue;
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Interactive chart' });
  button.addEventListener('click', () => start(figure, button));
  view.after(button);
  if (!('auto' in figure.dataset) || saving) continue;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen.disconnect();
    start(figure, button);
  });
  seen.observe(figure);
}
