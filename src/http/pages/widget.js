// Gives the panel a new token when half of the old one's life is over.
(() => {
  const page = document.currentScript.dataset;
  const panel = document.getElementById('operator-chat-panel-script');
  const notice = document.getElementById('session-ended');
  const request = page.ticket
    ? ['widget/token', { headers: { 'X-Widget-Ticket': page.ticket } }]
    : ['widget/token' + location.search, {}];
  let ends = Date.now() + page.expiresIn * 1000;
  let due = Infinity;
  let timer;

  const left = () => ends - Date.now();
  const next = (milliseconds) => {
    clearTimeout(timer);
    due = Date.now() + milliseconds;
    timer = setTimeout(refresh, milliseconds);
  };
  const hand = ({ token, expires_in }) => {
    ends = Date.now() + expires_in * 1000;
    notice.hidden = true;
    if (token === panel.getAttribute('token')) return;
    panel.setAttribute('token', token);
    panel.dispatchEvent(new CustomEvent('open-chat:token', { detail: { token } }));
  };
  const refresh = async () => {
    clearTimeout(timer);
    due = Infinity;
    let wait = 0;
    try {
      // A proxy that wants a login answers with a redirect, which no script can follow.
      const answer = await fetch(request[0], { ...request[1], cache: 'no-store', redirect: 'error' });
      if (answer.ok) {
        hand(await answer.json());
        return next(Math.max(left() / 2, 5000));
      }
      if (answer.status < 500 && answer.status !== 429) {
        // No is no: the agent can work on until the token ends.
        timer = setTimeout(() => { notice.hidden = false; }, Math.max(left(), 0));
        return;
      }
      // It may be a date, or longer than any timer runs.
      wait = Math.min(Number(answer.headers.get('retry-after')) * 1000 || 0, 3600000);
    } catch {
      // Tried again below.
    }
    notice.hidden = left() > 0;
    // Once more before the token ends, whatever is asked for; afterwards once a minute.
    const [soon, asked] = left() > 0 ? [Math.min(left() / 4, 60000), Math.min(wait, left())] : [60000, wait];
    next(Math.max(soon, asked, 5000));
  };
  // A machine that has slept wakes up with its timers late.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() >= due) refresh();
  });
  next(Math.max(left() / 2, 5000));
})();
