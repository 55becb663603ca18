// Renews the page's ticket when half of its time is over, as long as the page is open.
(() => {
  const form = document.getElementById('panel');
  if (!form) return;
  const ticket = form.elements.ticket;
  let ends = Date.now() + form.dataset.expiresIn * 1000;
  let due = Infinity;
  let timer;

  const next = (milliseconds) => {
    clearTimeout(timer);
    due = Date.now() + milliseconds;
    timer = setTimeout(renew, milliseconds);
  };
  // Without buttons that would open nothing.
  const end = () => {
    clearTimeout(timer);
    due = Infinity;
    form.remove();
    for (const line of document.querySelectorAll('[role=status] > p')) line.hidden = line.id !== 'ended';
  };
  const renew = async () => {
    due = Infinity;
    try {
      const answer = await fetch(form.dataset.renew, {
        method: 'POST', body: new URLSearchParams({ ticket: ticket.value }), cache: 'no-store', redirect: 'error',
      });
      if (answer.ok) {
        const renewed = await answer.json();
        ticket.value = renewed.ticket;
        ends = Date.now() + renewed.expires_in * 1000;
        return next(Math.max(renewed.expires_in * 500, 10000));
      }
      // No is no; trouble of the service may pass.
      if (answer.status < 500 && answer.status !== 429) return end();
    } catch { /* The network is away. */ }
    if (Date.now() >= ends) return end();
    next(30000);
  };

  // A laptop that was closed runs no timers.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() >= due) renew();
  });
  next(form.dataset.expiresIn * 500);
})();
