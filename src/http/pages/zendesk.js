// Has Zendesk's own script say who the client is, and makes a button for each phone.
(() => {
  const form = document.getElementById('panel');
  const sdk = document.getElementById('zaf');
  // Zendesk answers within a second, or does not know this page.
  const patience = 10000;
  const mostPhones = 20;
  let client;
  let reads = 0;

  const say = (which) => {
    for (const id of ['reading', 'unread', 'no-phone', 'choose']) document.getElementById(id).hidden = id !== which;
  };
  // A sidebar's frame is as high as the app asks for.
  const fit = () => {
    const { bottom } = document.querySelector('main').getBoundingClientRect();
    const height = Math.ceil(bottom + scrollY) + 12;
    client.invoke('resize', { width: '100%', height: `${height}px` }).catch(() => {});
  };
  const button = (phone) => {
    const made = document.createElement('button');
    Object.assign(made, { className: 'button first', name: 'phone', value: phone, textContent: `${form.dataset.open} ${phone}` });
    return made;
  };
  const show = (phones) => {
    for (const old of form.querySelectorAll('button')) old.remove();
    form.append(...phones.map(button));
    say(phones.length === 0 ? 'no-phone' : phones.length > 1 ? 'choose' : '');
  };

  // The requester of the ticket, or the user of the page.
  const person = async () => {
    const { location } = await client.context();
    const path = location === 'user_sidebar' ? 'user' : 'ticket.requester';
    return (await client.get(path))[path];
  };
  // A number that several people share is none of their identities: the API alone has it.
  const ownPhone = async ({ id }) => {
    if (!/^[0-9]+$/.test(id)) return [];
    try {
      const { user } = await client.request({ url: `/api/v2/users/${id}.json`, type: 'GET', dataType: 'json' });
      return [user.phone];
    } catch { return []; }
  };
  const phonesOf = async (found) => {
    if (!found) return [];
    const identities = (found.identities || []).filter(({ type }) => type === 'phone_number');
    const all = [...await ownPhone(found), ...identities.map(({ value }) => value)];
    const byDigits = new Map();
    for (const phone of all) {
      const digits = String(phone ?? '').replace(/[^0-9]/g, '');
      if (digits && !byDigits.has(digits)) byDigits.set(digits, String(phone).trim());
    }
    return [...byDigits.values()].slice(0, mostPhones);
  };

  const read = async () => {
    const mine = ++reads;
    const isLatest = () => mine === reads && form.isConnected;
    const late = setTimeout(() => isLatest() && unread(), patience);
    try {
      const phones = await phonesOf(await person());
      if (isLatest()) show(phones);
    } catch {
      if (isLatest()) unread();
    }
    clearTimeout(late);
  };
  const unread = () => {
    show([]);
    say('unread');
  };
  const begin = () => {
    client = window.ZAFClient?.init() || undefined;
    if (!client) return unread();
    read();
    new ResizeObserver(fit).observe(document.querySelector('main'));
    client.on('app.activated', read);
    client.on('ticket.requester.id.changed', read);
  };

  const late = setTimeout(unread, patience);
  const loaded = () => {
    clearTimeout(late);
    begin();
  };
  if (window.ZAFClient) return loaded();
  sdk.addEventListener('load', loaded);
  sdk.addEventListener('error', () => { clearTimeout(late); unread(); });
})();
