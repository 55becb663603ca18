// A stand-in for the operator panel's script: shows as whom it works, and how often its token has changed.
const element = document.getElementById('operator-chat-panel-script');
const panel = document.createElement('main');
panel.id = 'operator-chat-panel';
document.body.append(panel);
let tokens = 0;

const show = async () => {
  tokens += 1;
  // A plain POST, which needs no preflight.
  const answer = await fetch(new URL('widget-session', import.meta.url), {
    method: 'POST',
    body: element.getAttribute('token'),
  });
  const session = answer.ok ? await answer.json() : { operator: 'nobody', expires_at: '' };
  panel.replaceChildren();
  for (const [name, value] of [...Object.entries(session), ['tokens', tokens]]) {
    const line = document.createElement('p');
    line.append(`${name}: `, Object.assign(document.createElement('b'), { id: name, textContent: value }));
    panel.append(line);
  }
};

new MutationObserver(show).observe(element, { attributeFilter: ['token'] });
show();
